"""Evidently's server: reports on data and models, data sets, prompts (Litestar)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

REPORT = """
import sys
import pandas
from evidently import Report
from evidently.presets import DataSummaryPreset
from evidently.ui.workspace import Workspace
workspace = Workspace.create(sys.argv[1])
project = workspace.create_project("Fruits", description="What was sold")
for day in range(2):
    sold = pandas.DataFrame({"price": [1.5, 2.25, 0.75 + day], "fruit": ["lemon", "fig", "plum"]})
    run = Report([DataSummaryPreset()]).run(sold, None)
    workspace.add_run(project.id, run)
"""
CSV = b"price,fruit,sold\n1.5,lemon,3\n2.25,fig,1\n0.75,plum,8\n"


def prepare(place: Place) -> None:
    """Make a project with two reports, as a nightly script does."""
    place.run("python", "-c", REPORT, "{state}/workspace")


def drive(visitor: Visitor) -> None:
    """Look at reports, keep a project, upload data, keep prompts."""
    visitor.get("/api/version")
    visitor.get("/", 200)
    fruits = visitor.get("/api/projects/").json()[0]["id"]
    visitor.get(f"/api/projects/{fruits}/info")
    runs = visitor.get(f"/api/projects/{fruits}/snapshots").json()
    visitor.get(f"/api/projects/{fruits}/reports")
    run = f"/api/projects/{fruits}/{runs[0]['id']}"
    visitor.get(f"{run}/metadata")
    visitor.get(f"{run}/data")
    visitor.get(f"{run}/download?report_format=json")
    visitor.get(f"{run}/download?report_format=html")
    visitor.get(f"{run}/download?report_format=pdf", 400)
    visitor.get(f"{run}/graphs_data/nothing", 404)
    nobody = "00000000-0000-0000-0000-000000000000"
    visitor.get(f"/api/projects/{nobody}/info", 404)
    visitor.get("/api/projects/nonsense/info", 404)
    visitor.get("/api/projects/search/Fruits")
    visitor.get(f"/api/v2/dashboards/{fruits}")
    visitor.get(f"/api/v2/snapshots/{fruits}/metrics")
    new = {"name": "Vegetables", "description": "Ask ann@example.com"}
    made = visitor.post("/api/projects/", 201, 200, json=new).json()
    visitor.post("/api/projects/", 400, 500, json={"description": 3})
    visitor.post(f"/api/projects/{made}/info", 201, json={"name": "Roots"})
    visitor.get("/api/projects/")
    form = {"name": "march", "description": "Sold in March"}
    data = visitor.post(
        f"/api/datasets/upload?project_id={made}",
        201,
        data=form,
        files={"file": ("march.csv", io.BytesIO(CSV), "text/csv")},
    ).json()["dataset"]["id"]
    visitor.get(f"/api/datasets/?project_id={made}")
    visitor.get(f"/api/datasets/{data}?page_size=2")
    visitor.get(f"/api/datasets/{data}/metadata")
    visitor.get(f"/api/datasets/{data}/data_definition")
    visitor.get(f"/api/datasets/{data}/download?format=csv")
    visitor.patch(f"/api/datasets/{data}", json={"name": "April", "tags": ["spring"]})
    visitor.get(f"/api/datasets/{nobody}", 404, 500)
    visitor.delete(f"/api/datasets/{data}", 204)
    ask = {"name": "ask", "project_id": made, "metadata": {}}
    prompt = visitor.post(f"/api/prompts?project_id={made}", 201, 200, json=ask).json()
    visitor.get(f"/api/prompts?project_id={made}")
    visitor.get(f"/api/prompts/by-name/ask?project_id={made}")
    visitor.get(f"/api/prompts/by-name/none?project_id={made}", 404)
    version = {
        "version": 1,
        "content": {"type": "evidently:prompt_content:TextPromptContent", "text": "Why?"},
    }
    visitor.post(f"/api/prompts/{prompt['id']}/versions", 201, 200, 400, json=version)
    visitor.get(f"/api/prompts/{prompt['id']}/versions")
    visitor.delete(f"/api/projects/{made}", 204)
    visitor.get(f"/api/projects/{made}/info", 404)
    visitor.get(f"/api/projects/{fruits}/reload")


APP = Application(
    name="evidently",
    framework="Litestar",
    uses=("SQLite", "files"),
    packages=("evidently==0.7.23", "pandas==2.3.3"),
    server=("evidently", "ui", "--workspace", "{state}/workspace", "--port", "{port}"),
    environment={"DO_NOT_TRACK": "1"},
    prepare=prepare,
    drive=drive,
)
