"""beets: a library of music, by its web plugin (Flask, SQLite, files of sound)."""

from __future__ import annotations

import io
import struct
import wave
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SETTINGS = """
directory: {state}/music
library: {state}/library.db
plugins: web
import:
  copy: yes
  write: yes
  autotag: no
  duplicate_action: keep
web:
  readonly: no
  include_paths: no
"""
SONGS = (
    ("Ann", "Lemons", "Sour"),
    ("Ann", "Lemons", "Yellow"),
    ("Ann", "Melons", "Sweet"),
    ("Bob", "Frost", "Cold"),
    ("Bob", "Frost", "Ünder İce"),
)


def sound(seconds: float = 0.2) -> bytes:
    """Return a file of sound."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<h", 1000) * int(8000 * seconds))
    return held.getvalue()


def prepare(place: Place) -> None:
    """Write the settings, and import some songs."""
    (place.state / "config.yaml").write_text(place.fill(SETTINGS))
    for number, (artist, album, title) in enumerate(SONGS, 1):
        folder = place.state / "new" / f"{artist} - {album}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02} {title}.wav").write_bytes(sound(0.1 * number))
    place.run("beet", "import", "-A", "-q", "{state}/new")
    for number, (artist, album, title) in enumerate(SONGS, 1):
        fields = (f"artist={artist}", f"albumartist={artist}", f"album={album}", f"title={title}")
        place.run(
            "beet", "modify", "-y", "-M", f"id:{number}", *fields, f"track={number}", "year=2026"
        )


def drive(visitor: Visitor) -> None:
    """List, search, look, listen, change, delete."""
    visitor.get("/")
    visitor.get("/static/beets.js")
    visitor.get("/stats")
    listed = visitor.get("/item/").json()["items"]
    first = listed[0]["id"]
    visitor.get(f"/item/{first}")
    visitor.get(f"/item/{first}?expand")
    visitor.get("/item/1,2,3")
    visitor.get("/item/999", 404)
    visitor.get("/item/query/")
    visitor.get("/item/query/sour")
    visitor.get("/item/query/artist:Bob/year:2026..")
    visitor.get("/item/query/title::^S")
    visitor.get("/item/query/nothing-of-it")
    visitor.get("/item/path/somewhere/00.wav", 404)
    visitor.get("/item/values/artist")
    visitor.get("/item/values/colour", 404)
    visitor.get(f"/item/{first}/file", 200, 500)
    visitor.get(f"/item/{first}/file", 206, 200, 500, headers={"Range": "bytes=10-99"})
    visitor.get("/item/4/file", 200, 500)
    visitor.get("/item/999/file", 404, 500)
    visitor.get("/album/")
    visitor.get("/album/1")
    visitor.get("/album/1?expand")
    visitor.get("/album/query/Frost")
    visitor.get("/album/1/art", 404, 200)
    visitor.get("/album/values/album")
    visitor.get("/artist/")
    visitor.patch(f"/item/{first}", json={"title": "Sourer", "composer": "Ann B."})
    visitor.patch("/item/query/artist:Bob", json={"genre": "Winter"})
    visitor.get(f"/item/{first}")
    visitor.patch("/item/1,999", 200, 404, json={"title": "x"})
    visitor.ask("DELETE", "/item/5?delete")
    visitor.get("/item/5", 404)
    visitor.ask("DELETE", "/item/query/title:Cold")
    visitor.ask("DELETE", "/album/2", 200)
    visitor.get("/stats")
    visitor.post("/item/1", 405)
    visitor.get("/nowhere", 404)


APP = Application(
    name="beets",
    framework="Flask",
    uses=("SQLite", "files"),
    packages=("beets[web]==2.14.1",),
    server=("beet", "web", "127.0.0.1", "{port}"),
    environment={"BEETSDIR": "{state}"},
    prepare=prepare,
    drive=drive,
)
