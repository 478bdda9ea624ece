"""Phoenix: traces of language models, data sets, experiments, prompts (FastAPI, GraphQL)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PROJECTS = """query Projects($first: Int) { projects(first: $first) { edges { node {
  id name traceCount tokenCountTotal latencyMsP50: latencyMsQuantile(probability: 0.5) } } } }"""
SPANS = """query Spans($id: ID!) { node(id: $id) { ... on Project { name
  spans(first: 20, rootSpansOnly: false, sort: {col: startTime, dir: desc}) { edges { node {
    id name spanKind statusCode startTime latencyMs tokenCountTotal context { spanId traceId }
    spanAnnotations { name label score } input { value } output { value } } } } } } }"""
VIEWER = "query Viewer { viewer { id username email role { name } apiKeys { id name } } }"
API_KEY = """mutation Make($name: String!) { createUserApiKey(input: {name: $name}) {
  jwt apiKey { id name } } }"""


def prepare(place: Place) -> None:
    """Make the tables."""
    place.run("phoenix", "db", "migrate")


def drive(visitor: Visitor) -> None:
    """Log in, send traces, look at them, annotate, run an experiment, keep prompts."""
    visitor.get("/healthz")
    visitor.get("/arize_phoenix_version")
    visitor.get("/", 200, 302, 307)
    visitor.get("/login")
    visitor.get("/v1/projects", 401)
    login = {"email": "admin@localhost", "password": "wrong"}
    visitor.post("/auth/login", 401, json=login)
    visitor.post("/auth/login", 200, 204, json={**login, "password": "secret-of-admin"})
    _ask(visitor, VIEWER)
    key = _ask(visitor, API_KEY, name="script")["data"]["createUserApiKey"]["jwt"]
    script = {"Authorization": f"Bearer {key}"}
    visitor.get("/v1/projects", headers=script)
    visitor.post("/v1/projects", headers=script, json={"name": "lemons", "description": "Yellow"})
    spans = _spans()
    send = "/v1/projects/lemons/spans"
    visitor.post(send, 202, headers=script, json={"data": spans})
    visitor.post(send, 422, headers=script, json={"data": [{"name": "half"}]})
    visitor.get("/v1/projects/lemons", headers=script)
    visitor.get("/v1/projects/limes", 404, headers=script)
    visitor.get(f"{send}?limit=10", headers=script)
    visitor.post(send, 400, headers=script, json={"data": spans})
    project = _ask(visitor, PROJECTS, first=10)["data"]["projects"]["edges"][-1]["node"]["id"]
    _ask(visitor, SPANS, id=project)
    _ask(visitor, "query { nonsense }")
    note = {
        "span_id": spans[0]["context"]["span_id"],
        "name": "correct",
        "annotator_kind": "HUMAN",
        "result": {"label": "yes", "score": 1.0, "explanation": "It says what is right."},
    }
    visitor.post("/v1/span_annotations?sync=true", headers=script, json={"data": [note]})
    visitor.get(f"/v1/projects/lemons/span_annotations?span_ids={note['span_id']}", headers=script)
    _ask(visitor, SPANS, id=project)
    query = {"queries": [{"select": {"name": {"key": "name"}}}], "project_name": "lemons"}
    visitor.post("/v1/spans", headers={**script, "Accept": "application/json"}, json=query)
    _experiment(visitor, script)
    _prompts(visitor, script)
    user = {
        "user": {
            "email": "bob@example.com",
            "username": "bob",
            "role": "MEMBER",
            "auth_method": "LOCAL",
            "password": "Secret-of-bob-1",
        },
        "send_welcome_email": False,
    }
    visitor.post("/v1/users", 200, 201, headers=script, json=user)
    visitor.post("/v1/users", 409, headers=script, json=user)
    visitor.get("/v1/users", headers=script)
    visitor.post("/auth/refresh", 200, 204)
    visitor.delete("/v1/projects/lemons", 204, headers=script)
    visitor.get("/auth/logout", 200, 204, 302)
    visitor.post("/graphql", 401, json={"query": VIEWER})


def _ask(visitor: Visitor, query: str, **variables: Any) -> Any:
    """Ask GraphQL, as its pages do."""
    return visitor.post("/graphql", json={"query": query, "variables": variables}).json()


def _spans() -> list[dict[str, Any]]:
    """A chain, and the call of a model within it."""
    trace = "5b8aa5a2d2c872e8321cf37308d69df2"
    return [
        {
            "name": "answer",
            "context": {"trace_id": trace, "span_id": "051581bf3cb55c13"},
            "span_kind": "CHAIN",
            "start_time": "2026-01-05T10:00:00Z",
            "end_time": "2026-01-05T10:00:02.5Z",
            "status_code": "OK",
            "attributes": {"input.value": "What is yellow?", "output.value": "A lemon."},
        },
        {
            "name": "model",
            "context": {"trace_id": trace, "span_id": "5fb397be34d26b51"},
            "parent_id": "051581bf3cb55c13",
            "span_kind": "LLM",
            "start_time": "2026-01-05T10:00:01Z",
            "end_time": "2026-01-05T10:00:02Z",
            "status_code": "ERROR",
            "status_message": "rate limited",
            "attributes": {
                "llm.model_name": "gpt-4o",
                "llm.token_count.prompt": 12,
                "llm.token_count.completion": 7,
                "input.value": "What is yellow? Ask ann@example.com.",
            },
            "events": [
                {"name": "exception", "timestamp": "2026-01-05T10:00:02Z", "attributes": {}}
            ],
        },
    ]


def _experiment(visitor: Visitor, script: dict[str, str]) -> None:
    """Upload a data set, run an experiment over it, and export both."""
    dataset = {
        "action": "create",
        "name": "fruits",
        "inputs": [{"fruit": "lemon"}, {"fruit": "lime"}, {"fruit": "cherry"}],
        "outputs": [{"colour": "yellow"}, {"colour": "green"}, {"colour": "red"}],
        "metadata": [{}, {}, {"small": True}],
    }
    made = visitor.post("/v1/datasets/upload?sync=true", headers=script, json=dataset).json()
    fruits = made["data"]["dataset_id"]
    visitor.post("/v1/datasets/upload?sync=true", 409, headers=script, json=dataset)
    visitor.post(
        "/v1/datasets/upload?sync=true",
        headers=script,
        data={
            "action": "append",
            "name": "fruits",
            "input_keys[]": "fruit",
            "output_keys[]": "colour",
        },
        files={"file": ("more.csv", b"fruit,colour\nplum,blue\nfig,violet\n", "text/csv")},
    )
    examples = visitor.get(f"/v1/datasets/{fruits}/examples", headers=script).json()
    visitor.get(f"/v1/datasets/{fruits}/csv", headers=script)
    visitor.get(f"/v1/datasets/{fruits}/versions", headers=script)
    plan = {"name": "first", "repetitions": 1}
    path = f"/v1/datasets/{fruits}/experiments"
    experiment = visitor.post(path, headers=script, json=plan).json()["data"]["id"]
    for example in examples["data"]["examples"][:2]:
        run = {
            "dataset_example_id": example["id"],
            "output": "yellow",
            "repetition_number": 1,
            "start_time": "2026-01-05T11:00:00Z",
            "end_time": "2026-01-05T11:00:01Z",
        }
        visitor.post(f"/v1/experiments/{experiment}/runs", headers=script, json=run)
    visitor.get(f"/v1/experiments/{experiment}/runs", headers=script)
    visitor.get(f"/v1/experiments/{experiment}/json", headers=script)


def _prompts(visitor: Visitor, script: dict[str, str]) -> None:
    """Keep a prompt in two versions, with a tag."""
    version = {
        "model_provider": "OPENAI",
        "model_name": "gpt-4o",
        "template": {
            "type": "chat",
            "messages": [{"role": "user", "content": "What is {{colour}}?"}],
        },
        "template_type": "CHAT",
        "template_format": "MUSTACHE",
        "invocation_parameters": {"type": "openai", "openai": {"temperature": 0.1}},
    }
    prompt = {"prompt": {"name": "ask", "description": "Ask"}, "version": version}
    made = visitor.post("/v1/prompts", headers=script, json=prompt).json()["data"]["id"]
    visitor.post("/v1/prompts", headers=script, json=prompt)
    tag = f"/v1/prompt_versions/{made}/tags"
    visitor.post(tag, 204, 200, headers=script, json={"name": "production"})
    visitor.get("/v1/prompts/ask/tags/production", headers=script)
    visitor.get("/v1/prompts/ask/latest", headers=script)
    visitor.get("/v1/prompts/none/latest", 404, headers=script)


APP = Application(
    name="phoenix",
    framework="FastAPI",
    uses=("SQLite", "tasks", "threads"),
    packages=("arize-phoenix==20.26.1",),
    server=("phoenix", "serve"),
    environment={
        "PHOENIX_WORKING_DIR": "{state}",
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": "{port}",
        "PHOENIX_GRPC_PORT": "0",
        "PHOENIX_ENABLE_AUTH": "true",
        "PHOENIX_SECRET": "6d1f2b8c9e0a4d53b7c86d1f2b8c9e0a4d53b7c8",
        "PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD": "secret-of-admin",
        "PHOENIX_TELEMETRY_ENABLED": "false",
    },
    prepare=prepare,
    drive=drive,
)
