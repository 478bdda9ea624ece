"""simple-repository-server: a package index on folders and other indexes (FastAPI, httpx)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.archive import release
from tests.corpus.package_origin import PackageIndex

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Put a package into the local folder."""
    for version in ("2.0", "2.1"):
        name, content = release("herb", version)
        folder = place.state / "local" / "herb"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def drive(visitor: Visitor) -> None:
    """Ask as pip does, and as a browser does."""
    as_json = {"Accept": "application/vnd.pypi.simple.v1+json"}
    visitor.get("/simple/")
    listed = visitor.get("/simple/", headers=as_json)
    visitor.get("/simple/", headers=as_json)
    visitor.get("/simple/", 200, 304, headers={"If-None-Match": listed.headers.get("ETag", "x")})
    visitor.get("/simple/herb/")
    visitor.get("/simple/herb/", headers=as_json)
    page = visitor.get("/simple/lemon/", headers=as_json)
    visitor.get("/simple/lemon/")
    visitor.get("/simple/lemon/?format=application/vnd.pypi.simple.v1%2Bjson")
    tag = page.headers.get("ETag", "x")
    visitor.get("/simple/lemon/", 200, 304, headers={**as_json, "If-None-Match": tag})
    visitor.get("/simple/Lemon/", 301, 302, 307, 308)
    visitor.get("/simple/lemon", 301, 302, 307, 308)
    visitor.get("/simple/absent/", 404)
    visitor.get("/simple/absent/", 404, headers=as_json)
    visitor.get("/simple/lemon/", 406, headers={"Accept": "image/png"})
    visitor.get("/resources/lemon/lemon-1.0.tar.gz")
    visitor.get("/resources/lemon/lemon-1.1.tar.gz")
    visitor.ask("HEAD", "/resources/lemon/lemon-1.1.tar.gz", 200, 405)
    visitor.get("/resources/lemon/lemon-9.9.tar.gz", 404)
    visitor.get("/resources/herb/herb-2.0.tar.gz")
    visitor.get("/resources/herb/herb-2.1.tar.gz", 200, 206, headers={"Range": "bytes=0-9"})
    visitor.get("/resources/zest/zest-3.0.tar.gz")
    visitor.get("/simple/zest/", headers=as_json)
    visitor.get("/nowhere", 404)
    visitor.post("/simple/", 405)


APP = Application(
    name="simple_repository",
    framework="FastAPI",
    uses=("HTTP", "files"),
    packages=("simple-repository-server==0.10.0", "uvicorn==0.35.0"),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_STATE": "{state}", "CORPUS_ORIGIN": "{origin}"},
    origin=PackageIndex,
    prepare=prepare,
    drive=drive,
)
