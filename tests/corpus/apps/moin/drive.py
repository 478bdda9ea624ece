"""MoinMoin: a wiki with accounts, uploads, full-text search (Flask, files, Whoosh)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PASSWORD = "Correct-Horse-7"
WIKI = "itemtype=default&contenttype=text/x.moin.wiki;charset=utf-8&template="


def prepare(place: Place) -> None:
    """Make the wiki's folder, say in its configuration who may write, load the first page."""
    place.run("moin", "create-instance", "--path", ".")
    file = place.state / "wikiconfig.py"
    said = file.read_text().replace("registration_only_by_superuser = True", "#")
    file.write_text(said.replace("YOUR-SUPER-EDITOR", "All").replace("YOUR-SUPER-USER-NAME", "ann"))
    place.run("moin", "index-create")
    place.run("moin", "welcome")


def _save(visitor: Visitor, name: str, text: str, *expect: int, **more: str) -> None:
    fields = {
        "content_form_data_text": text,
        "comment": "",
        "meta_form_acl": "None",
        "meta_form_name": name,
        "meta_form_summary": "",
        "meta_form_tags": "",
    }
    empty = {"content_form_data_file": ("", b"", "application/octet-stream")}
    where = f"/+modify/{name}?{WIKI}"
    visitor.post(where, *expect, data={**fields, **more}, files=empty)


def drive(visitor: Visitor) -> None:
    """Read, register, log in, write pages, upload, search, compare, rename, delete."""
    visitor.get("/", 302)
    visitor.get("/Home")
    visitor.get("/robots.txt")
    visitor.get("/Nowhere", 404)
    visitor.get("/+register")
    person = {
        "register_username": "ann",
        "register_password1": PASSWORD,
        "register_password2": PASSWORD,
        "register_email": "ann@example.com",
    }
    visitor.post("/+register", 200, data={**person, "register_password2": "Another-Horse-8"})
    visitor.post("/+register", 302, data=person)
    visitor.post("/+register", 200, data=person)
    login = {"login_username": "ann", "login_nexturl": "/Home", "login_submit": "1"}
    visitor.post("/+login", 200, data={**login, "login_password": "wrong-password"})
    visitor.post("/+login", 302, data={**login, "login_password": PASSWORD})
    visitor.get("/Home")
    visitor.get(f"/+modify/Garden?{WIKI}")
    first = "= Garden =\nWe grow '''lemons''' and melons.\n\n * [[Lemon]]\n * [[Home]]\n"
    _save(visitor, "Garden", first, 302, meta_form_tags="fruit, green", comment="begun")
    visitor.get("/Garden")
    visitor.get(f"/+modify/Garden?{WIKI}")
    _save(visitor, "Garden", f"{first}\n|| lemon || 3 ||\n", 302, comment="a table")
    _save(visitor, "Lemon", "Sour. See [[Garden]].\n", 302, meta_form_summary="A fruit")
    _save(visitor, "Lemon", "Sour, yellow.", 200, preview="Preview")
    visitor.get("/Garden")
    visitor.get("/+highlight/Garden")
    visitor.get("/+meta/Garden")
    visitor.get("/+content/Garden")
    visitor.get("/+download/Garden")
    visitor.get("/+convert/Garden")
    history = visitor.get("/+history/Garden").text
    revisions = list(dict.fromkeys(re.findall(r"/\+show/\+([0-9a-f]{32})/Garden", history)))
    visitor.get(f"/+show/+{revisions[-1]}/Garden")
    visitor.get(f"/+diff/Garden?rev1={revisions[-1]}&rev2={revisions[0]}")
    visitor.get("/+history")
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 12
    upload = {"file_storage": ("leaf.png", picture, "image/png")}
    visitor.post("/+jfu-server", 200, files=upload)
    visitor.get("/+index/")
    visitor.get("/leaf.png")
    got = visitor.get("/+get/leaf.png")
    visitor.get("/+get/leaf.png", 200, 304, headers={"If-None-Match": got.headers.get("ETag", "")})
    visitor.get("/+search?q=lemon")
    visitor.get("/+search?q=contenttype:image&history=true")
    visitor.get("/+search?q=zzzz")
    visitor.get("/+backrefs/Garden")
    visitor.get("/+tags")
    visitor.get("/+sitemap/Garden")
    visitor.get("/+wanteds")
    visitor.get("/+subscribe/Garden", 302)
    visitor.get("/+usersettings")
    visitor.post("/+rename/Lemon", 302, data={"target": "Citrus", "comment": "broader"})
    visitor.get("/Citrus")
    visitor.post("/+revert/+" + revisions[-1] + "/Garden", 302, data={"revert_item_comment": "no"})
    visitor.post("/+delete/Citrus", 302, data={"delete_item_comment": "gone"})
    visitor.get("/Citrus", 404)
    visitor.get("/+feed/atom")
    visitor.get("/+logout", 302)
    visitor.get("/+usersettings", 302)
    visitor.get("/+modify/Home?itemtype=nonsense", 400, 404, 200)


APP = Application(
    name="moin",
    framework="Flask",
    uses=("files",),
    packages=(
        "moin==2.0.0b5",
        "Flask==3.1.3",
        "Werkzeug==3.1.9",
        "SQLAlchemy==2.1.9",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "4", "app:application"),
    environment={"MOIN_CONFIG": "{state}/wikiconfig.py"},
    prepare=prepare,
    drive=drive,
)
