"""MLflow's server: experiments, runs, models, artifacts (FastAPI around Flask, MariaDB, files)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

DATABASE = "mysql+pymysql://{mariadb}?charset=utf8mb4"


def prepare(place: Place) -> None:
    """Make the tables."""
    place.run("mlflow", "db", "upgrade", DATABASE)


def drive(visitor: Visitor) -> None:
    """An experiment is made, two runs are logged and searched, a model is registered."""
    api = "/api/2.0/mlflow"

    def post(path: str, *expect: int, **fields: Any) -> Any:
        return visitor.post(f"{api}/{path}", *expect, json=fields).json()

    visitor.get("/health")
    visitor.get("/version")
    experiment = post("experiments/create", name="fruit")["experiment_id"]
    post("experiments/create", 400, name="fruit")
    visitor.get(f"{api}/experiments/get?experiment_id={experiment}")
    visitor.get(f"{api}/experiments/get-by-name?experiment_name=fruit")
    visitor.get(f"{api}/experiments/get?experiment_id=999", 404)
    post("experiments/set-experiment-tag", experiment_id=experiment, key="team", value="Zoë")
    runs = []
    for number in range(2):
        made = post(
            "runs/create",
            experiment_id=experiment,
            start_time=1767225600000 + number,
            run_name=f"run-{number}",
            tags=[{"key": "mlflow.user", "value": "ann"}],
        )
        run = made["run"]["info"]["run_id"]
        runs.append(run)
        post("runs/log-parameter", run_id=run, key="depth", value=str(number))
        moments = [
            {
                "key": "loss",
                "value": 1 / (step + 1),
                "timestamp": 1767225600000 + step,
                "step": step,
            }
            for step in range(4)
        ]
        post("runs/log-batch", run_id=run, metrics=moments, params=[{"key": "lr", "value": "0.1"}])
        post("runs/update", run_id=run, status="FINISHED", end_time=1767225700000)
    post("runs/log-parameter", 400, run_id=runs[0], key="depth", value="other")
    visitor.get(f"{api}/runs/get?run_id={runs[0]}")
    visitor.get(f"{api}/metrics/get-history?run_id={runs[0]}&metric_key=loss")
    search = {"experiment_ids": [experiment], "order_by": ["metrics.loss ASC"]}
    post("runs/search", **search, filter="params.depth = '1' and metrics.loss < 0.5")
    post("runs/search", 400, **search, filter="nonsense ~ 3")
    post("runs/search", **search, max_results=1)
    files = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{runs[0]}/artifacts"
    visitor.put(f"{files}/notes.txt", content=b"some notes\n" * 100)
    visitor.put(f"{files}/model/weights.bin", content=bytes(range(256)) * 20)
    visitor.get(f"{files}/notes.txt")
    visitor.get(f"{api}/artifacts/list?run_id={runs[0]}")
    visitor.get(f"/get-artifact?path=notes.txt&run_id={runs[0]}")
    visitor.get(f"{files}/absent.txt", 404, 500)
    post("registered-models/create", name="lemon", description="of fruit")
    post("registered-models/create", 400, name="lemon")
    source = f"mlflow-artifacts:/{experiment}/{runs[0]}/artifacts/model"
    post("model-versions/create", name="lemon", source=source, run_id=runs[0])
    visitor.get(f"{api}/model-versions/search?filter=name%3D%27lemon%27")
    post("registered-models/alias", name="lemon", alias="best", version="1")
    visitor.get(f"{api}/registered-models/alias?name=lemon&alias=best")
    visitor.get(f"{api}/registered-models/search?max_results=5")
    post("experiments/search", max_results=5, filter="name LIKE 'fr%'")
    post("runs/delete", run_id=runs[1])
    post("runs/restore", run_id=runs[1])
    post("experiments/delete", experiment_id=experiment)
    visitor.get("/nowhere", 404)


APP = Application(
    name="mlflow",
    framework="FastAPI, Flask",
    uses=("MariaDB", "files", "threads"),
    packages=("mlflow==3.17.2", "PyMySQL==1.2.4", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "mlflow.server.fastapi_app:app"),
    environment={
        "_MLFLOW_SERVER_FILE_STORE": DATABASE,
        "_MLFLOW_SERVER_REGISTRY_STORE": DATABASE,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": "{state}/artifacts",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    },
    needs=frozenset({"mariadb"}),
    prepare=prepare,
    drive=drive,
)
