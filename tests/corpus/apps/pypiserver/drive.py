"""pypiserver: a package index on files (Bottle)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.archive import release

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

ANN = ("ann", "secret")


def prepare(place: Place) -> None:
    """Write a user, and two packages."""
    packages = place.state / "packages"
    packages.mkdir()
    digest = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    (place.state / "htpasswd").write_text(f"ann:{{SHA}}{digest}\n")
    for version in ("1.0", "1.1"):
        name, content = release("lemon", version)
        (packages / name).write_bytes(content)


def drive(visitor: Visitor) -> None:
    """Browse, install, upload and remove, as pip and twine do."""

    def upload(name: str, version: str, *expect: int, **how: object) -> None:
        file, content = release(name, version)
        fields = {
            ":action": "file_upload",
            "name": name,
            "version": version,
            "sha256_digest": hashlib.sha256(content).hexdigest(),
        }
        visitor.post("/", *expect, data=fields, files={"content": (file, content)}, **how)

    visitor.get("/")
    visitor.get("/simple/")
    visitor.get("/simple/lemon/")
    visitor.get("/simple/Lemon/", 301, 302, 303)
    visitor.get("/simple/absent/", 404)
    visitor.get("/packages/")
    file = visitor.get("/packages/lemon-1.0.tar.gz")
    since = {"If-Modified-Since": file.headers["Last-Modified"]}
    visitor.get("/packages/lemon-1.0.tar.gz", 304, headers=since)
    visitor.get("/packages/lemon-1.0.tar.gz", 206, headers={"Range": "bytes=0-19"})
    visitor.ask("HEAD", "/packages/lemon-1.1.tar.gz")
    visitor.get("/packages/absent-1.0.tar.gz", 404)
    upload("melon", "0.1", 401)
    upload("melon", "0.1", 401, 403, auth=("ann", "wrong"))
    upload("melon", "0.1", auth=ANN)
    upload("melon", "0.1", 409, auth=ANN)
    upload("melon", "0.2", auth=ANN)
    visitor.post("/", 400, data={"name": "melon"}, auth=ANN)
    visitor.get("/simple/melon/")
    visitor.get("/packages/melon-0.2.tar.gz")
    visitor.get("/packages/")
    search = """<?xml version='1.0'?><methodCall><methodName>search</methodName><params><param>
    <value><struct><member><name>name</name><value><string>melon</string></value></member>
    </struct></value></param><param><value><string>or</string></value></param></params>
    </methodCall>"""
    visitor.post("/RPC2", content=search, headers={"Content-Type": "text/xml"})
    visitor.get("/melon/json")
    remove = {":action": "remove_pkg", "name": "melon", "version": "0.1"}
    visitor.post("/", data=remove, auth=ANN)
    visitor.post("/", 404, data=remove, auth=ANN)
    visitor.get("/simple/melon/")
    visitor.get("/health")
    visitor.get("/simple/melon/index", 404)


APP = Application(
    name="pypiserver",
    framework="Bottle",
    uses=("files",),
    packages=("pypiserver==2.4.2", "passlib==1.7.4", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
