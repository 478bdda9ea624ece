"""Tryton's server: books of a company over JSON-RPC (Werkzeug), on SQLite."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Make the database, with the modules of parties and companies."""
    (place.state / "trytond.conf").write_text(
        place.fill(
            "[web]\nlisten = 127.0.0.1:{port}\n[database]\nuri = sqlite://\npath = {state}\n"
        )
    )
    (place.state / "password").write_text("A-good-password-7")
    (place.state / "tryton.sqlite").touch()
    place.run(
        "trytond-admin", "-c", "{state}/trytond.conf", "-d", "tryton", "--all",
        "--email", "ann@example.com", "-u", "party", "--activate-dependencies",
    )  # fmt: skip


class Client:
    """Speaks JSON-RPC as Tryton's own client does."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._number = 0
        self.headers: dict[str, str] = {"Content-Type": "application/json"}

    def call(self, method: str, *params: Any, expect: tuple[int, ...] = (200,)) -> Any:
        self._number += 1
        said = {"id": self._number, "method": method, "params": params}
        answer = self._visitor.post("/tryton/rpc/", *expect, headers=self.headers, json=said)
        return answer.json().get("result") if answer.status_code == 200 else None

    def log_in(self, password: str, expect: tuple[int, ...] = (200,)) -> None:
        session = self.call("common.db.login", "admin", {"password": password}, "en", expect=expect)
        if session:
            text = base64.b64encode(f"admin:{session[0]}:{session[1]}".encode()).decode()
            self.headers["Authorization"] = f"Session {text}"


def drive(visitor: Visitor) -> None:
    """Log in, read menus and views, make parties, search, change, delete; right and wrong."""
    client = Client(visitor)
    visitor.get("/", 200, 404, 405)
    client.call("common.server.version", expect=(200, 401))
    visitor.post(
        "/rpc/",
        200,
        400,
        headers=client.headers,
        json={"id": 1, "method": "common.server.version", "params": []},
    )
    visitor.post(
        "/rpc/",
        200,
        400,
        headers=client.headers,
        json={"id": 2, "method": "common.db.list", "params": []},
    )
    client.call("model.res.user.get_preferences", True, {}, expect=(401,))
    client.log_in("wrong", expect=(401,))
    client.log_in("A-good-password-7")
    context: dict[str, Any] = client.call("model.res.user.get_preferences", True, {}) or {}
    context.pop("groups", None)
    client.call("model.res.user.get_preferences", False, context)
    client.call("model.ir.module.search_read", [], 0, 20, None, ["name", "state"], context)
    client.call("model.ir.ui.menu.search", [("parent", "=", None)], 0, 100, None, context)
    client.call("model.ir.ui.menu.read", [1, 2, 3], ["name", "icon", "childs"], context)
    client.call("model.ir.model.access.get_access", ["party.party", "res.user"], context)
    client.call("model.party.party.fields_view_get", None, "tree", context)
    client.call("model.party.party.fields_view_get", None, "form", context)
    client.call("model.party.party.default_get", ["active", "lang"], context)
    made = client.call(
        "model.party.party.create",
        [
            {
                "name": "Ann Lemon",
                "addresses": [["create", [{"city": "Oslo", "street": "Kirkegata 1"}]]],
            },
            {"name": "Bo Plum"},
        ],
        context,
    )
    number = made[0] if made else 1
    client.call(
        "model.party.party.read", [number], ["name", "code", "addresses", "rec_name"], context
    )
    client.call(
        "model.party.party.search",
        [("name", "ilike", "%lemon%")],
        0,
        10,
        [["name", "ASC"]],
        context,
    )
    client.call("model.party.party.search_count", [], context)
    client.call(
        "model.party.contact_mechanism.create",
        [{"party": number, "type": "email", "value": "ann@example.com"}],
        context,
    )
    client.call("model.party.party.write", [number], {"name": "Ann Lemon-Lime"}, context)
    client.call(
        "model.party.party.read", [number], ["name", "write_date", "create_uid.rec_name"], context
    )
    client.call("model.party.party.copy", [number], {}, context)
    client.call("model.party.party.create", [{"name": "x", "code": "1"}], context)
    client.call("model.party.party.create", [{"nonsense": 1}], context)
    client.call("model.absent.read", [1], ["name"], context)
    client.call("model.party.party.export_data", [number], ["name", "code"], True, context)
    client.call(
        "model.res.user.create",
        [{"name": "Grace", "login": "grace", "password": "Another-one-8"}],
        context,
    )
    client.call("model.res.user.search_read", [], 0, 10, None, ["login", "name"], context)
    client.call("model.ir.cron.search_read", [], 0, 10, None, ["method", "next_call"], context)
    client.call("model.party.party.delete", [made[1] if made else 2], context)
    client.call("model.ir.message.search_read", [], 0, 3, None, ["text"], context)
    visitor.post("/tryton/rpc/", 400, 401, 415, headers=client.headers, content=b"{nonsense")
    visitor.get("/tryton/absent", 404, 405, 401)
    client.call("common.db.logout")
    client.call("model.party.party.search_count", [], context, expect=(401,))


APP = Application(
    name="trytond",
    framework="Werkzeug",
    uses=("SQLite", "threads"),
    packages=("trytond==8.2.1", "trytond_party==8.2.0"),
    server=("trytond", "-c", "{state}/trytond.conf", "-d", "tryton"),
    environment={"TRYTONPASSFILE": "{state}/password"},
    needs=frozenset(),
    prepare=prepare,
    drive=drive,
)
