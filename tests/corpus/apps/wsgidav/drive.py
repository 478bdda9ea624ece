"""WsgiDAV: a folder shared by WebDAV (WSGI of its own)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

ANN = ("ann", "secret")
PATCH = """<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:X="urn:x"><D:set><D:prop>
<X:colour>blue</X:colour></D:prop></D:set></D:propertyupdate>"""
FIND = """<?xml version="1.0"?><D:propfind xmlns:D="DAV:" xmlns:X="urn:x"><D:prop><X:colour/>
<D:getcontentlength/></D:prop></D:propfind>"""
LOCK = """<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>
<D:locktype><D:write/></D:locktype><D:owner><D:href>ann</D:href></D:owner></D:lockinfo>"""


def prepare(place: Place) -> None:
    """Put some files into the share."""
    share = place.state / "share"
    (share / "letters").mkdir(parents=True)
    (share / "readme.txt").write_text("Read me.\n" * 100)
    (share / "letters" / "first.txt").write_text("Dear Zoë\n")


def drive(visitor: Visitor) -> None:
    """Browse, upload, copy, move, lock, delete."""
    visitor.ask("OPTIONS", "/", auth=ANN)
    visitor.get("/", 401)
    visitor.get("/", auth=ANN)
    visitor.ask("PROPFIND", "/", auth=ANN, headers={"Depth": "1"})
    visitor.ask("PROPFIND", "/", auth=ANN, headers={"Depth": "infinity"})
    file = visitor.get("/readme.txt", auth=ANN)
    visitor.ask("HEAD", "/readme.txt", auth=ANN)
    tag = {"If-None-Match": file.headers["ETag"]}
    visitor.get("/readme.txt", 304, auth=ANN, headers=tag)
    visitor.get("/readme.txt", 206, auth=ANN, headers={"Range": "bytes=5-14"})
    visitor.get("/absent.txt", 404, auth=ANN)
    visitor.put("/new.txt", 201, content=b"new\n", auth=ANN)
    visitor.put("/new.txt", 204, content=b"newer, and longer\n", auth=ANN)
    visitor.put("/no/such/folder.txt", 409, content=b"x", auth=ANN)
    visitor.get("/new.txt", auth=ANN)
    visitor.ask("MKCOL", "/drafts", auth=ANN)
    visitor.ask("MKCOL", "/drafts", 405, auth=ANN)
    there = {"Destination": f"{visitor.base}/drafts/copy.txt"}
    visitor.ask("COPY", "/new.txt", auth=ANN, headers=there)
    visitor.ask("COPY", "/new.txt", 412, auth=ANN, headers={**there, "Overwrite": "F"})
    away = {"Destination": f"{visitor.base}/drafts/moved.txt"}
    visitor.ask("MOVE", "/new.txt", auth=ANN, headers=away)
    visitor.ask("PROPPATCH", "/drafts/moved.txt", content=PATCH, auth=ANN)
    visitor.ask("PROPFIND", "/drafts/moved.txt", content=FIND, auth=ANN, headers={"Depth": "0"})
    locked = visitor.ask("LOCK", "/drafts/moved.txt", content=LOCK, auth=ANN)
    found = re.search(r"opaquelocktoken:[^<]+", locked.text)
    token = found[0] if found else ""
    visitor.put("/drafts/moved.txt", 423, content=b"stolen", auth=ANN)
    held = {"If": f"(<{token}>)"}
    visitor.put("/drafts/moved.txt", 204, content=b"mine", auth=ANN, headers=held)
    unlock = {"Lock-Token": f"<{token}>"}
    visitor.ask("UNLOCK", "/drafts/moved.txt", auth=ANN, headers=unlock)
    visitor.put("/big.bin", 201, content=bytes(range(256)) * 800, auth=ANN)
    visitor.get("/big.bin", auth=ANN)
    visitor.get("/letters/", auth=ANN)
    visitor.delete("/drafts", auth=ANN)
    visitor.delete("/drafts", 404, auth=ANN)


APP = Application(
    name="wsgidav",
    framework="WSGI",
    uses=("files",),
    packages=("wsgidav==4.4.0", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
