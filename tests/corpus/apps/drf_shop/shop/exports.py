"""Orders as CSV, XLSX and PDF."""

from __future__ import annotations

import csv
import io

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from openpyxl import Workbook
from openpyxl.styles import Font
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

HEAD = ["number", "customer", "status", "total", "created"]


def _cells(order):
    return [
        order.number,
        order.customer.email,
        order.status,
        order.total,
        order.created.isoformat(),
    ]


class Echo:
    def write(self, value):
        return value


def as_csv(orders):
    writer = csv.writer(Echo())

    def lines():
        yield writer.writerow(HEAD)
        for order in orders.iterator(chunk_size=2):
            yield writer.writerow(_cells(order))

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="orders.csv"'},
    )


def as_xlsx(orders):
    book = Workbook()
    sheet = book.active
    sheet.title = "Orders"
    sheet.append(HEAD)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for order in orders:
        sheet.append([*_cells(order)[:3], float(order.total), order.created.replace(tzinfo=None)])
    out = io.BytesIO()
    book.save(out)
    return HttpResponse(
        out.getvalue(),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def as_pdf(order):
    out = io.BytesIO()
    styles = getSampleStyleSheet()
    rows = [["Product", "Quantity", "Price"]]
    rows += [[line.product.name, line.quantity, str(line.price)] for line in order.lines.all()]
    SimpleDocTemplate(out, pagesize=A4, title=f"Invoice {order.number}").build(
        [
            Paragraph(f"Invoice {order.number}", styles["Title"]),
            Paragraph(f"For {order.customer.email}", styles["Normal"]),
            Table(rows),
            Paragraph(f"Total {order.total}", styles["Normal"]),
        ]
    )
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"{order.number}.pdf")
