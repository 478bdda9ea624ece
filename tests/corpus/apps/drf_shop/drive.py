"""A shop on Django REST framework: accounts, orders, payments by a partner, tasks, exports."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import time
import zlib
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.server_process import free_port

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FIRST_DATA = """
from shop.models import Category, Product, User
User.objects.create_superuser("boss@shop.example", "Gl4d-Summer-Rain", first_name="Boss")
tools = Category.objects.create(name="Tools", slug="tools")
toys = Category.objects.create(name="Toys", slug="toys")
for n in range(12):
    Product.objects.create(name=f"Thing {n}", category=[tools, toys][n % 2], price=5 + n, stock=10,
        tags=["new"] if n > 8 else [], attributes={"weight": n})
"""


class Partner(BaseHTTPRequestHandler):
    """Takes payments and shipments."""

    protocol_version = "HTTP/1.1"
    seen = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen += 1
        if body.get("card", "").endswith("0002"):
            status, said = 402, {"error": "card_declined"}
        elif self.path == "/shipments":
            status, said = 201, {"reference": f"ship_{self.seen:08}"}
        else:
            status, said = (
                201,
                {"receipt": f"rcpt_{self.seen:08}", "client_secret": f"cs_{time.time_ns():x}"},
            )
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def prepare(place: Place) -> None:
    """Make the tables, the boss, and what is sold."""
    there = ("--pythonpath", str(place.here))
    place.run("django-admin", "migrate", *there)
    place.run("django-admin", "shell", *there, given=FIRST_DATA)
    place.run("django-admin", "collectstatic", "--noinput", *there)


def picture() -> bytes:
    """Return a PNG of 40 by 40 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x10\x80\xff" * 40) * 40)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def wait_for(visitor: Visitor, task: str) -> None:
    """Ask for a task until it is done."""
    deadline = time.monotonic() + 30
    while visitor.get(f"/api/tasks/{task}/").json()["state"] != "SUCCESS":
        if time.monotonic() > deadline:
            raise RuntimeError("the task is not done")
        time.sleep(0.3)


def drive(visitor: Visitor) -> None:
    """Sign up, verify, log in in four ways, order, pay, export; as the boss, change and look."""
    visitor.get("/api/")
    listed = visitor.get("/api/products/").json()
    visitor.get(listed["next"].removeprefix(visitor.base))
    visitor.get("/api/products/?category__slug=tools&price__lte=9&ordering=price")
    visitor.get("/api/products/?search=thing")
    visitor.get("/api/products/find/?q=thing+1")
    visitor.get("/api/products/featured/")
    visitor.get("/api/products/featured/")
    visitor.get("/api/categories/")
    visitor.get("/terms/")
    visitor.get("/terms/")
    thing, other = (one["id"] for one in listed["results"][:2])
    answer = visitor.get(f"/api/products/{thing}/")
    tag = answer.headers["etag"]
    visitor.get(f"/api/products/{thing}/", 304, headers={"If-None-Match": tag})
    visitor.get("/api/products/00000000-0000-0000-0000-000000000000/", 404)
    who = {"email": "dora@mail.example", "first_name": "Dora", "last_name": "Diaz"}
    weak = {**who, "password": "password1", "password_again": "password1"}
    visitor.post("/api/signup/", 400, json=weak)
    similar = {**who, "password": "dora@mail.ex", "password_again": "dora@mail.ex"}
    visitor.post("/api/signup/", 400, json=similar)
    digits = {**who, "password": "4815162342", "password_again": "4815162342"}
    visitor.post("/api/signup/", 400, json=digits)
    good = {**who, "password": "T4ll-Green-Boat", "password_again": "T4ll-Green-Boat"}
    signed = visitor.post("/api/signup/", 201, json=good).json()
    visitor.post("/api/signup/", 400, json=good)
    visitor.get(f"/verify/{signed['verify']}/")
    visitor.get(f"/verify/{signed['verify'][:-3]}abc/", 400)
    by_token = {"Authorization": f"Token {signed['token']}"}
    login = {"email": who["email"], "password": good["password"]}
    visitor.post("/api/token/", 401, json={**login, "password": "wrong-Password"})
    pair = visitor.post("/api/token/", json=login).json()
    by_jwt = {"Authorization": f"Bearer {pair['access']}"}
    visitor.post("/api/token/refresh/", json={"refresh": pair["refresh"]})
    visitor.get("/api/orders/", 401)
    order = {"shipping_address": "1 Long Road", "lines": [{"product": thing, "quantity": 2}]}
    order["lines"].append({"product": other, "quantity": 1})
    made = visitor.post("/api/orders/", 201, json=order, headers=by_jwt).json()
    much = {**order, "lines": [{"product": thing, "quantity": 99}]}
    visitor.post("/api/orders/", 409, json=much, headers=by_token)
    visitor.post("/api/orders/", 400, json={"lines": []}, headers=by_token)
    visitor.get(f"/api/orders/{made['id']}/", headers=by_jwt)
    pay = f"/api/orders/{made['id']}/pay/"
    visitor.post(pay, 502, json={"card_number": "4000000000000002"}, headers=by_jwt)
    visitor.post(pay, json={"card_number": "4242424242424242"}, headers=by_jwt)
    visitor.get(f"/api/orders/{made['id']}/invoice/", headers=by_token)
    visitor.get("/api/orders/export/", headers=by_token)
    visitor.get("/api/orders/export/?as=xlsx", headers=by_token)
    visitor.get("/api/orders/statistics/", headers=by_token)
    visitor.get("/api/orders/statistics/", headers=by_token)
    event = {"id": "evt_0001", "type": "order.delivered", "order": made["number"]}
    raw = json.dumps(event).encode()
    for secret, status in (("whsec_of_the_shop", 200), ("whsec_of_the_shop", 200), ("no", 403)):
        moment = str(int(time.time()))
        right = hmac.new(secret.encode(), moment.encode() + b"." + raw, hashlib.sha256).hexdigest()
        signature = {"X-Signature": f"t={moment},v1={right}", "Content-Type": "application/json"}
        visitor.post("/api/webhook/", status, content=raw, headers=signature)
    sent = visitor.post("/api/code/", json={"email": who["email"]}, headers={"X-Debug": "1"}).json()
    visitor.post("/api/code/", 403, json={"email": who["email"], "code": "12345x"})
    visitor.post("/api/code/", json={"email": who["email"], "code": sent["debug"]})
    token = "csrfmiddlewaretoken"
    visitor.get("/account/")
    profile = {"first_name": "Dora", "last_name": "Diaz-Ruiz", "phone": "+49 170 5550100"}
    visitor.send_form("/account/", profile, 302, token=token)
    visitor.get("/account/")
    change = {
        "old_password": good["password"],
        "new_password1": "12345678",
        "new_password2": "12345678",
    }
    visitor.send_form("/accounts/password_change/", change, 200, token=token)
    change.update(new_password1="Wide-R1ver-Stone", new_password2="Wide-R1ver-Stone")
    visitor.send_form("/accounts/password_change/", change, 302, token=token)
    visitor.send_form("/accounts/password_reset/", {"email": who["email"]}, 302, token=token)
    visitor.get("/accounts/reset/Mg/set-password/", 200)
    visitor.get("/accounts/reset/Mg/abc123-0123456789abcdef0123456789abcdef/", 200)
    visitor.cookies.clear()
    boss = {"username": "boss@shop.example", "password": "Gl4d-Summer-Rain"}
    visitor.send_form("/accounts/login/", {**boss, "password": "no"}, 200, token=token)
    visitor.send_form("/admin/login/", boss, 302, token=token)
    visitor.get("/admin/")
    visitor.get("/admin/shop/order/?q=dora")
    visitor.get(f"/admin/shop/order/{made['id']}/change/")
    visitor.send_form(
        "/admin/shop/category/add/", {"name": "Books", "slug": "books"}, 302, token=token
    )
    csrf = {"X-CSRFToken": visitor.cookies["csrftoken"], "Referer": visitor.base}
    book = {"name": "Atlas", "category": "books", "price": "19.90", "stock": 3, "tags": ["map"]}
    product = visitor.post("/api/products/", 201, json=book, headers=csrf).json()
    visitor.post("/api/products/", 400, json={**book, "price": "-1"}, headers=csrf)
    path = f"/api/products/{product['id']}/"
    visitor.patch(path, json={"price": "17.50"}, headers=csrf)
    upload = {"picture": ("atlas.png", picture(), "image/png")}
    done = visitor.post(f"{path}picture/", 202, files=upload, headers=csrf).json()
    wait_for(visitor, done["task"])
    bad = {"picture": ("atlas.png", b"no picture", "image/png")}
    visitor.post(f"{path}picture/", 202, files=bad, headers=csrf)
    visitor.get(done["picture"])
    visitor.get(f"{path}changes/")
    visitor.delete(path, 204, headers=csrf)
    visitor.get("/api/schema/")
    visitor.get("/admin/shop/auditentry/")
    visitor.get("/admin/logout/", 405)


APP = Application(
    name="drf_shop",
    framework="Django",
    uses=("PostgreSQL", "Redis", "HTTP", "SMTP", "Celery", "files"),
    packages=(
        "djangorestframework==3.18.3",
        "Django==5.2.19",
        "django-filter==26.2",
        "django-redis==7.0.0",
        "django-simple-history==3.13.0",
        "djangorestframework-simplejwt==5.5.1",
        "drf-spectacular==0.30.0",
        "celery==5.7.0",
        "redis==8.1.0",
        "aiosmtpd==1.4.6",
        "honcho==2.0.0",
        "openpyxl==3.1.5",
        "reportlab==5.1.0",
        "requests==2.34.2",
        "pillow==13.0.0",
        "psycopg[binary]==3.3.9",
        "gunicorn==23.0.0",
    ),
    server=("honcho", "-d", "{here}", "-f", "{here}/Procfile", "start"),
    environment={
        "CORPUS_STATE": "{state}",
        "CORPUS_POSTGRESQL": "{postgresql}",
        "CORPUS_REDIS": "{redis}",
        "SHOP_PORT": "{port}",
        "SHOP_SMTP_PORT": str(free_port()),
        "SHOP_SECRET_KEY": "django-key-of-the-shop-5k3j2h5kj23h5k2j",
        "SHOP_WEBHOOK_SECRET": "whsec_of_the_shop",
        "SHOP_PARTNER_URL": "{origin}",
        "SHOP_PARTNER_API_KEY": "partner-key-51Hf0lkQw9",
        "DJANGO_SETTINGS_MODULE": "settings",
    },
    needs=frozenset({"postgresql", "redis"}),
    origin=Partner,
    prepare=prepare,
    drive=drive,
)
