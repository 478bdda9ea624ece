"""Roundup: an issue tracker with mail, roles, a REST interface and XML-RPC (WSGI)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SET = {
    "#web = NO DEFAULT": "web = http://127.0.0.1:{port}/",
    "#domain = NO DEFAULT": "domain = example.com",
    "#host = NO DEFAULT": "host = localhost",
    "debug = \n": "debug = {state}/mails\n",
}


def prepare(place: Place) -> None:
    """Install the classic tracker, with mails into a file."""
    admin = ("roundup-admin", "-i", "{state}/tracker")
    place.run(*admin, "install", "classic", "sqlite")
    path = place.state / "tracker" / "config.ini"
    text = path.read_text()
    for before, after in SET.items():
        text = text.replace(f"\n{before}", f"\n{place.fill(after)}")
    path.write_text(text)
    place.run(*admin, "initialise", "secret-of-admin")


def drive(visitor: Visitor) -> None:
    """Register, file issues with attachments, search, edit, use the REST interface."""
    visitor.get("/")
    visitor.get("/issue?@template=index")
    visitor.get("/issue1", 404)
    visitor.get("/nonsense", 404)
    wrong = {"@action": "Login", "__login_name": "admin", "__login_password": "wrong"}
    visitor.post("/", 200, 302, 403, data={**wrong, "@csrf": _token(visitor)})
    right = {**wrong, "__login_password": "secret-of-admin"}
    visitor.post("/", 200, 302, data={**right, "@csrf": _token(visitor)})
    visitor.get("/")
    page = visitor.get("/user?@template=item").text
    grace = {
        "@action": "new",
        "@csrf": _csrf(page),
        "username": "grace",
        "realname": "Grace",
        "address": "grace@example.com",
        "password": "Correct-horse-9",
        "@confirm@password": "Correct-horse-9",
        "roles": "User",
    }
    visitor.post("/user", 302, data=grace)
    page = visitor.get("/issue?@template=item").text
    issue = {
        "@action": "new",
        "@csrf": _csrf(page),
        "title": "Apples are sour",
        "priority": "2",
        "status": "1",
        "superseder": "",
        "nosy": "admin,grace",
        "@note": "Bought on Monday, sour on Tuesday. Mail bob@example.com.",
        "@link@messages": "msg-1",
        "@link@files": "file-1",
        "msg-1@content": "Bought on Monday, sour on Tuesday. Mail bob@example.com.",
    }
    photo = {"file-1@content": ("apple.png", b"\x89PNG\r\n\x1a\n" + bytes(256), "image/png")}
    where = visitor.post("/issue", 302, data=issue, files=photo).headers["location"]
    visitor.get("/issue1")
    visitor.get("/msg1")
    visitor.get("/file1/apple.png")
    page = visitor.get("/issue1").text
    edited = {
        "@action": "edit",
        "@csrf": _csrf(page),
        "title": "Apples are very sour",
        "status": "3",
        "@lastactivity": hidden_fields(page)["@lastactivity"],
    }
    visitor.post("/issue1", 302, data=edited)
    visitor.post("/issue1", 200, 302, 400, data=edited)
    visitor.get("/issue?@search_text=sour&@columns=id,title,status&@sort=-activity")
    visitor.get("/issue?@action=export_csv&@columns=id,title&@filter=&@sort=id")
    visitor.get("/issue?@template=search")
    visitor.get("/user")
    visitor.get("/user2")
    visitor.get("/keyword?@template=item")
    visitor.get("/home?@template=classlist")
    visitor.get("/@@file/style.css")
    reader = {"Authorization": "Basic Z3JhY2U6Q29ycmVjdC1ob3JzZS05", "X-Requested-With": "rest"}
    reader["Origin"] = visitor.base
    visitor.get("/rest/data/issue", headers=reader)
    visitor.get("/rest/data/issue/1", headers=reader)
    visitor.get("/rest/data/issue/99", 404, headers=reader)
    visitor.get("/rest/data/issue?status=absent", 200, 400, headers=reader)
    made = {"title": "Pears are hard", "priority": "3"}
    visitor.post("/rest/data/issue", 201, headers=reader, data=made)
    tag = visitor.get("/rest/data/issue/2/title", headers=reader).headers["etag"]
    visitor.put(
        "/rest/data/issue/2/title",
        headers={**reader, "If-Match": tag},
        data={"data": "Pears are as hard as stones"},
    )
    visitor.delete("/rest/data/issue/2", 200, 403, headers=reader)
    visitor.get(f"/{where.rsplit('/', 1)[-1].split('?')[0]}")
    visitor.get("/?@action=logout", 200, 302)


def _token(visitor: Visitor) -> str:
    return _csrf(visitor.get("/").text)


def _csrf(page: str) -> str:
    """Return the token against forgery of a page."""
    return hidden_fields(page).get("@csrf", "")


APP = Application(
    name="roundup",
    framework="WSGI",
    uses=("SQLite", "files"),
    packages=("roundup==2.6.0", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
