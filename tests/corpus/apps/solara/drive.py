"""A page of widgets, rendered on the server (Solara: Starlette)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Two browsers open the pages, and get what these refer to."""
    for _ in range(2):
        page = visitor.get("/").text
        visitor.get("/about")
        for path in sorted(set(re.findall(r'(?:href|src)="(/[^"]+)"', page)))[:14]:
            visitor.get(path, 200, 304, 404)
        visitor.cookies.clear()
    visitor.get("/readyz")
    visitor.get("/resourcez")
    visitor.get("/jupyter/api/kernels/1", 200, 404)
    visitor.get("/static/none.js", 404)
    visitor.get("/static/public/none.png", 404)
    visitor.get("/nothing", 200, 404)
    visitor.get("/_solara/api/close/nobody?session_id=1", 200, 404, 405)
    visitor.post("/_solara/api/close/nobody?session_id=1", 200, 404, 500)


APP = Application(
    name="solara",
    framework="Starlette",
    uses=("files", "threads"),
    packages=("solara==1.64.1", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "solara.server.starlette:app"),
    environment={"SOLARA_APP": "{here}/app.py", "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False"},
    starts_in_state=True,
    drive=drive,
)
