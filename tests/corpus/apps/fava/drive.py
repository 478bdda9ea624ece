"""Fava: double-entry bookkeeping in a browser, on text files (Flask, files)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

LEDGER = """option "title" "Household"
option "operating_currency" "EUR"
option "documents" "documents"
2020-01-01 open Assets:Bank EUR
2020-01-01 open Assets:Cash EUR
2020-01-01 open Expenses:Food EUR
2020-01-01 open Expenses:Rent EUR
2020-01-01 open Income:Salary EUR
2020-01-01 commodity EUR
2020-01-01 query "food" "select date, narration, position where account ~ 'Food'"
"""
BOOKING = """
2026-{month:02}-01 * "Employer" "Salary" #work
  Assets:Bank  2500.00 EUR
  Income:Salary
2026-{month:02}-03 * "Market" "Vegetables"
  Expenses:Food  {amount}.35 EUR
  Assets:Cash
2026-{month:02}-05 balance Assets:Bank  {balance}.00 EUR
"""


def prepare(place: Place) -> None:
    """Write the ledger."""
    (place.state / "documents").mkdir()
    months = (
        BOOKING.format(month=month, amount=20 + month, balance=2500 * month)
        for month in range(1, 9)
    )
    (place.state / "ledger.beancount").write_text(LEDGER + "".join(months))


def drive(visitor: Visitor) -> None:
    """Read the reports, query, edit the source, add entries, upload a document."""
    base = "/household"
    visitor.get("/", 302)
    visitor.get(f"{base}/income_statement/")
    visitor.get(f"{base}/api/changed")
    visitor.get(f"{base}/api/income_statement")
    visitor.get(f"{base}/api/balance_sheet?time=2026-03")
    visitor.get(f"{base}/api/trial_balance?interval=quarter")
    visitor.get(f"{base}/api/account_report?a=Expenses:Food&r=journal")
    visitor.get(f"{base}/api/account_report?a=Assets&r=changes")
    visitor.get(f"{base}/api/journal?payee=Market")
    visitor.get(f"{base}/api/commodities")
    visitor.get(f"{base}/api/statistics")
    visitor.get(f"{base}/api/events")
    visitor.get(f"{base}/api/documents")
    visitor.get(f"{base}/api/options")
    visitor.get(f"{base}/api/help?page_slug=_index", 200, 400)
    query = "select account, sum(position) group by account order by account"
    visitor.get(f"{base}/api/query", params={"query_string": query})
    visitor.get(f"{base}/api/query", 500, params={"query_string": "select nonsense"})
    visitor.get(f"{base}/download-query/query_result.csv", params={"query_string": query})
    visitor.get(f"{base}/download-journal/")
    visitor.get(f"{base}/api/payee_accounts?payee=Market")
    visitor.get(f"{base}/api/payee_transaction?payee=Employer")
    source = visitor.get(f"{base}/api/source").json()
    source = source.get("data", source)
    text = source["source"].replace("Vegetables", "Fruit")
    edited = {"file_path": source["file_path"], "source": text, "sha256sum": source["sha256sum"]}
    visitor.put(f"{base}/api/source", json=edited)
    visitor.put(f"{base}/api/source", 400, 409, 500, json=edited)
    visitor.put(f"{base}/api/format_source", json={"source": text})
    entry = {
        "t": "Transaction",
        "date": "2026-09-04",
        "flag": "*",
        "payee": "Baker",
        "narration": "Bread",
        "tags": [],
        "links": [],
        "meta": {},
        "postings": [
            {"account": "Expenses:Food", "amount": "4.20 EUR"},
            {"account": "Assets:Cash", "amount": ""},
        ],
    }
    visitor.put(f"{base}/api/add_entries", json={"entries": [entry]})
    visitor.get(f"{base}/api/changed")
    visitor.get(f"{base}/api/journal?payee=Baker")
    upload = {"file": ("2026-09-04 receipt.txt", b"4.20", "text/plain")}
    where = {"folder": "documents", "account": "Expenses:Food", "hash": "", "base_path": ""}
    visitor.put(f"{base}/api/add_document", 200, 400, 500, data=where, files=upload)
    visitor.put(f"{base}/api/add_entries", 400, json={"entries": "nothing"})
    visitor.get(f"{base}/static/absent.js", 404)
    visitor.get("/absent/income_statement/", 404)


APP = Application(
    name="fava",
    framework="Flask",
    uses=("files",),
    packages=("fava==1.30.16", "beancount==3.2.3", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:app"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
