"""Glances: what a machine does, by web page and API (FastAPI, threads, psutil)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PLUGINS = ("cpu", "mem", "load", "fs", "network", "processcount", "system", "uptime", "diskio")


def prepare(place: Place) -> None:
    """Make its settings: little is kept, and nothing asked of the internet."""
    (place.state / "glances.conf").write_text("[global]\ncheck_update=false\nhistory_size=60\n")


def drive(visitor: Visitor) -> None:
    """Look at the page, all plugins, their limits, views and history, and at what is not there."""
    visitor.get("/")
    visitor.get("/api/4/status")
    visitor.get("/api/4/pluginslist")
    visitor.get("/api/4/all")
    visitor.get("/api/4/all/limits")
    visitor.get("/api/4/all/views")
    for plugin in PLUGINS:
        visitor.get(f"/api/4/{plugin}")
    visitor.get("/api/4/cpu/total")
    visitor.get("/api/4/cpu/total/history", 200, 404)
    visitor.get("/api/4/cpu/history/3", 200, 404)
    visitor.get("/api/4/mem/limits")
    visitor.get("/api/4/mem/views")
    visitor.get("/api/4/fs/mnt_point", 200, 404)
    visitor.get("/api/4/network/interface_name/value/lo", 200, 404)
    visitor.get("/api/4/processlist/top/3", 200, 404)
    visitor.get("/api/4/processes/1", 200, 404)
    visitor.get("/api/4/processes/extended", 200, 404)
    visitor.post("/api/4/events/clear/warning", 200, 404)
    visitor.post("/api/4/events/clear/all", 200, 404)
    visitor.get("/api/4/config")
    visitor.get("/api/4/config/global", 200, 400, 404)
    visitor.get("/api/4/args")
    visitor.get("/api/4/args/time", 200, 400, 404)
    visitor.get("/api/4/help")
    visitor.get("/api/4/nowhere", 400, 404)
    visitor.get("/static/glances.js", 200, 404)
    visitor.get("/nowhere", 404)


APP = Application(
    name="glances",
    framework="FastAPI",
    uses=("files", "threads"),
    packages=("glances[web]==4.5.8",),
    server=(
        *("glances", "-w", "--bind", "127.0.0.1", "--port", "{port}", "-C", "{state}/glances.conf"),
        *("--disable-check-update", "--disable-autodiscover", "--time", "2"),
    ),
    prepare=prepare,
    drive=drive,
)
