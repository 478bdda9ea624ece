"""ZenML's server: projects, pipelines, runs, models, secrets (FastAPI, SQLModel, SQLite)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor

_PASSWORD = "Lemon-Tree-17"


def drive(visitor: Visitor) -> None:
    """Someone logs in, sets a project up, reports a run of a pipeline, and looks at all of it."""
    api = "/api/v1"
    visitor.get("/health")
    visitor.get(f"{api}/info")
    visitor.get(f"{api}/current-user", 401)
    visitor.post(f"{api}/login", 401, data={"username": "ann", "password": "wrong"})
    login = visitor.post(f"{api}/login", data={"username": "ann", "password": _PASSWORD})
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}

    def get(path: str, *expect: int) -> Any:
        return visitor.get(f"{api}/{path}", *expect, headers=bearer).json()

    def post(path: str, *expect: int, **fields: Any) -> Any:
        return visitor.post(f"{api}/{path}", *expect, headers=bearer, json=fields).json()

    def put(path: str, *expect: int, **fields: Any) -> Any:
        return visitor.put(f"{api}/{path}", *expect, headers=bearer, json=fields).json()

    get("current-user")
    get("settings")
    project = post("projects", name="orchard", description="Äpfel und Birnen")["id"]
    post("projects", 409, name="orchard")
    get("projects?page=1&size=5")
    get(f"projects/{project}/statistics")
    stores = get("components?type=artifact_store")["items"]
    orchestrators = get("components?type=orchestrator")["items"]
    local = post(
        "components",
        name="shelf",
        type="artifact_store",
        flavor="local",
        configuration={"path": ""},
        labels={"room": "cellar"},
    )
    stack = post(
        "stacks",
        name="home",
        components={
            "artifact_store": [local["id"]],
            "orchestrator": [orchestrators[0]["id"]],
        },
    )["id"]
    get(f"stacks/{stack}?hydrate=true")
    tag = post("tags", name="fruit", color="green")["id"]
    put(f"tags/{tag}", color="red")
    pipeline = post("pipelines", project=project, name="juice", tags=["fruit"])["id"]
    get(f"pipelines?project={project}&sort_by=desc:updated&name=contains:jui")
    snapshot = post(
        "pipeline_snapshots",
        project=project,
        run_name_template="juice-{date}",
        pipeline_configuration={"name": "juice"},
        stack=stack,
        pipeline=pipeline,
    )["id"]
    run = post("runs", project=project, name="juice-1", snapshot=snapshot, status="running")
    run_id = (run[0] if isinstance(run, list) else run)["id"]
    post(
        "run-metadata",
        project=project,
        resources=[{"id": run_id, "type": "pipeline_run"}],
        values={"litres": 3},
        types={"litres": "int"},
    )
    put(f"runs/{run_id}", status="completed", end_time="2026-01-02T03:04:05")
    get(f"runs/{run_id}?hydrate=true")
    get(f"runs?project={project}&status=completed&size=3")
    artifact = post("artifacts", project=project, name="apples", has_custom_name=True)["id"]
    post(
        "artifact_versions",
        project=project,
        artifact_id=artifact,
        version="1",
        type="DataArtifact",
        artifact_store_id=stores[0]["id"],
        uri="/apples/1",
        materializer={"module": "a", "attribute": "B", "type": "unknown"},
        data_type={"module": "builtins", "attribute": "list", "type": "builtin"},
        save_type="manual",
    )
    get(f"artifact_versions?project={project}&artifact=apples")
    model = post("models", project=project, name="taste", license="MIT", tags=["fruit"])["id"]
    version = post("model_versions", project=project, model=model, name="first")["id"]
    put(f"model_versions/{version}", stage="production", force=True)
    get(f"models?project={project}&tag=fruit")
    get(f"models/{model}/model_versions?hydrate=true")
    secret = post("secrets", name="press", values={"user": "ann", "key": "s3cr3t-of-the-press"})[
        "id"
    ]
    get(f"secrets/{secret}")
    get("secrets?name=press")
    put(f"secrets/{secret}", values={"key": None})
    user = post("users", name="bob", full_name="Bob", is_admin=False, password="Plum-Tree-18")["id"]
    get("users?sort_by=name")
    account = post("service_accounts", name="robot", active=True)["id"]
    key = post(f"service_accounts/{account}/api_keys", name="night", description="")["body"]["key"]
    robot = visitor.post(f"{api}/login", data={"grant_type": "zenml-api-key", "password": key})
    robots = {"Authorization": f"Bearer {robot.json()['access_token']}"}
    visitor.get(f"{api}/current-user", headers=robots)
    visitor.get(f"{api}/pipelines?project={project}", headers=robots)
    visitor.delete(f"{api}/users/{user}", headers=bearer)
    get(f"users/{user}", 404)
    visitor.delete(f"{api}/secrets/{secret}", headers=bearer)
    get("runs?sort_by=nonsense", 400, 422)
    get("nowhere", 404)


APP = Application(
    name="zenml",
    framework="FastAPI",
    uses=("SQLite", "threads"),
    packages=("zenml[server]==0.98.0", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "zenml.zen_server.zen_server_api:app"),
    environment={
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_CONFIG_PATH": "{state}/config",
        "ZENML_STORE_URL": "sqlite:///{state}/zenml.db",
        "ZENML_SERVER_AUTO_ACTIVATE": "1",
        "ZENML_SERVER_DEPLOYMENT_TYPE": "local",
        "ZENML_SERVER_JWT_SECRET_KEY": "an-orchard-has-many-trees-and-one-gate-only-0123456789",
        "ZENML_DEFAULT_USER_NAME": "ann",
        "ZENML_DEFAULT_USER_PASSWORD": _PASSWORD,
    },
    drive=drive,
)
