"""Label Studio: texts and pictures are labelled by people (Django REST, SQLite or PostgreSQL)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

LABELS = """<View><Text name="text" value="$text"/>
<Choices name="mood" toName="text"><Choice value="Good"/><Choice value="Bad"/></Choices></View>"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)


def prepare(place: Place) -> None:
    """Make the tables and the first user."""
    place.run(
        *("label-studio", "init", "first", "--no-browser"),
        *("--username", "ann@example.com", "--password", "secret-of-ann"),
    )


def drive(visitor: Visitor) -> None:
    """Log in, make a project, import tasks in three ways, label, filter, export."""
    visitor.get("/health")
    visitor.get("/version")
    visitor.get("/", 302)
    visitor.get("/api/projects/", 401)
    login = "/user/login/"
    wrong = {"email": "ann@example.com", "password": "wrong"}
    visitor.send_form(login, wrong, 200, token="csrfmiddlewaretoken")
    right = {**wrong, "password": "secret-of-ann"}
    visitor.send_form(login, right, 302, token="csrfmiddlewaretoken")

    def ask(method: str, path: str, *expect: int, **how: Any) -> Any:
        token = {"X-CSRFToken": visitor.cookies.get("csrftoken") or ""}
        return visitor.ask(method, path, *expect, headers=token, **how)

    visitor.get("/projects/")
    ask("GET", "/api/current-user/whoami")
    new = {"title": "Letters", "description": "What people write", "label_config": LABELS}
    project = ask("POST", "/api/projects/", 201, json=new).json()["id"]
    bad = {"title": "Bad", "label_config": "<View><Choices/></View>"}
    ask("POST", "/api/projects/", 400, json=bad)
    here = f"/api/projects/{project}"
    ask("GET", here + "/")
    ask("POST", f"{here}/validate/", 204, 200, json={"label_config": LABELS})
    texts = ["All is well.", "Nothing works, ring ann@example.com", "Thanks!"]
    ask("POST", f"{here}/import", 201, json=[{"text": text} for text in texts])
    csv = ("letters.csv", b"text\nWhere is it?\nHere it is.\n", "text/csv")
    upload = ask("POST", f"{here}/import?commit_to_project=false", 201, files={"file": csv}).json()
    ids = {"file_upload_ids": upload.get("file_upload_ids", []), "files_as_tasks_list": False}
    ask("POST", f"{here}/reimport", 201, json=ids)
    picture = ("pixel.png", PIXEL, "image/png")
    ask("POST", f"{here}/import?commit_to_project=false", 201, files={"file": picture})
    odd = ("odd.exe", b"MZ", "application/octet-stream")
    ask("POST", f"{here}/import", 400, files={"file": odd})
    ask("GET", f"{here}/file-uploads")
    tasks = ask("GET", f"/api/tasks/?project={project}&page=1&page_size=10").json()["tasks"]
    first = tasks[0]["id"]
    ask("GET", f"/api/tasks/{first}/")
    ask("GET", f"{here}/next/")
    result = [
        {
            "from_name": "mood",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": ["Good"]},
        }
    ]
    draft = {"result": result, "lead_time": 2.5}
    ask("POST", f"/api/tasks/{first}/drafts", 201, json=draft)
    said = ask("POST", f"/api/tasks/{first}/annotations/", 201, json=draft).json()["id"]
    ask("PATCH", f"/api/annotations/{said}/", json={"ground_truth": True})
    ask("POST", f"/api/tasks/{tasks[1]['id']}/annotations/", 201, json=draft)
    ask("GET", "/api/tasks/99999/", 404)
    guess = {"task": tasks[2]["id"], "result": result, "score": 0.7, "model_version": "v1"}
    ask("POST", "/api/predictions/", 201, json=guess)
    ask("GET", f"/api/dm/columns/?project={project}")
    filters = {
        "conjunction": "and",
        "items": [
            {
                "filter": "filter:tasks:data.text",
                "operator": "contains",
                "type": "String",
                "value": "it",
            }
        ],
    }
    view = {"project": project, "data": {"title": "With it", "filters": filters}}
    tab = ask("POST", "/api/dm/views/", 201, json=view).json()["id"]
    ask("GET", f"/api/tasks/?view={tab}&project={project}&fields=all")
    ask("GET", f"/api/dm/project/?project={project}")
    ask("GET", f"/projects/{project}/data/")
    everything = {"selectedItems": {"all": True, "excluded": []}, "ordering": []}
    ask(
        "POST",
        f"/api/dm/actions/?id=predictions_to_annotations&project={project}",
        json=everything,
    )
    ask("GET", f"{here}/export/formats")
    ask("GET", f"{here}/export?exportType=JSON")
    ask("GET", f"{here}/export?exportType=CSV")
    ask("GET", f"{here}/export?exportType=NONSENSE", 500)
    ask("POST", f"{here}/exports/", 201, json={"title": "All"})
    ask("GET", f"{here}/exports/")
    ask("GET", f"{here}/summary/")
    hook = {"url": "http://127.0.0.1:9/hook", "project": project, "is_active": False}
    ask("POST", "/api/webhooks/", 403, json=hook)
    key = ask("GET", "/api/current-user/token", 200, 404).json().get("token", "")
    visitor.get("/api/projects/", 200, 401, headers={"Authorization": f"Token {key}"})
    ask("POST", "/api/invite/reset-token", 201, 404)
    ask("DELETE", f"/api/tasks/{first}/", 204)
    ask("DELETE", here + "/", 204)
    visitor.get("/logout", 302)
    visitor.get("/projects/", 302)


APP = Application(
    name="label_studio",
    framework="Django",
    uses=("SQLite", "files", "threads"),
    packages=("label-studio==1.23.2",),
    server=("label-studio", "start", "--no-browser", "--port", "{port}"),
    environment={
        "LABEL_STUDIO_BASE_DATA_DIR": "{state}",
        "DJANGO_DB": "sqlite",
        "SECRET_KEY": "6d1f2b8c9e0a4d53b7c86d1f2b8c9e0a4d53b7c8",
        "COLLECT_ANALYTICS": "0",
        "LATEST_VERSION_CHECK": "0",
    },
    prepare=prepare,
    drive=drive,
)
