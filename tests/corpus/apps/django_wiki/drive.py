"""django-wiki: articles, revisions, attachments, pictures (Django on psycopg2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.apps.wagtail.drive import picture
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PASSWORD = "correct-horse-7"
TOKEN = "csrfmiddlewaretoken"


def prepare(place: Place) -> None:
    """Make the tables and an administrator."""
    there = ("--pythonpath", str(place.here))
    place.run("django-admin", "migrate", *there)
    place.run("django-admin", "createsuperuser", "--noinput", *there)


def _create(visitor: Visitor, slug: str, title: str, text: str) -> None:
    fields = {"title": title, "slug": slug, "content": text, "summary": "begun"}
    visitor.send_form("/_create/", fields, 302, token=TOKEN)


def _edit(visitor: Visitor, path: str, text: str, *expect: int, **more: str) -> None:
    page = visitor.get(f"{path}_edit/").text
    title = re.search(r'name="title" value="([^"]*)"', page)
    fields = {**hidden_fields(page), "title": title[1] if title else "", "content": text}
    visitor.post(f"{path}_edit/", *expect, data={**fields, "summary": "more", "save": "1", **more})


def drive(visitor: Visitor) -> None:
    """Sign up, log in, write, upload, compare, search, move, delete, administer."""
    visitor.get("/", 302)
    visitor.get("/missing-root/", 302, 200)
    login = "/_accounts/login/"
    root = {"username": "root", "password": PASSWORD}
    visitor.send_form(login, {**root, "password": "wrong-horse-8"}, 200, token=TOKEN)
    visitor.send_form(login, root, 302, token=TOKEN)
    first = {"title": "Home", "content": "# Home\n\n[[TOC]]\n\nWelcome to the *garden*."}
    visitor.send_form("/create-root/", first, 302, token=TOKEN)
    visitor.get("/")
    text = "# Lemons\n\nSour and **yellow**. See [Home](wiki:/).\n\n[article_list depth:2]\n"
    _create(visitor, "lemons", "Lemons", text)
    _create(visitor, "melons", "Melons", "# Melons\n\nSweet.\n")
    visitor.send_form("/_create/", {"title": "x", "slug": "lemons"}, 200, token=TOKEN)
    visitor.get("/lemons/")
    _edit(visitor, "/lemons/", f"{text}\n* juice\n* zest\n", 302)
    _edit(visitor, "/lemons/", f"{text}\n* juice\n* zest\n", 200, current_revision="1")
    visitor.get("/lemons/_history/")
    visitor.get("/_revision/diff/4/")
    visitor.get("/lemons/_source/")
    visitor.get("/lemons/_dir/")
    visitor.get("/_search/?q=sour")
    visitor.get("/_search/?q=nothing-of-it")
    attachments = "/lemons/_plugin/attachments/"
    page = visitor.get(attachments).text
    upload = {"file": ("harvest.csv", b"year,kg\n2025,12\n2026,15\n", "text/csv")}
    fields = {**hidden_fields(page), "description": "The harvest"}
    visitor.post(attachments, 302, data=fields, files=upload)
    refused = {"file": ("run.exe", b"MZ", "application/octet-stream")}
    visitor.post(attachments, 200, data=fields, files=refused)
    listed = visitor.get(attachments).text
    found = re.search(r'href="([^"]*/attachments/download/\d+/)"', listed)
    if found is None:
        raise RuntimeError("the attachment is not listed")
    visitor.get(found[1])
    images = "/lemons/_plugin/images/"
    visitor.get(f"{images}add/", 404)
    visitor.get(images)
    visitor.get("/lemons/_plugin/settings/", 404)
    visitor.get("/lemons/_settings/")
    shown = {"lemon": ("lemon.png", picture(b"\xff\xff\x00"), "image/png")}
    edit = visitor.get("/lemons/_edit/").text
    form = re.search(r"\?f=(form\d+)[^>]*multipart", edit)
    if form is None:
        raise RuntimeError("there is no form for pictures")
    article = {"unsaved_article_title": "Lemons", "unsaved_article_content": text}
    added = {**hidden_fields(edit), **article}
    visitor.post(f"/lemons/_edit/?f={form[1]}", 302, data=added, files={"image": shown["lemon"]})
    visitor.get(images)
    visitor.send_form("/melons/_move/", {"destination": "2", "slug": "fruit"}, 302, token=TOKEN)
    visitor.get("/lemons/fruit/")
    visitor.get("/melons/", 302, 404)
    visitor.send_form("/lemons/fruit/_delete/", {"confirm": "on"}, 302, token=TOKEN)
    visitor.get("/lemons/fruit/", 302)
    visitor.get("/_admin/")
    visitor.get("/_plugin/globalhistory/")
    visitor.get("/notifications/json/get/")
    visitor.get("/admin/wiki/article/")
    visitor.get("/_accounts/settings/")
    visitor.get("/_accounts/logout/", 302)
    person = {
        "username": "ann",
        "email": "ann@example.com",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    visitor.send_form("/_accounts/sign-up/", {**person, "password2": "other"}, 200, token=TOKEN)
    visitor.send_form("/_accounts/sign-up/", person, 302, token=TOKEN)
    visitor.send_form(login, {"username": "ann", "password": PASSWORD}, 302, token=TOKEN)
    visitor.get("/admin/", 302)
    visitor.get("/lemons/nowhere/", 302, 404)


APP = Application(
    name="django_wiki",
    framework="Django",
    uses=("PostgreSQL", "files"),
    packages=(
        "wiki==0.13.0",
        "Django==5.2.19",
        "psycopg2-binary==2.9.11",
        "Pillow==11.3.0",
        "sorl-thumbnail==12.11.0",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={
        "CORPUS_STATE": "{state}",
        "CORPUS_POSTGRESQL": "{postgresql}",
        "DJANGO_SECRET_KEY": "d3c1-of-the-wiki-and-of-nothing-else",
        "DJANGO_SETTINGS_MODULE": "settings",
        "DJANGO_SUPERUSER_USERNAME": "root",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "root@example.com",
    },
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
