"""devpi: package indexes and mirrors of others (Pyramid, SQLite, files, asyncio on a thread)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.archive import release
from tests.corpus.package_origin import PackageIndex

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

JSON = {"Accept": "application/json"}


def prepare(place: Place) -> None:
    """Make the server's folder."""
    place.run("devpi-init", "--serverdir", "{state}/server", "--no-root-pypi")


def drive(visitor: Visitor) -> None:
    """A user, an index, uploads, downloads, a mirror; browsing and searching; deletion."""
    visitor.get("/", headers=JSON)
    visitor.get("/+api")
    visitor.get("/+status")
    visitor.put("/ann", 201, json={"password": "secret-of-ann", "email": "ann@example.com"})
    visitor.put("/ann", 409, json={"password": "other"})
    visitor.post("/+login", 401, json={"user": "ann", "password": "no"})
    said = visitor.post("/+login", json={"user": "ann", "password": "secret-of-ann"}).json()
    auth = ("ann", said["result"]["password"])
    visitor.put("/ann/dev", json={"bases": [], "volatile": True}, auth=auth)
    visitor.put("/ann/dev", 409, json={"bases": []})
    visitor.get("/ann/dev", headers=JSON)
    for version in ("1.0", "1.1"):
        name, content = release("lemon", version)
        fields = {":action": "file_upload", "name": "lemon", "version": version}
        about = {"metadata_version": "2.1", "filetype": "sdist", "summary": "Zesty"}
        sent = {"content": (name, content, "application/gzip")}
        visitor.post("/ann/dev/", data={**fields, **about}, files=sent, auth=auth)
    fields = {":action": "file_upload", "name": "lemon", "version": "1.1", "filetype": "sdist"}
    visitor.post("/ann/dev/", 400, 401, 403, data=fields)
    page = visitor.get("/ann/dev/+simple/").text
    assert "lemon" in page
    visitor.get("/ann/dev/+simple/lemon/")
    listed = {"Accept": "application/vnd.pypi.simple.v1+json"}
    files = visitor.get("/ann/dev/+simple/lemon/", headers=listed).json()["files"]
    visitor.get("/ann/dev/+simple/absent/", 404)
    visitor.get("/ann/dev/lemon", headers=JSON)
    visitor.get("/ann/dev/lemon/1.0", headers=JSON)
    path = "/ann/dev/" + files[0]["url"].split("#")[0].removeprefix("../../")
    visitor.get(path)
    visitor.ask("HEAD", path)
    mirror = {"type": "mirror", "mirror_url": f"{visitor.origin}/simple/", "volatile": True}
    visitor.put("/ann/mirror", json=mirror, auth=auth)
    visitor.get("/ann/mirror/+simple/")
    found = visitor.get("/ann/mirror/+simple/melon/", headers=listed).json()["files"]
    visitor.get("/ann/mirror/" + found[0]["url"].split("#")[0].removeprefix("../../"))
    visitor.get("/ann/mirror/+simple/absent/", 404)
    visitor.get("/ann/mirror/+simple/melon/")
    visitor.patch("/ann/dev", json=["bases=ann/mirror"], auth=auth)
    visitor.get("/ann/dev/+simple/melon/")
    visitor.get("/ann/dev/")
    visitor.get("/ann/dev/lemon/1.1")
    visitor.get("/+search?query=lemon")
    visitor.delete("/ann/dev/lemon/1.0", auth=auth)
    visitor.get("/ann/dev/lemon", headers=JSON)
    visitor.delete("/ann/dev", auth=auth)
    visitor.get("/nowhere/at/all", 404)


APP = Application(
    name="devpi_server",
    framework="Pyramid",
    uses=("SQLite", "HTTP", "files", "threads"),
    packages=("devpi-server==6.20.3", "devpi-web==5.1.1", "setuptools==80.9.0", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    origin=PackageIndex,
    prepare=prepare,
    drive=drive,
)
