"""Zope: objects that live in a database of objects, managed in the browser (WSGI, waitress)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

ADMIN = ("admin", "A-good-password-7")


def prepare(place: Place) -> None:
    """Make an instance, as the manual says."""
    place.run("mkwsgiinstance", "-d", "{state}/instance", "-u", ":".join(ADMIN))
    settings = place.state / "instance" / "etc" / "zope.ini"
    text = settings.read_text()
    settings.write_text(
        text.replace("port = 8080", place.fill("port = {port}")).replace(
            "listen = localhost:8080", place.fill("listen = 127.0.0.1:{port}")
        )
    )


def drive(visitor: Visitor) -> None:
    """Look around, add objects of all kinds, call them, change, search, undo and delete them."""

    def get(path: str, *expect: int) -> Any:
        return visitor.get(path, *expect, auth=ADMIN)

    def post(path: str, *expect: int, **data: Any) -> Any:
        return visitor.post(path, *(expect or (200, 204, 302)), auth=ADMIN, data=data)

    visitor.get("/")
    visitor.get("/manage_main", 401)
    visitor.get("/manage_main", 401, auth=("admin", "wrong"))
    get("/manage_main")
    get("/manage_menu")
    get("/manage_zmi_logout", 401, 200)
    post("/manage_addProduct/OFSP/manage_addFolder", id="shop", title="Shop")
    add = "/shop/manage_addProduct/OFSP"
    post(f"{add}/manage_addDTMLMethod", id="hello", title="Hello")
    post(f"{add}/manage_addDTMLDocument", id="about", title="About")
    upload = {"file": ("fruit.txt", b"lemons\nplums\n" * 50, "text/plain")}
    visitor.post(
        f"{add}/manage_addFile", 200, 302, auth=ADMIN, data={"id": "fruit.txt"}, files=upload
    )
    visitor.get("/shop/fruit.txt")
    visitor.get("/shop/fruit.txt", headers={"Range": "bytes=0-9"})
    visitor.get("/shop/hello")
    post("/shop/hello/manage_edit", data="<dtml-var title_or_id> <dtml-var expr='1+2'>", title="Hi")
    visitor.get("/shop/hello")
    pages = "/shop/manage_addProduct/PageTemplates/manage_addPageTemplate"
    post(pages, id="list", text="", title="List")
    template = '<ul><li tal:repeat="x here/objectIds" tal:content="x">x</li></ul>'
    post(
        "/shop/list/pt_editAction", text=template, content_type="text/html", title="List", expand=0
    )
    visitor.get("/shop/list")
    visitor.get("/shop/absent", 404)
    post("/manage_addUserFolder", 200, 302, 400)
    user = {"name": "grace", "password": "Another-one-8", "confirm": "Another-one-8"}
    post("/shop/manage_addUserFolder", 200, 302, 400)
    post("/shop/acl_users/manage_users", submit="Add", **user)
    visitor.get("/shop/manage_main", 200, 401, 403, auth=("grace", "Another-one-8"))
    post("/shop/manage_renameObjects", **{"ids:list": "about", "new_ids:list": "story"})
    post("/shop/manage_addProperty", id="town", value="Oslo", type="string")
    get("/shop/manage_propertiesForm")
    get("/shop/manage_access")
    get("/Control_Panel/manage_main")
    get("/Control_Panel/Database/manage_main", 200, 302)
    get("/manage_UndoForm", 200, 404)
    visitor.ask("PROPFIND", "/shop", 207, 401, auth=ADMIN, headers={"Depth": "1"})
    post("/shop/manage_delObjects", **{"ids:list": "story"})
    get("/shop/manage_main")


APP = Application(
    name="zope",
    framework="WSGI",
    uses=("files", "threads"),
    packages=("Zope[wsgi]==6.3",),
    server=("runwsgi", "{state}/instance/etc/zope.ini"),
    prepare=prepare,
    drive=drive,
)
