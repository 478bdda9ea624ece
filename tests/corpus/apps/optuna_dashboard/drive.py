"""Optuna's dashboard: studies, trials, plots, notes, artifacts (Bottle, SQLAlchemy on SQLite)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Run the studies that are looked at."""
    place.run(str(place.python), "{here}/study.py")


def drive(visitor: Visitor) -> None:
    """Look at studies, plot, write notes, tell a trial its result, hand in files, delete."""
    visitor.get("/", 302)
    visitor.get("/dashboard")
    visitor.get("/dashboard/studies/1/")
    visitor.get("/favicon.ico")
    visitor.get("/static/bundle.js")
    visitor.get("/static/absent.js", 404)
    visitor.get("/api/meta")
    studies = visitor.get("/api/studies").json()["study_summaries"]
    one, many, running = (study["study_id"] for study in studies)
    visitor.get(f"/api/studies/{one}")
    visitor.get(f"/api/studies/{one}?after=20")
    visitor.get(f"/api/studies/{one}?after=-1", 400)
    visitor.get(f"/api/studies/{many}")
    visitor.get("/api/studies/99", 404)
    visitor.get(f"/api/studies/{one}/param_importances")
    visitor.get(f"/api/studies/{many}/param_importances")
    visitor.get(f"/api/studies/{one}/plot/slice")
    visitor.get(f"/api/studies/{one}/plot/contour")
    visitor.get(f"/api/studies/{many}/plot/pareto_front")
    visitor.get(f"/api/studies/{one}/plot/timeline")
    visitor.get(f"/api/studies/{one}/plot/nothing", 404)
    visitor.get(f"/csv/{one}")
    visitor.get(f"/csv/{one}?trial_ids=1,2,3")
    visitor.get(f"/csv/{one}?trial_ids=x", 400)
    visitor.put(f"/api/studies/{one}/note", 204, json={"version": 1, "body": "# Bowl"})
    visitor.put(f"/api/studies/{one}/note", 409, json={"version": 1, "body": "late"})
    visitor.put(f"/api/studies/{one}/note", 400, json={"version": 2})
    visitor.put(f"/api/studies/{one}/3/note", 204, json={"version": 1, "body": "An outlier?"})
    made = {"study_name": "made here", "directions": ["maximize"]}
    new = visitor.post("/api/studies", 201, json=made).json()["study_summary"]["study_id"]
    visitor.post("/api/studies", 400, json=made)
    visitor.post("/api/studies", 400, json={"study_name": "x", "directions": ["up"]})
    detail = visitor.get(f"/api/studies/{running}").json()
    first, second, third = (trial["trial_id"] for trial in detail["trials"])
    visitor.post(f"/api/trials/{first}/user-attrs", 204, json={"user_attrs": {"host": "n1"}})
    visitor.post(f"/api/trials/{first}/tell", 204, json={"state": "Complete", "values": [0.5]})
    visitor.post(f"/api/trials/{second}/tell", 204, json={"state": "Fail"})
    visitor.post(f"/api/trials/{third}/tell", 400, json={"state": "Complete", "values": "x"})
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40).decode()
    file = {"file": f"data:image/png;base64,{picture}", "filename": "plot.png"}
    given = visitor.post(f"/api/artifacts/{running}/{third}", 201, json=file).json()
    visitor.get(f"/artifacts/{running}/{third}/{given['artifact_id']}")
    study_file = visitor.post(f"/api/artifacts/{running}", 201, json=file).json()
    visitor.get(f"/artifacts/{running}/{study_file['artifact_id']}")
    visitor.get(f"/artifacts/{running}/00000000-0000-4000-8000-000000000000", 404)
    visitor.post(f"/api/artifacts/{running}", 400, json={"filename": "nothing.png"})
    visitor.delete(f"/api/artifacts/{running}/{third}/{given['artifact_id']}", 204)
    renamed = visitor.post(f"/api/studies/{new}/rename", 201, json={"study_name": "named anew"})
    visitor.post(f"/api/studies/{new}/skip", 404, json=json.loads(renamed.text))
    visitor.delete(f"/api/studies/{renamed.json()['study_id']}", 204, content="{}")
    visitor.get("/api/studies")
    visitor.get("/nowhere", 404)


APP = Application(
    name="optuna_dashboard",
    framework="Bottle",
    uses=("SQLite", "files"),
    packages=(
        "optuna-dashboard==0.21.0",
        "optuna==5.0.0",
        "SQLAlchemy==2.1.9",
        "bottle==0.13.4",
        "plotly==6.5.0",
        "scikit-learn==1.7.2",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "4", "app:application"),
    environment={
        "OPTUNA_STORAGE": "sqlite:///{state}/optuna.db",
        "OPTUNA_ARTIFACTS": "{state}/artifacts",
    },
    prepare=prepare,
    drive=drive,
)
