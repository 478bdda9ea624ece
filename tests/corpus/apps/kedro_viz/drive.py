"""kedro-viz: the pipelines of a Kedro project in a browser (FastAPI, pandas)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FRUIT = "name,price\nApple,1.5\nPear,2.5\nPlum,\nQuince,0.5\n"


def prepare(place: Place) -> None:
    """Lay the data down, and run the pipeline of the project in this folder once."""
    raw = place.state / "01_raw" / "fruit.csv"
    raw.parent.mkdir()
    raw.write_text(FRUIT)
    run = "import os, sys; os.chdir(sys.argv.pop(1)); from kedro.framework.cli import main; main()"
    place.run("python", "-c", run, "{here}", "run")


def drive(visitor: Visitor) -> None:
    """Open the page, look at pipelines, nodes, what went wrong, save it as files."""
    page = visitor.get("/").text
    for asset in re.findall(r'(?:src|href)="\.?(/assets/[^"]+)"', page)[:4]:
        visitor.get(asset)
    visitor.get("/favicon.ico")
    nodes = visitor.get("/api/main").json()["nodes"]
    visitor.get("/api/version")
    visitor.get("/api/metadata")
    visitor.get("/api/run-status")
    for node in nodes:
        visitor.get(f"/api/nodes/{node['id']}")
    visitor.get("/api/nodes/nothing", 404)
    for name in ("__default__", "cleaning", "reporting"):
        visitor.get(f"/api/pipelines/{name}")
    visitor.get("/api/pipelines/nothing", 404)
    visitor.get("/workflow")
    visitor.get("/api/reload", 400)
    visitor.get("/api/reload", headers={"If-None-Match": "1"})
    shop = {"endpoint": "http://fruit.example", "bucket_name": "fruit"}
    visitor.post("/api/deploy", 400, 401, 404, 500, json={"platform": "nowhere", **shop})
    visitor.post("/api/deploy", 400, 401, 404, 500, json={"platform": "aws", **shop})
    visitor.post("/api/deploy", 422, json={})
    visitor.get("/assets/nothing.js", 404)
    visitor.get("/openapi.json")
    visitor.get("/nowhere", 404)


APP = Application(
    name="kedro_viz",
    framework="FastAPI",
    uses=("files", "processes"),
    packages=(
        "kedro-viz==12.5.0",
        "kedro==1.7.0",
        "kedro-datasets==9.6.0",
        "pandas==3.1.1",
        "fastapi==0.165.0",
        "uvicorn==0.54.0",
    ),
    server=("kedro", "viz", "run", "--no-browser", "--host", "127.0.0.1", "--port", "{port}"),
    environment={"DO_NOT_TRACK": "1", "CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
