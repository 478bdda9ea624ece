"""LNbits: wallets, invoices and payments over Lightning (FastAPI, aiosqlite, tasks)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Lay its pages where it looks for them: it is made to be started from its checkout."""
    package = next(place.python.parents[1].glob("lib/python*/site-packages/lnbits"))
    (place.state / "lnbits").symlink_to(package)


def drive(visitor: Visitor) -> None:
    """Set it up, register, make invoices, pay them, look at what was paid, as its pages do."""
    visitor.get("/api/v1/health")
    visitor.get("/", 200, 307)
    first = {
        "username": "ann",
        "password": "secret-of-ann",
        "password_repeat": "secret-of-ann",
    }
    visitor.put("/api/v1/auth/first_install", json=first)
    visitor.get("/api/v1/auth")
    visitor.get("/admin")
    visitor.post("/api/v1/auth/logout")
    visitor.post("/api/v1/auth", 401, json={"username": "ann", "password": "wrong"})
    visitor.post("/api/v1/auth", json={"username": "ann", "password": "secret-of-ann"})
    visitor.get("/wallet", 200, 307)
    wallets = visitor.get("/api/v1/wallets").json()
    admin = {"X-Api-Key": wallets[0]["adminkey"]}
    visitor.get("/api/v1/wallet", headers=admin)
    visitor.get("/api/v1/wallet", 401, 404, headers={"X-Api-Key": "0" * 32})
    visitor.put("/users/api/v1/balance", 200, 201, json={"id": wallets[0]["id"], "amount": 100000})
    other = visitor.post("/api/v1/wallet", 200, 201, headers=admin, json={"name": "Savings"}).json()
    savings = {"X-Api-Key": other["adminkey"]}
    invoice = {"out": False, "amount": 250, "memo": "Lemons", "unit": "sat"}
    made = visitor.post("/api/v1/payments", 201, headers=savings, json=invoice).json()
    visitor.get(f"/api/v1/payments/{made['payment_hash']}", headers=savings)
    request = made.get("bolt11") or made["payment_request"]
    visitor.post("/api/v1/payments/decode", json={"data": request})
    visitor.post("/api/v1/payments/decode", 400, json={"data": "lnbc1nonsense"})
    visitor.get(f"/api/v1/payments/fee-reserve?invoice={request}")
    visitor.post("/api/v1/payments", 201, headers=admin, json={"out": True, "bolt11": request})
    visitor.post("/api/v1/payments", 520, headers=admin, json={"out": True, "bolt11": request})
    visitor.get(f"/api/v1/payments/{made['payment_hash']}", headers=savings)
    visitor.get("/api/v1/payments?limit=5", headers=admin)
    visitor.get("/api/v1/payments/paginated?limit=5&sortby=time&direction=desc", headers=admin)
    visitor.get("/api/v1/payments/history?group=day", headers=admin)
    visitor.get("/api/v1/payments/stats/count?count_by=status")
    visitor.get("/api/v1/payments/stats/daily")
    visitor.get("/api/v1/wallet", headers=savings)
    visitor.patch("/api/v1/wallet", headers=savings, json={"name": "Rainy day", "currency": "EUR"})
    visitor.get("/api/v1/currencies")
    visitor.get("/api/v1/rate/EUR", 200, 500)
    visitor.get(f"/api/v1/qrcode/{request}")
    visitor.post("/api/v1/payments", 422, 400, headers=admin, json={"out": False, "amount": -1})
    user = {
        "username": "bob",
        "password": "secret-of-bob",
        "password_repeat": "secret-of-bob",
        "email": "bob@example.com",
    }
    visitor.post("/api/v1/auth/register", json=user)
    visitor.post("/api/v1/auth/register", 400, json=user)
    visitor.get("/api/v1/auth")
    visitor.get("/users/api/v1/user", 401, 403)
    visitor.patch("/api/v1/auth", 400, json={"user_id": "x", "username": "bobby"})
    visitor.get("/admin/api/v1/settings", 401, 403)
    visitor.post("/api/v1/auth", json={"username": "ann", "password": "secret-of-ann"})
    visitor.get("/users/api/v1/user")
    visitor.get("/admin/api/v1/settings")
    visitor.put("/admin/api/v1/settings", 200, 422, json={"lnbits_site_title": "Lemons"})
    visitor.get("/audit/api/v1?limit=5", 200, 404)
    visitor.get("/nothing-here", 404)
    visitor.delete("/api/v1/wallet/x", 200, 404)


APP = Application(
    name="lnbits",
    framework="FastAPI",
    uses=("SQLite", "tasks"),
    packages=("lnbits==1.6.2", "bitstring==4.3.1"),
    server=("lnbits", "--host", "127.0.0.1", "--port", "{port}"),
    environment={
        "LNBITS_DATA_FOLDER": "{state}/data",
        "LNBITS_EXTENSIONS_PATH": "{state}",
        "LNBITS_ADMIN_UI": "true",
        "LNBITS_BACKEND_WALLET_CLASS": "FakeWallet",
        "AUTH_SECRET_KEY": "6d1f2b8c9e0a4d53b7c86d1f2b8c9e0a4d53",
        "AUTH_HTTPS_ONLY": "false",
    },
    starts_in_state=True,
    prepare=prepare,
    drive=drive,
)
