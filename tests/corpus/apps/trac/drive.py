"""Trac: a project's tickets and wiki (its own framework on WSGI, SQLite, attachments as files)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

GRANTED = (
    "TICKET_CREATE TICKET_MODIFY TICKET_APPEND WIKI_CREATE WIKI_MODIFY REPORT_SQL_VIEW".split()
)


def prepare(place: Place) -> None:
    """Make the project, and let everybody write."""
    project = str(place.state / "project")
    place.run("trac-admin", project, "initenv", "Corpus", "sqlite:db/trac.db")
    place.run("trac-admin", project, "permission", "add", "anonymous", *GRANTED)
    place.run("trac-admin", project, "component", "add", "engine", "ann")


def drive(visitor: Visitor) -> None:
    """Read and write the wiki, file tickets, attach a file, search, query, look at the timeline."""

    def form(page: str, fields: dict[str, Any], *expect: int, to: str = "", **how: Any) -> Any:
        hidden = hidden_fields(visitor.get(page).text)
        return visitor.post(to or page, *expect, data={**hidden, **fields}, **how)

    visitor.get("/")
    visitor.get("/wiki/WikiFormatting")
    visitor.get("/wiki/TitleIndex")
    visitor.get("/wiki/Notes", 200, 404)
    text = (
        "= Notes =\n\n * one\n * '''two'''\n\n{{{#!python\nprint(1)\n}}}\nSee #1, [wiki:WikiStart]."
    )
    page = {"action": "edit", "author": "ann", "comment": "new", "text": text}
    form("/wiki/Notes?action=edit", {**page, "preview": "Preview"}, 200, to="/wiki/Notes")
    form("/wiki/Notes?action=edit", {**page, "save": "Submit"}, 303, 302, to="/wiki/Notes")
    visitor.get("/wiki/Notes")
    page = {**page, "text": f"{text}\n\nAnd more.", "comment": "more"}
    form("/wiki/Notes?action=edit", {**page, "save": "Submit"}, 303, 302, to="/wiki/Notes")
    visitor.get("/wiki/Notes?action=history")
    visitor.get("/wiki/Notes?action=diff&version=2")
    visitor.get("/wiki/Notes?version=1&format=txt")
    ticket = {
        "field_summary": "It breaks",
        "field_description": "When I press ''this''.",
        "field_type": "defect",
        "field_priority": "major",
        "field_component": "engine",
        "field_reporter": "bob@example.com",
        "field_owner": "< default >",
        "field_keywords": "press",
    }
    form("/newticket", {**ticket, "field_summary": "", "submit": "Create"}, 200)
    form("/newticket", {**ticket, "preview": "Preview"}, 200)
    form("/newticket", {**ticket, "submit": "Create"}, 303, 302)
    second = {**ticket, "field_summary": "It is slow", "field_type": "enhancement"}
    form("/newticket", {**second, "submit": "Create"}, 303, 302)
    visitor.get("/ticket/1")
    visitor.get("/ticket/999", 404)
    change = {"comment": "Seen it, too.", "action": "resolve", "author": "eve"}
    change["action_resolve_resolve_resolution"] = "fixed"
    form("/ticket/1", {**change, "submit": "Submit changes"}, 303, 302, to="/ticket/1")
    visitor.get("/ticket/1?format=csv")
    visitor.get("/ticket/1?format=rss")
    form(
        "/attachment/ticket/2/?action=new",
        {"action": "new", "realm": "ticket", "id": "2", "description": "log", "author": "eve"},
        303,
        302,
        403,
        to="/attachment/ticket/2/",
        files={"attachment": ("log.txt", b"a line\n" * 40, "text/plain")},
    )
    visitor.get("/attachment/ticket/2/log.txt", 200, 404)
    visitor.get("/raw-attachment/ticket/2/log.txt", 200, 404)
    visitor.get("/query?status=!closed&order=priority")
    visitor.get("/query?summary=~slow&format=csv&col=id&col=summary&col=time")
    visitor.get("/report")
    visitor.get("/report/1")
    visitor.get("/report/1?format=rss")
    visitor.get("/search?q=press&noquickjump=1&ticket=on&wiki=on")
    visitor.get("/search?q=%231", 302, 303)
    visitor.get("/timeline?daysback=30&ticket=on&wiki=on")
    visitor.get("/timeline?format=rss&max=50&daysback=90&wiki=on")
    visitor.get("/roadmap")
    visitor.get("/milestone/milestone1")
    visitor.get("/about")
    form("/prefs", {"action": "save", "name": "Eve", "email": "eve@example.com"}, 303, 302, 200)
    visitor.get("/prefs")
    css = visitor.get("/chrome/common/css/trac.css")
    seen = {"If-Modified-Since": css.headers["Last-Modified"]}
    visitor.get("/chrome/common/css/trac.css", 304, 200, headers=seen)
    visitor.get("/admin", 403, 404)
    visitor.post("/wiki/Notes", 400, data={"action": "edit"})
    visitor.get("/nowhere", 404)


APP = Application(
    name="trac",
    framework="WSGI",
    uses=("SQLite", "files"),
    packages=(
        "Trac==1.6",
        "setuptools==80.9.0",
        "babel==2.19.0",
        "Pygments==2.21.0",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
