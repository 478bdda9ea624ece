"""I hate money: shared budgets (Flask, SQLAlchemy on SQLite, sessions, forms, an API)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SETTINGS = """
SQLALCHEMY_DATABASE_URI = "sqlite:///{state}/budgets.db"
SECRET_KEY = "corpus"
SESSION_COOKIE_SECURE = False
MAIL_SUPPRESS_SEND = True
ACTIVATE_DEMO_PROJECT = True
"""


def prepare(place: Place) -> None:
    """Write the settings; the server itself makes the tables."""
    (place.state / "settings.cfg").write_text(place.fill(SETTINGS))


def drive(visitor: Visitor) -> None:
    """A flat of three people: by the browser first, then by the API."""
    visitor.get("/")
    flat = {
        "name": "Our flat",
        "id": "flat",
        "password": "roof",
        "contact_email": "ann@example.com",
        "default_currency": "XXX",
    }
    visitor.send_form("/create", flat, 302, token="csrf_token")
    visitor.send_form("/create", flat, 200, token="csrf_token")
    visitor.get("/flat/")
    for name in ("Ann", "Bob", "Zoë"):
        visitor.send_form(
            "/flat/members/add", {"name": name, "weight": "1"}, 302, token="csrf_token"
        )
    page = visitor.get("/flat/add").text
    people = re.findall(r'<option value="(\d+)">', page)[:3]
    for what, amount in (("Rent", "900"), ("Food", "45.5"), ("Calculated", "(3+4)*2")):
        bill = {
            "date": "2026-03-01",
            "what": what,
            "payer": people[0],
            "amount": amount,
            "payed_for": people,
            "bill_type": "Expense",
            "original_currency": "XXX",
        }
        visitor.send_form("/flat/add", bill, 302, token="csrf_token")
    visitor.get("/flat/")
    visitor.send_form("/flat/add", {"what": "No amount"}, 200, token="csrf_token")
    visitor.get("/flat/statistics")
    visitor.get("/flat/settle_bills")
    visitor.get("/flat/history")
    visitor.get("/flat/export/bills.json")
    visitor.get("/flat/export/bills.csv")
    visitor.get("/flat/export/transactions.csv")
    visitor.get("/lang/de", 302)
    visitor.get("/flat/")
    visitor.get("/exit", 405)
    visitor.post("/exit", 302)
    token = hidden_fields(visitor.get("/flat/").text)["csrf_token"]
    visitor.post("/exit", 302, data={"csrf_token": token})
    visitor.send_form("/authenticate", {"id": "flat", "password": "no"}, 200, token="csrf_token")
    visitor.send_form("/authenticate", {"id": "flat", "password": "roof"}, 302, token="csrf_token")
    ann = {"auth": ("flat", "roof")}
    visitor.get("/api/projects/flat", 401)
    visitor.get("/api/projects/flat", **ann)
    visitor.get("/api/projects/flat/members", **ann)
    visitor.get("/api/projects/flat/bills", **ann)
    added = visitor.post("/api/projects/flat/members", 201, json={"name": "Dan"}, **ann).json()
    visitor.put(f"/api/projects/flat/members/{added}", json={"name": "Daniel", "weight": 2}, **ann)
    bill = {
        "date": "2026-04-01",
        "what": "By the API",
        "payer": people[1],
        "payed_for": people,
        "amount": 12.5,
    }
    made = visitor.post("/api/projects/flat/bills", 201, 400, json=bill, **ann).json()
    visitor.get(f"/api/projects/flat/bills/{made if isinstance(made, int) else 1}", **ann)
    visitor.delete("/api/projects/flat/bills/1", **ann)
    visitor.get("/api/projects/flat/bills/1", 404, **ann)
    visitor.get("/api/projects/flat/statistics", **ann)
    visitor.get("/api/currencies")
    visitor.get("/demo", 302)
    visitor.get("/nowhere/", 303)


APP = Application(
    name="ihatemoney",
    framework="Flask",
    uses=("SQLite",),
    packages=("ihatemoney==7.2.1", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "ihatemoney.wsgi:application"),
    environment={"IHATEMONEY_SETTINGS_FILE_PATH": "{state}/settings.cfg"},
    prepare=prepare,
    drive=drive,
)
