"""Maloja: what music was listened to, with charts, rules and APIs (Bottle, waitress, threads)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

KEY = "key-of-the-player-0123456789abcdef"
DAY = 1_767_225_600  # 2026-01-01
HEARD = (
    (["Nina Simone"], "Sinnerman", "Pastel Blues"),
    (["Fela Kuti"], "Water No Get Enemy", "Expensive Shit"),
    (["Queen", "David Bowie"], "Under Pressure", "Hot Space"),
)


def prepare(place: Place) -> None:
    """Give the player its key."""
    (place.state / "apikeys.yml").write_text(f"player: {KEY}\n")


def drive(visitor: Visitor) -> None:
    """Scrobble by three APIs, look at charts, search, log in, edit, delete."""
    visitor.get("/apis/mlj_1/serverinfo")
    visitor.get("/apis/mlj_1/test?key=wrong", 403)
    visitor.get(f"/apis/mlj_1/test?key={KEY}")
    for number, (artists, title, album) in enumerate(HEARD * 2):
        heard = {
            "artists": artists,
            "title": title,
            "album": album,
            "length": 200 + number,
            "time": DAY + 3600 * number,
            "key": KEY,
        }
        visitor.post("/apis/mlj_1/newscrobble", json=heard)
    nothing = {"title": "No artist", "key": KEY}
    visitor.post("/apis/mlj_1/newscrobble", 400, 500, json=nothing)
    visitor.post("/apis/mlj_1/newscrobble", 403, json={"title": "a", "artist": "b", "key": "no"})
    told = {
        "listen_type": "single",
        "payload": [
            {
                "listened_at": DAY + 40_000,
                "track_metadata": {"artist_name": "Nina Simone", "track_name": "Feeling Good"},
            }
        ],
    }
    bearer = {"Authorization": f"token {KEY}"}
    visitor.post("/apis/listenbrainz/1/submit-listens", headers=bearer, json=told)
    visitor.get("/apis/listenbrainz/1/validate-token", headers=bearer)
    visitor.get("/")
    visitor.get("/charts_artists?in=2026")
    visitor.get("/charts_tracks?from=2026/01&page=0")
    visitor.get("/charts_albums")
    visitor.get("/top_tracks?step=month")
    visitor.get("/artist?artist=Nobody", 404, 500)
    visitor.get("/scrobbles?in=today")
    visitor.get("/performance?artist=Queen&step=month")
    visitor.get("/apis/mlj_1/scrobbles?artist=Nina+Simone")
    visitor.get("/apis/mlj_1/charts/artists")
    visitor.get("/apis/mlj_1/charts/tracks?in=2026")
    visitor.get("/apis/mlj_1/pulse?step=day&from=2026/01/01&to=2026/01/03")
    visitor.get("/apis/mlj_1/trackinfo?trackartist=Nina+Simone&title=Sinnerman", 200, 500)
    visitor.get("/apis/mlj_1/search?query=under")
    visitor.get("/login")
    visitor.post("/auth/authenticate", 403, 401, json={"user": "admin", "password": "wrong"})
    owner = {"user": "admin", "password": "secret-of-the-owner"}
    session = visitor.post("/auth/authenticate", json=owner).json()
    visitor.cookies.set(session["cookie_name"], session["token"])  # as the page's script does
    visitor.get("/admin_overview")
    visitor.get(f"/apis/mlj_1/search?query=under&key={KEY}")
    renamed = {"id": 1, "name": "Dr. Nina Simone"}
    visitor.post("/apis/mlj_1/edit_artist", json=renamed)
    visitor.post("/apis/mlj_1/delete_scrobble", json={"timestamp": DAY})
    visitor.get("/apis/mlj_1/export")
    visitor.get("/static/css/maloja.css", 200, 404)
    visitor.get("/image?artist_id=1", 200, 202, 307)
    visitor.get("/nowhere", 404)


APP = Application(
    name="maloja",
    framework="Bottle",
    uses=("SQLite", "files", "threads"),
    packages=("malojaserver==3.2.3",),
    server=("maloja", "run"),
    environment={
        "MALOJA_DATA_DIRECTORY": "{state}",
        "MALOJA_SKIP_SETUP": "yes",
        "MALOJA_FORCE_PASSWORD": "secret-of-the-owner",
        "MALOJA_HOST": "127.0.0.1",
        "MALOJA_PORT": "{port}",
        "MALOJA_METADATA_PROVIDERS": "lastfm",  # for which there is no key
    },
    prepare=prepare,
    drive=drive,
)
