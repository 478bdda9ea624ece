"""Prefect's server: flows, their runs, schedules and logs (FastAPI, SQLAlchemy on aiosqlite)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Make the tables."""
    place.run("prefect", "server", "database", "upgrade", "-y")


def drive(visitor: Visitor) -> None:
    """A flow is deployed, scheduled, run, logged and looked at, as its client does it."""

    def make(kind: str, *expect: int, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = visitor.post(f"/api/{kind}/", *expect, json=fields).json()
        return made

    visitor.get("/api/health")
    visitor.get("/api/ready")
    visitor.get("/api/admin/version")
    visitor.get("/api/hello")
    flow = make("flows", name="nightly", tags=["etl"])["id"]
    make("flows", name="nightly")
    make("flows", 422, nonsense=True)
    visitor.get("/api/flows/name/nightly")
    visitor.get("/api/flows/name/absent", 404)
    pool = make("work_pools", name="pool", type="process")
    visitor.post("/api/work_pools/pool/queues/", json={"name": "fast", "priority": 1})
    deployment = make(
        "deployments",
        name="prod",
        flow_id=flow,
        work_pool_name=pool["name"],
        parameters={"day": "2026-01-05"},
        schedules=[{"schedule": {"interval": 3600, "timezone": "UTC"}, "active": True}],
        enforce_parameter_schema=False,
    )["id"]
    visitor.get(f"/api/deployments/{deployment}")
    visitor.get("/api/deployments/name/nightly/prod")
    visitor.post(f"/api/deployments/{deployment}/schedule", json={"min_runs": 3})
    visitor.post("/api/flow_runs/filter", json={"limit": 5})
    run = visitor.post(f"/api/deployments/{deployment}/create_flow_run", json={}).json()["id"]
    for kind in ("PENDING", "RUNNING"):
        state = {"state": {"type": kind, "name": kind.title()}, "force": False}
        visitor.post(f"/api/flow_runs/{run}/set_state", 200, 201, json=state)
    task = make(
        "task_runs", flow_run_id=run, task_key="extract", dynamic_key="0", name="extract-0"
    )["id"]
    state = {"state": {"type": "RUNNING", "name": "Running"}}
    visitor.post(f"/api/task_runs/{task}/set_state", 200, 201, json=state)
    logs = [
        {
            "name": "prefect.flow_runs",
            "level": 20,
            "message": f"line {n}",
            "timestamp": f"2026-01-05T00:00:0{n}Z",
            "flow_run_id": run,
        }
        for n in range(5)
    ]
    visitor.post("/api/logs/", 201, json=logs)
    visitor.post(
        "/api/logs/filter", json={"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
    )
    state = {"state": {"type": "COMPLETED", "name": "Completed"}}
    visitor.post(f"/api/flow_runs/{run}/set_state", 200, 201, json=state)
    visitor.get(f"/api/flow_runs/{run}")
    visitor.get(f"/api/flow_run_states/?flow_run_id={run}")
    visitor.post("/api/flow_runs/count", json={})
    visitor.post("/api/task_runs/filter", json={"flow_runs": {"id": {"any_": [run]}}})
    visitor.post("/api/deployments/paginate", json={"limit": 5})
    make("variables", name="colour", value="yellow", tags=["fruit"])
    make("variables", 409, name="colour", value="green")
    visitor.get("/api/variables/name/colour")
    visitor.post("/api/concurrency_limits/", json={"tag": "db", "concurrency_limit": 2})
    visitor.post("/api/v2/concurrency_limits/", 201, json={"name": "slots", "limit": 1})
    slots = {"names": ["slots"], "slots": 1, "mode": "concurrency"}
    visitor.post("/api/v2/concurrency_limits/increment", json=slots)
    visitor.post("/api/v2/concurrency_limits/increment", 423, json=slots)
    visitor.post("/api/block_types/filter", json={})
    visitor.post("/api/work_pools/filter", json={})
    visitor.delete(f"/api/flow_runs/{run}", 204)
    visitor.get(f"/api/flow_runs/{run}", 404)
    visitor.delete(f"/api/deployments/{deployment}", 204)


APP = Application(
    name="prefect",
    framework="FastAPI",
    uses=("SQLite", "tasks"),
    packages=("prefect==3.9.1", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "app:application"),
    environment={
        "PREFECT_HOME": "{state}",
        "PREFECT_API_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:///{state}/prefect.db",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    },
    prepare=prepare,
    drive=drive,
)
