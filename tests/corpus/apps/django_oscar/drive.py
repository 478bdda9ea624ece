"""Oscar: a shop, its customers and its dashboard (Django on psycopg2, pictures, mails in files)."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

TOKEN = "csrfmiddlewaretoken"
FIRST_DATA = """
from oscar.apps.address.models import Country
from oscar.apps.catalogue.models import ProductClass
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.apps.partner.models import Partner
Country.objects.create(iso_3166_1_a2="GB", iso_3166_1_a3="GBR", iso_3166_1_numeric="826",
    printable_name="United Kingdom", name="United Kingdom", is_shipping_country=True)
book = ProductClass.objects.create(name="Book", requires_shipping=True, track_stock=True)
book.attributes.create(name="Pages", code="pages", type="integer", required=False)
create_from_breadcrumbs("Books > Fiction")
create_from_breadcrumbs("Books > Travel")
Partner.objects.create(name="Warehouse", code="warehouse")
"""


def prepare(place: Place) -> None:
    """Make the tables, the shopkeeper, a kind of product, categories and a partner."""
    there = ("--pythonpath", str(place.here))
    place.run("django-admin", "migrate", *there)
    place.run("django-admin", "createsuperuser", "--noinput", *there)
    place.run("django-admin", "shell", *there, given=FIRST_DATA)


def picture(colour: bytes) -> bytes:
    """Return a PNG of 40 by 40 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + colour * 40) * 40)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def product(title: str, price: str, stock: str) -> dict[str, str]:
    """Return the fields of the form for a product."""
    fields = {
        "title": title,
        "upc": f"upc-{title.lower().replace(' ', '-')}",
        "description": f"<p>The book <em>{title}</em></p>",
        "is_public": "on",
        "is_discountable": "on",
        "structure": "standalone",
        "slug": "",
        "attr_pages": "320",
        "productcategory_set-0-category": "2",
        "stockrecords-0-partner": "1",
        "stockrecords-0-partner_sku": f"sku-{title}",
        "stockrecords-0-price_currency": "GBP",
        "stockrecords-0-price": price,
        "stockrecords-0-num_in_stock": stock,
        "action": "save",
    }
    for name in ("productcategory_set", "images", "primary_recommendations", "stockrecords"):
        fields[f"{name}-TOTAL_FORMS"] = "0" if name == "primary_recommendations" else "1"
        fields[f"{name}-INITIAL_FORMS"] = "0"
    return fields


def log_in(visitor: Visitor, email: str, password: str, *expect: int) -> None:
    """Fill in the form for those who have an account."""
    fields = {"login-username": email, "login-password": password, "login_submit": "Log In"}
    visitor.send_form("/accounts/login/", fields, *expect, token=TOKEN)


def drive(visitor: Visitor) -> None:
    """Stock the shop; register, search, review, order, pay; look after the order."""

    def form(page: str, fields: dict[str, Any], *expect: int, to: str = "", **how: Any) -> None:
        hidden = hidden_fields(visitor.get(page).text)
        visitor.post(to or page, *expect, data={**hidden, **fields}, **how)

    visitor.get("/", 302)
    visitor.get("/catalogue/")
    visitor.get("/dashboard/", 302)
    log_in(visitor, "ann@example.com", "wrong", 200)
    log_in(visitor, "ann@example.com", "secret-of-ann", 302)
    visitor.get("/dashboard/")
    create = "/dashboard/catalogue/products/create/book/"
    cover = {"images-0-original": ("red.png", picture(b"\xff\0\0"), "image/png")}
    red_house = {**product("The Red House", "9.99", "5"), "images-0-caption": "Cover"}
    form(create, red_house, 302, files=cover)
    form(create, product("Blue Roads", "12.50", "1"), 302)
    form(create, {**product("", "x", "y")}, 200)
    visitor.get("/dashboard/catalogue/")
    visitor.get("/dashboard/catalogue/?upc=upc-blue-roads")
    visitor.get("/dashboard/catalogue/categories/")
    visitor.get("/dashboard/partners/")
    visitor.get("/dashboard/users/")
    visitor.get("/accounts/logout/", 302)
    page = visitor.get("/catalogue/").text
    red = re.findall(r'href="(/catalogue/the-red-house_\d+/)"', page)[0]
    blue = re.findall(r'href="(/catalogue/blue-roads_\d+/)"', page)[0]
    number = red.rpartition("_")[2].strip("/")
    visitor.get(red)
    visitor.get("/catalogue/category/books/fiction_2/")
    visitor.get("/search/?q=red")
    visitor.get("/catalogue/nothing_999/", 404)
    form(f"{red}reviews/add/", review(5), 302)
    form(f"{red}reviews/add/", {**review(5), "title": ""}, 500)  # a defect of this version's
    form(red, {"quantity": "2"}, 302, to=f"/basket/add/{number}/")
    form(red, {"quantity": "200"}, 302, to=f"/basket/add/{number}/")
    visitor.get("/basket/")
    form("/basket/", {"code": "NOTHING"}, 302, to="/basket/vouchers/add/")
    visitor.get("/checkout/", 302, 200)
    account = {
        "email": "bob@example.com",
        "password1": "correct-horse-9",
        "password2": "correct-horse-9",
    }
    form("/accounts/register/", {**account, "password2": "other"}, 200)
    form("/accounts/register/", account, 302)
    visitor.get("/accounts/profile/")
    address = {
        "first_name": "Bob",
        "last_name": "Baker",
        "line1": "1 High Street",
        "line4": "London",
        "postcode": "N1 9GU",
        "country": "GB",
    }
    form("/checkout/shipping-address/", {**address, "postcode": "nowhere"}, 200)
    form("/checkout/shipping-address/", address, 302)
    visitor.get("/checkout/shipping-method/", 302)
    visitor.get("/checkout/payment-method/", 302)
    visitor.get("/checkout/payment-details/")
    form("/checkout/preview/", {"action": "place_order"}, 302)
    visitor.get("/checkout/thank-you/")
    orders = visitor.get("/accounts/orders/").text
    order = re.findall(r"/accounts/orders/(\d+)/", orders)[0]
    visitor.get(f"/accounts/orders/{order}/")
    visitor.get("/accounts/emails/")
    visitor.get(blue)
    other = blue.rpartition("_")[2].strip("/")
    form(blue, {}, 302, to=f"/accounts/wishlists/add/{other}/")
    visitor.get("/accounts/wishlists/")
    visitor.get("/accounts/logout/", 302)
    form("/password-reset/", {"email": "bob@example.com"}, 302)
    log_in(visitor, "ann@example.com", "secret-of-ann", 302)
    visitor.get("/dashboard/orders/")
    visitor.get(f"/dashboard/orders/{order}/")
    status = {"order_action": "change_order_status", "new_status": "Being processed"}
    form(f"/dashboard/orders/{order}/", status, 302)
    visitor.get("/dashboard/orders/statistics/")
    visitor.get("/dashboard/reports/?report_type=order_report&download=download", 200)
    visitor.get("/nowhere/", 404)


def review(score: int) -> dict[str, str]:
    """Return the fields of the form for a review by somebody without an account."""
    return {
        "title": "Good",
        "score": str(score),
        "body": "I liked it.",
        "name": "Eve",
        "email": "eve@example.com",
    }


APP = Application(
    name="django_oscar",
    framework="Django",
    uses=("PostgreSQL", "files"),
    packages=(
        "django-oscar==4.2.1",
        "Django==5.2.19",
        "sorl-thumbnail==12.11.0",
        "Whoosh==2.7.4",
        "psycopg2-binary==2.9.13",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={
        "CORPUS_STATE": "{state}",
        "CORPUS_POSTGRESQL": "{postgresql}",
        "DJANGO_SETTINGS_MODULE": "settings",
        "DJANGO_SUPERUSER_USERNAME": "ann",
        "DJANGO_SUPERUSER_PASSWORD": "secret-of-ann",
        "DJANGO_SUPERUSER_EMAIL": "ann@example.com",
    },
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
