"""Calibre-Web: a library of books in the browser and for readers (Flask, SQLAlchemy on SQLite)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

TOKEN = "csrf_token"


def prepare(place: Place) -> None:
    """Make a library."""
    place.run("python", "{here}/library.py")


def drive(visitor: Visitor) -> None:
    """Log in, browse, search, make a shelf, edit a book, read, use the feeds."""
    visitor.get("/", 302)
    wrong = {"username": "admin", "password": "wrong"}
    visitor.send_form("/login", wrong, 401, token=TOKEN)
    right = {"username": "admin", "password": "admin123", "remember_me": "on"}
    visitor.send_form("/login", right, 302, token=TOKEN)
    page = visitor.get("/").text
    token = {TOKEN: hidden_fields(page).get(TOKEN, "")}
    visitor.get("/author")
    visitor.get("/category")
    visitor.get("/formats")
    visitor.get("/author/stored/1")
    visitor.get("/book/1")
    visitor.get("/book/99", 302, 404)
    visitor.get("/search?query=Ulysses")
    visitor.get("/search/stored?query=Ulysses")
    visitor.get("/search/stored?query=absent")
    visitor.get("/ajax/listbooks?offset=0&limit=10&sort=title&order=asc")
    visitor.get("/table?data=list&sort_param=stored")
    visitor.get("/get_authors_json?q=Aus")
    shelf = {"title": "To read"}
    visitor.send_form("/shelf/create", shelf, 302, token=TOKEN)
    visitor.post("/shelf/add/1/2", 204, 302, data=token)
    visitor.get("/shelf/1")
    visitor.post("/ajax/toggleread/2", data=token)
    visitor.get("/read/stored")
    edit = visitor.get("/admin/book/3").text
    changed = {
        **hidden_fields(edit),
        "title": "Walden; or, Life in the Woods",
        "authors": "Thoreau",
        "tags": "Essay",
        "comments": "<p>Two years by a pond.</p>",
        "rating": "4",
        "pubdate": "1854-08-09",
        "detail_view": "on",
    }
    visitor.post("/admin/book/3", 200, 302, data=changed)
    visitor.get("/book/3")
    visitor.get("/read/1/txt")
    visitor.get("/show/1/txt")
    visitor.get("/download/1/txt/Emma.txt")
    visitor.get("/cover/1", 200, 404)
    upload = {"btn-upload": ("notes.txt", b"Some notes.\n" * 20, "text/plain")}
    visitor.post("/upload", 200, 302, data=token, files=upload)
    visitor.get("/?page=1")
    reader = {"Authorization": "Basic YWRtaW46YWRtaW4xMjM="}
    visitor.get("/opds", headers=reader)
    visitor.get("/opds/new", headers=reader)
    visitor.get("/opds/author/letter/A", headers=reader)
    visitor.get("/opds/search?query=Emma", headers=reader)
    visitor.get("/me")
    visitor.get("/admin/view")
    visitor.get("/stats")
    visitor.get("/ajax/emailstat")
    added = {
        "name": "grace",
        "email": "grace@example.com",
        "password": "Correct-horse-9",
        "default_language": "all",
        "locale": "en",
        "kindle_mail": "",
    }
    visitor.send_form("/admin/user/new", added, 200, 302, token=TOKEN)
    visitor.get("/nowhere", 404)
    visitor.get("/logout", 302)


APP = Application(
    name="calibreweb",
    framework="Flask",
    uses=("SQLite", "files", "threads"),
    packages=(
        "calibreweb==0.6.27",
        "Flask==3.1.3",
        "SQLAlchemy==2.0.58",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}", "CACHE_DIRECTORY": "{state}/cache"},
    prepare=prepare,
    drive=drive,
)
