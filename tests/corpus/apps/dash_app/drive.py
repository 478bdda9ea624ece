"""A dashboard of sales, with callbacks (Dash: Flask)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def call(visitor: Visitor, output: str, inputs: Any, *expect: int, **state: Any) -> None:
    """Have a callback run, as the page does."""
    names = output.strip(".").split("...") if output.startswith("..") else [output]
    outputs = [dict(zip(("id", "property"), name.split("."), strict=True)) for name in names]

    def listed(given: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"id": name.split("__")[0], "property": name.split("__")[1], "value": value}
            for name, value in given.items()
        ]

    changed = [name.replace("__", ".") for name in inputs]
    said = {
        "output": output,
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": listed(inputs),
        "changedPropIds": changed,
        "state": listed(state),
    }
    visitor.post("/_dash-update-component", *expect, json=said)


def drive(visitor: Visitor) -> None:
    """Somebody opens the dashboard, sells fruit and looks at it."""
    visitor.get("/")
    visitor.get("/_dash-layout")
    visitor.get("/_dash-dependencies")
    visitor.get("/_favicon.ico")
    visitor.get("/_reload-hash", 200, 404)
    graph = "..graph.figure...rows.data.."
    call(visitor, graph, {"fruit__value": "lemon"})
    idle = {"fruit__value": "lemon", "n__value": None}
    call(visitor, "said.children", {"sell__n_clicks": None}, 204, **idle)
    for clicks, (fruit, n) in enumerate([("lemon", 3), ("plum", 5), ("lemon", 4)], 1):
        sold = {"fruit__value": fruit, "n__value": n}
        call(visitor, "said.children", {"sell__n_clicks": clicks}, **sold)
    wrong = {"fruit__value": "pear", "n__value": "many"}
    call(visitor, "said.children", {"sell__n_clicks": 4}, 500, **wrong)
    for fruit in ("lemon", "plum", "pear"):
        call(visitor, graph, {"fruit__value": fruit})
    for name, content in (("a.txt", b"one\ntwo\n"), ("b.bin", bytes(range(256)) * 20)):
        packed = f"data:text/plain;base64,{base64.b64encode(content).decode()}"
        call(visitor, "upload.children", {"upload__contents": packed}, upload__filename=name)
    call(visitor, "upload.children", {"upload__contents": None}, 200, 204, upload__filename=None)
    call(visitor, "download.data", {"download__base64": False})
    call(visitor, "rows.style_data", {"rows__active_cell": {"row": 0, "column": 1}})
    call(visitor, "nothing.here", {"fruit__value": "lemon"}, 500)
    visitor.post("/_dash-update-component", 400, 415, 500, content=b"{nonsense")
    visitor.get("/_dash-component-suites/dash/deps/none.js", 404, 500)
    visitor.get("/_dash-component-suites/dash/html/html_components.min.js", 200, 404, 500)
    visitor.get("/assets/none.css", 404)
    visitor.get("/another/page")
    visitor.get("/_dash-layout")
    visitor.post("/", 405)


APP = Application(
    name="dash_app",
    framework="Flask",
    uses=("SQLite", "files"),
    packages=("dash==4.4.1", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "app:server"),
    environment={"CORPUS_STATE": "{state}"},
    drive=drive,
)
