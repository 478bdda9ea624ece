"""Lektor: its admin and its development server, which builds in the background (Flask, SQLite)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f0003860180"
    "5a347d6b0000000049454e44ae426082"
)


def prepare(place: Place) -> None:
    """Make a project by its quickstart, and build it once."""
    place.run(
        "lektor", "quickstart", "--name", "Fruit", "--path", "{state}/site", given="Ann\n\n\n"
    )
    place.run("lektor", "--project", "{state}/site", "build", "-O", "{state}/out")


def drive(visitor: Visitor) -> None:
    """Look at the site, edit pages in the admin, upload, search, delete, build."""
    visitor.get("/")
    visitor.get("/blog/")
    visitor.get("/static/style.css")
    visitor.get("/nowhere/", 404)
    visitor.get("/admin/", 200, 302)
    visitor.get("/admin/edit")
    api = "/admin/api"
    visitor.get(f"{api}/pathinfo?path=/blog")
    visitor.get(f"{api}/recordinfo?path=/")
    visitor.get(f"{api}/recordinfo?path=/blog")
    visitor.get(f"{api}/previewinfo?path=/about")
    visitor.get(f"{api}/previewinfo?path=/nothing")
    visitor.get(f"{api}/matchurl?url_path=/blog/first-post/")
    visitor.get(f"{api}/rawrecord?path=/about")
    visitor.get(f"{api}/newrecord?path=/blog")
    visitor.get(f"{api}/newattachment?path=/about")
    visitor.get(f"{api}/rawrecord", 400)
    visitor.put(f"{api}/rawrecord", json={"path": "/about", "data": {"title": "About fruit"}})
    visitor.get(f"{api}/rawrecord?path=/about")
    visitor.get("/about/")
    for name in ("plum", "pear"):
        post = {"title": name.title(), "body": f"A *{name}*.", "pub_date": "2026-11-01"}
        new = {"path": "/blog", "id": name, "model": "blog-post", "data": post}
        visitor.post(f"{api}/newrecord", json=new)
    visitor.post(f"{api}/newrecord", json={"path": "/blog", "id": "plum"})
    visitor.post(f"{api}/newrecord", json={"path": "/blog", "id": "no/way"})
    visitor.get("/blog/plum/")
    visitor.get("/blog/")
    files = {"file": ("dot.png", PNG, "image/png")}
    visitor.post(f"{api}/newattachment", data={"path": "/blog/plum"}, files=files)
    visitor.get(f"{api}/recordinfo?path=/blog/plum")
    visitor.get("/blog/plum/dot.png")
    visitor.post(f"{api}/find", data={"q": "plum"})
    visitor.get(f"{api}/servers")
    visitor.post(f"{api}/build")
    visitor.post(f"{api}/deleterecord", data={"path": "/blog/pear", "delete_master": "1"})
    visitor.get("/blog/pear/", 404)
    visitor.post(f"{api}/clean")
    visitor.get("/about/")
    visitor.get(f"{api}/ping")


APP = Application(
    name="lektor_site",
    framework="Flask",
    uses=("SQLite", "files", "threads"),
    packages=("lektor==3.3.14", "setuptools==80.9.0"),
    server=(
        *("lektor", "--project", "{state}/site", "server"),
        *("--port", "{port}", "-O", "{state}/out"),
    ),
    prepare=prepare,
    drive=drive,
)
