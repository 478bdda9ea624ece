"""Wagtail: pages, pictures, documents and their editors (Django on psycopg 3, cache in Redis)."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FIRST_PAGES = """
from wagtail.models import Page, Site
from blog.models import Author, BlogIndex
root = Page.objects.get(depth=1)
Page.objects.filter(depth=2).delete()
blog = root.__class__.objects.get(depth=1).add_child(
    instance=BlogIndex(title="Blog", slug="blog", intro="<p>Stories</p>"))
Site.objects.all().delete()
Site.objects.create(hostname="127.0.0.1", root_page=blog, is_default_site=True)
Author.objects.create(name="Ada")
"""


def prepare(place: Place) -> None:
    """Make the tables, an editor and the first page."""
    there = ("--pythonpath", str(place.here))
    place.run("django-admin", "migrate", *there)
    place.run("django-admin", "createsuperuser", "--noinput", *there)
    place.run("django-admin", "shell", *there, given=FIRST_PAGES)
    place.run("django-admin", "collectstatic", "--noinput", *there)


def picture(colour: bytes) -> bytes:
    """Return a PNG of 40 by 40 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + colour * 40) * 40)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def drive(visitor: Visitor) -> None:
    """Log in, write stories with pictures, publish, search; read as a visitor and by the API."""
    token = "csrfmiddlewaretoken"
    visitor.get("/")
    visitor.get("/api/v2/pages/")
    visitor.get("/admin/", 302)
    login = "/admin/login/"
    visitor.send_form(login, {"username": "ann", "password": "wrong"}, 200, token=token)
    visitor.send_form(login, {"username": "ann", "password": "secret-of-ann"}, 302, token=token)
    visitor.get("/admin/")
    visitor.get("/admin/pages/")
    blog = visitor.get("/api/v2/pages/").json()["items"][0]["id"]
    visitor.get(f"/admin/pages/{blog}/")
    visitor.send_form(
        "/admin/images/add/",
        {"title": "Red"},
        302,
        token=token,
        files={"file": ("red.png", picture(b"\xff\0\0"), "image/png")},
    )
    images = visitor.get("/admin/images/").text
    image = re.findall(r"/admin/images/(\d+)/", images)[0]
    visitor.get(f"/admin/images/{image}/")
    visitor.get("/admin/images/chooser/")
    visitor.send_form(
        "/admin/documents/add/",
        {"title": "Notes"},
        302,
        token=token,
        files={"file": ("notes.txt", b"some notes\n" * 50, "text/plain")},
    )
    documents = visitor.get("/admin/documents/").text
    document = re.findall(r"/admin/documents/edit/(\d+)/", documents)[0]
    visitor.get(f"/documents/{document}/notes.txt")
    add = f"/admin/pages/add/blog/story/{blog}/"
    story = {
        "title": "First",
        "slug": "first",
        "date": "2026-01-05",
        "image": image,
        "body-count": "1",
        "body-0-deleted": "",
        "body-0-order": "0",
        "body-0-type": "heading",
        "body-0-id": "",
        "body-0-value": "Hello",
    }
    visitor.send_form(add, {**story, "title": ""}, 200, token=token)
    visitor.send_form(add, {**story, "action-publish": "1"}, 302, token=token)
    visitor.send_form(add, {**story, "title": "Second", "slug": "second"}, 302, token=token)
    visitor.get("/")
    visitor.get("/first/")
    visitor.get("/second/", 404)
    edit = f"/admin/pages/{blog + 1}/edit/"
    visitor.get(edit)
    visitor.send_form(
        edit, {**story, "title": "First, again", "action-publish": "1"}, 302, token=token
    )
    visitor.get(f"/admin/pages/{blog + 1}/history/")
    visitor.get("/first/")
    visitor.get("/admin/pages/search/?q=again")
    visitor.get(f"/api/v2/pages/{blog + 1}/")
    visitor.get("/api/v2/pages/?type=blog.Story&fields=date,body&search=first")
    visitor.get("/api/v2/images/")
    visitor.get("/api/v2/pages/999/", 404)
    visitor.get("/admin/snippets/blog/author/")
    visitor.send_form("/admin/snippets/blog/author/add/", {"name": "Grace"}, 302, token=token)
    visitor.get("/admin/reports/site-history/")
    visitor.get("/admin/users/")
    visitor.send_form(
        "/admin/redirects/add/",
        {"old_path": "/old", "redirect_link": "http://127.0.0.1/first/"},
        302,
        token=token,
    )
    visitor.get("/old", 302)
    visitor.send_form(f"/admin/pages/{blog + 2}/delete/", {}, 302, token=token)
    visitor.get("/admin/logout/", 405)
    visitor.get("/nowhere/", 404)


APP = Application(
    name="wagtail",
    framework="Django",
    uses=("PostgreSQL", "Redis", "files"),
    packages=(
        "wagtail==8.0.1",
        "Django==5.2.19",
        "psycopg[binary]==3.3.9",
        "redis==6.4.0",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={
        "CORPUS_STATE": "{state}",
        "CORPUS_POSTGRESQL": "{postgresql}",
        "CORPUS_REDIS": "{redis}",
        "DJANGO_SETTINGS_MODULE": "settings",
        "DJANGO_SUPERUSER_USERNAME": "ann",
        "DJANGO_SUPERUSER_PASSWORD": "secret-of-ann",
        "DJANGO_SUPERUSER_EMAIL": "ann@example.com",
    },
    needs=frozenset({"postgresql", "redis"}),
    prepare=prepare,
    drive=drive,
)
