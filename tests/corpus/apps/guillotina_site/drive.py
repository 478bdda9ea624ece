"""Guillotina: a tree of resources with users, files and a catalog (asyncpg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Make a site, folders, items and users; search, upload, move, share, and take away."""
    root = ("root", "Walnut-Tree-19")
    site = "/db/site"
    visitor.get("/")
    visitor.get("/db", 401)
    visitor.get("/db", auth=root)
    visitor.get("/db", 401, auth=("root", "wrong"))
    made = {"@type": "Container", "id": "site", "title": "A site"}
    visitor.post("/db", 200, auth=root, json=made)
    visitor.post("/db", 409, auth=root, json=made)
    visitor.post(f"{site}/@addons", auth=root, json={"id": "dbusers"})
    visitor.post(site, auth=root, json={"@type": "Folder", "id": "trees", "title": "Bäume"})
    for name in ("apple", "pear", "plum"):
        item = {"@type": "Item", "id": name, "title": f"The {name}"}
        visitor.post(f"{site}/trees", auth=root, json=item)
    visitor.post(f"{site}/trees", auth=root, json={"@type": "Item", "title": "without a name"})
    visitor.post(f"{site}/trees", 412, 400, auth=root, json={"@type": "Nothing", "id": "x"})
    visitor.get(f"{site}/trees", auth=root)
    visitor.get(f"{site}/trees/apple?include=title", auth=root)
    visitor.get(f"{site}/trees/fig", 404, auth=root)
    behavior = {"behavior": "guillotina.behaviors.attachment.IAttachment"}
    visitor.patch(f"{site}/trees/apple/@behaviors", auth=root, json=behavior)
    changed = {"title": "An apple", "guillotina.behaviors.dublincore.IDublinCore": {"tags": ["a"]}}
    visitor.patch(f"{site}/trees/apple", 204, auth=root, json=changed)
    visitor.patch(f"{site}/trees/apple", 204, 412, auth=root, json={"title": 7})
    content = bytes(range(256)) * 60
    named = {"X-UPLOAD-FILENAME": "apple.png", "Content-Type": "image/png"}
    visitor.patch(f"{site}/trees/apple/@upload/file", auth=root, content=content, headers=named)
    visitor.get(f"{site}/trees/apple/@download/file", auth=root)
    visitor.get(
        f"{site}/trees/apple/@download/file", 206, auth=root, headers={"Range": "bytes=5-9"}
    )
    visitor.get(f"{site}/trees/pear/@download/file", 404, 401, auth=root)
    user = {
        "@type": "User",
        "username": "ann",
        "email": "ann@orchard.example",
        "password": "Lemon-Tree-17",
        "name": "Ann",
    }
    visitor.post(f"{site}/users", auth=root, json=user)
    login = {"username": "ann", "password": "wrong"}
    visitor.post(f"{site}/@login", 401, 400, json=login)
    login = {"username": "ann", "password": "Lemon-Tree-17"}
    token = visitor.post(f"{site}/@login", json=login).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    visitor.get(f"{site}/trees", 401, 404, headers=bearer)
    share = {"prinrole": [{"principal": "ann", "role": "guillotina.Editor", "setting": "Allow"}]}
    visitor.post(f"{site}/trees/@sharing", auth=root, json=share)
    visitor.get(f"{site}/trees/@sharing", auth=root)
    visitor.get(f"{site}/trees/pear", headers=bearer)
    visitor.patch(f"{site}/trees/pear", 204, headers=bearer, json={"title": "A pear"})
    visitor.get(f"{site}/@search?type_name=Item&_size=2", auth=root)
    visitor.get(f"{site}/@search?title__in=pear", auth=root)
    visitor.get(f"{site}/@search?id=plum&_metadata=title,id", 401, headers=bearer)
    visitor.post(f"{site}/trees/plum/@move", auth=root, json={"new_id": "damson"})
    visitor.post(f"{site}/trees/damson/@duplicate", auth=root, json={"new_id": "mirabelle"})
    visitor.get(f"{site}/trees/@ids", auth=root)
    visitor.get(f"{site}/trees/@items?page_size=2", auth=root)
    visitor.get(f"{site}/@types", auth=root)
    visitor.get(f"{site}/@user", 401, headers=bearer)
    visitor.delete(f"{site}/trees/pear", auth=root)
    visitor.get(f"{site}/trees/pear", 404, auth=root)
    visitor.ask("OPTIONS", f"{site}/trees", 404, auth=root)
    visitor.delete("/db/site", auth=root)
    visitor.get(f"{site}/trees", 404, auth=root)


def _prepare(place: Place) -> None:
    text = (place.here / "config.yaml").read_text()
    text = text.replace("HOST/DATABASE", place.fill("{postgresql}"))
    (place.state / "config.yaml").write_text(text)


APP = Application(
    name="guillotina_site",
    framework="ASGI",
    uses=("PostgreSQL", "tasks"),
    packages=("guillotina==7.1.5", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "guillotina.entrypoint:app"),
    environment={"G_CONFIG_FILE": "{state}/config.yaml"},
    needs=frozenset({"postgresql"}),
    prepare=_prepare,
    drive=drive,
)
