"""Warm-ups: of a sampled service the first request of each kind is there for all replays."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.ids import names_boot_tape
from retrace_core.store import DirectoryStore
from retrace_core.trace_file import load_header
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.recording import Header

SHOP = """
import http.client, os, sqlite3, sys

import flask

from retrace_core import writer
from retrace_mw import RetraceMiddleware, tag
from retrace_mw.deciders import KeepIfFailed

app = flask.Flask("shop")
known = {}


def factor(name):  # a cache that is filled by hand
    if name not in known:
        with sqlite3.connect("shop.db") as connection:
            known[name] = connection.execute("select factor from " + name).fetchone()[0]
    return known[name]


@app.get("/prices/<int:sku>")
def price(sku):
    return {"price": factor("prices") * sku}


@app.get("/taxes/<name>")
def taxes(name):
    tag(user=name)
    return {"tax": factor("taxes") * len(name)}


@app.get("/fails")
def fails():
    factor("prices")
    raise LookupError("no such thing")


decide = KeepIfFailed() if os.environ.get("TAIL") else None
app.wsgi_app = RetraceMiddleware(app.wsgi_app, service="shop", decide=decide)

if __name__ == "__main__":
    client = app.test_client()
    for number, asked in enumerate(sys.argv[1:], 1):
        path, drawn = asked.rstrip("!"), asked.endswith("!")
        trace = f"{number:018x}" + ("f" if drawn else "0") * 14
        client.get(path, headers={"traceparent": f"00-{trace}-00000000000000aa-03"}).close()
    writer.flush(10)
"""


class Shop:
    """A process that served some requests; a "!" behind a path has its trace drawn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "shop.py").write_text(SHOP)

    def serve(self, *asked: str, **variables: str) -> None:
        """Run it, and take its database away."""
        with sqlite3.connect(self.folder / "shop.db") as connection:
            connection.execute("create table prices (factor)")
            connection.execute("create table taxes (factor)")
            connection.execute("insert into prices values (3)")
            connection.execute("insert into taxes values (5)")
        connection.close()
        given = {"RETRACE": "1", "RETRACE_SAMPLE_RATE": "0.5", "RETRACE_BOOT_TAPE": "1"}
        given |= {"RETRACE_RECORDING_PATH": str(self.folder / "recordings")}
        subprocess.run(
            [sys.executable, "shop.py", *asked],
            cwd=self.folder,
            env=os.environ | given | variables,
            check=True,
            timeout=100,
        )
        (self.folder / "shop.db").unlink()

    def headers(self, *, warm_ups: bool) -> list[Header]:
        """Return those of its recordings, or of its warm-ups."""
        store = DirectoryStore(self.folder / "recordings")
        places = [
            self.folder / "recordings" / one.path
            for one in store.list(boot_tapes=True)
            if names_boot_tape(one.folder) == warm_ups
        ]
        found = [load_header(place) for place in places]
        return sorted((one for one in found if one.method != "BOOT"), key=lambda one: one.path)

    def retrace(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return subprocess.run(
            [sys.executable, "-m", "retrace_core.cli", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def replayed(self) -> dict[str, Any]:
        """Replay its one recording."""
        [header] = self.headers(warm_ups=False)
        done = self.retrace("replay", header.trace_id, "--app", "shop:app", "--json")
        report: dict[str, Any] = json.loads(done.stdout)["recordings"][0]
        return report


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a shop that has served nothing yet."""
    return Shop(tmp_path)


def paths(headers: list[Header]) -> list[str]:
    """Return what was asked."""
    return [header.path for header in headers]


def test_what_an_unrecorded_request_had_cached_is_there_on_replay(shop: Shop) -> None:
    """The first of each route was not drawn; the replay runs them before the one that was."""
    shop.serve("/prices/1", "/taxes/ann", "/prices/2", "/prices/7!")
    assert paths(shop.headers(warm_ups=True)) == ["/prices/1", "/taxes/ann"]
    report = shop.replayed()
    assert report["identical"]
    assert "2 requests of its process, the first of their kind, were run first" in report["notes"]


def test_without_them_a_replay_of_it_is_cold(shop: Shop) -> None:
    """So it is with `RETRACE_WARM_UPS=0`."""
    shop.serve("/prices/1", "/prices/7!", RETRACE_WARM_UPS="0")
    assert not shop.headers(warm_ups=True)
    assert not shop.replayed()["identical"]


def test_the_first_one_is_a_warm_up_when_it_was_drawn_too(shop: Shop) -> None:
    """Its own recording lies in another trace, which nobody may have at hand."""
    shop.serve("/prices/1!", "/prices/2!")
    assert paths(shop.headers(warm_ups=True)) == ["/prices/1"]
    assert paths(shop.headers(warm_ups=False)) == ["/prices/1", "/prices/2"]


def test_a_process_that_keeps_nothing_writes_nothing(shop: Shop) -> None:
    """They wait in memory."""
    shop.serve("/prices/1", "/taxes/ann")
    assert not (shop.folder / "recordings").exists() or not raw(shop.folder / "recordings")


def test_what_did_not_fail_warms_what_does(shop: Shop) -> None:
    """With deciders that keep what fails, the first success of each route is a warm-up."""
    shop.serve("/prices/1", "/prices/2", "/fails", TAIL="1")
    assert paths(shop.headers(warm_ups=True)) == ["/fails", "/prices/1"]
    assert shop.replayed()["identical"]


def test_nothing_is_recorded_of_a_rate_of_zero(shop: Shop) -> None:
    """Who is asked for by name only is recorded by name only."""
    shop.serve("/prices/1", "/prices/2", RETRACE_SAMPLE_RATE="0", RETRACE_TRACE_HEADER="x-no")
    assert not (shop.folder / "recordings").exists() or not raw(shop.folder / "recordings")


def test_a_path_that_is_excluded_is_no_warm_up(shop: Shop) -> None:
    """It is never recorded."""
    shop.serve("/taxes/ann", "/prices/1", "/prices/2!", RETRACE_EXCLUDE="/taxes/*")
    assert paths(shop.headers(warm_ups=True)) == ["/prices/1"]


def test_a_replay_of_a_folder_leaves_them_out(shop: Shop) -> None:
    """They are nobody's regression test; the one recording is."""
    shop.serve("/prices/1", "/taxes/ann", "/prices/7!")
    said = shop.retrace("verify", "recordings", "--app", "shop:app", "--jobs", "1").stdout
    assert "100.0 %  (1 of 1)" in said
    listed = shop.retrace("ls", "--recordings", "recordings").stdout
    assert "/prices/7" in listed
    assert "/prices/1" not in listed


def test_erasing_a_tag_erases_warm_ups_with_it(shop: Shop) -> None:
    """A right to erasure asks for all that there is."""
    shop.serve("/taxes/ann", "/taxes/bob!", "/prices/1", "/prices/2!")
    assert "/taxes/ann" in paths(shop.headers(warm_ups=True))
    assert shop.retrace("erase", "--tag", "user=ann", "--recordings", "recordings").returncode == 0
    assert paths(shop.headers(warm_ups=True)) == ["/prices/1"]
    assert paths(shop.headers(warm_ups=False)) == ["/prices/2", "/taxes/bob"]


def test_a_trace_is_fetched_with_them(shop: Shop) -> None:
    """They lie beside its boot tape; at another place it replays as it does here."""
    shop.serve("/prices/1", "/taxes/ann", "/prices/7!")
    [header] = shop.headers(warm_ups=False)
    there = ("--from", "recordings", "--to", "fetched")
    found = json.loads(shop.retrace("fetch", header.trace_id, *there, "--json").stdout)
    assert [len(found[one]) for one in ("recordings", "boot_tapes", "warm_ups")] == [1, 1, 2]
    given = ("--recordings", "fetched", "--app", "shop:app")
    assert "identical" in shop.retrace("replay", header.trace_id, *given).stdout


def test_what_was_recorded_earlier_is_fetched_when_asked_for(shop: Shop) -> None:
    """At a rate of 1 there are no warm-ups: all is there, in other traces."""
    shop.serve("/prices/1", "/taxes/ann", "/prices/7", RETRACE_SAMPLE_RATE="1")
    [header] = [one for one in shop.headers(warm_ups=False) if one.path == "/prices/7"]
    fetching = ("fetch", header.trace_id, "--from", "recordings", "--to", "fetched", "--json")
    given = ("replay", header.trace_id, "--recordings", "fetched", "--app", "shop:app")
    assert json.loads(shop.retrace(*fetching).stdout)["earlier"] == []
    assert shop.retrace(*given).returncode == 1
    assert len(json.loads(shop.retrace(*fetching, "--earlier", "10").stdout)["earlier"]) == 2
    assert shop.retrace(*given).returncode == 0
