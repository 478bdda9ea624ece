"""Identification of trust: a game about strategies (Falcon, peewee on SQLite)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

TABLES = """
from finitelycomputable.idtrust_db import models
models.database.create_tables(models.MODELS)
"""


def prepare(place: Place) -> None:
    """Make the tables in the working folder, where the application looks for its database."""
    place.run("sh", "-c", f"cd {place.state} && python -c '{TABLES}'")


def drive(visitor: Visitor) -> None:
    """Begin dialogs, trust and distrust, guess, come back."""
    visitor.get("/")
    visitor.get("/choose_miscommunication")
    for intent in ("Trust", "Distrust"):
        begun = visitor.post("/", 302, data={"user_intent": intent}).headers["Location"]
        dialog = begun.removeprefix(visitor.base)
        visitor.get(dialog)
        for answer in ("Trust", "Trust", "Distrust"):
            visitor.post(dialog, 200, data={"user_intent": answer})
        visitor.post(dialog, 200, data={"user_guess": "C"})
        visitor.get(f"{dialog}/reveal_miscommunication")
        visitor.get(dialog)
    chosen = {"user_intent": "Trust", "user_miscommunication": "0.1", "foil_miscommunication": "0"}
    begun = visitor.post("/choose_miscommunication", 302, data=chosen).headers["Location"]
    visitor.get(begun.removeprefix(visitor.base))
    visitor.get("/journey/1")
    visitor.get("/journey/1/choose_miscommunication")
    visitor.post("/journey/1", 302, data={"user_intent": "Trust"})
    visitor.get("/journey/999", 404)
    visitor.get("/interact/999", 404)
    visitor.get("/nowhere", 404)
    visitor.post("/", 415, 400, content=b"\x00", headers={"Content-Type": "application/nonsense"})
    visitor.delete("/", 405)


APP = Application(
    name="falcon_idtrust",
    framework="Falcon",
    uses=("SQLite", "random"),
    packages=(
        "finitelycomputable-idtrust-falcon-peewee==25.7",
        "jinja2==3.1.6",
        "gunicorn==23.0.0",
    ),
    server=(
        *("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "--chdir", "{state}"),
        "finitelycomputable.idtrust_app_falcon:application",
    ),
    prepare=prepare,
    drive=drive,
)
