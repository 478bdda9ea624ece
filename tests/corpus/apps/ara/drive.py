"""ARA: what Ansible did, in a database with an API and pages (Django, REST framework, SQLite)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

ADMIN = {"username": "ann", "password": "secret-of-ann"}


def prepare(place: Place) -> None:
    """Make the tables and an administrator."""
    (place.state / "settings.yaml").write_text("default: {}\n")
    place.run("ara-manage", "migrate")
    place.run("ara-manage", "createsuperuser", "--noinput", "--email", "ann@example.com")


def drive(visitor: Visitor) -> None:
    """Record a run as Ansible's plugin does, look at it, correct it in the admin."""
    api = "/api/v1"

    def create(kind: str, *expect: int, **fields: object) -> int:
        made = visitor.post(f"{api}/{kind}", *(expect or (201,)), json=fields)
        return int(made.json().get("id", 0)) if made.status_code == 201 else 0

    visitor.get("/api/")
    visitor.get(f"{api}/")
    book = create(
        "playbooks",
        ansible_version="2.19",
        path="/srv/site.yml",
        status="running",
        arguments={"check": True},
        labels=["nightly", "web"],
    )
    play = create("plays", name="web", status="running", playbook=book, uuid="6a5b" + "0" * 28)
    file = create("files", path="/srv/site.yml", content="- hosts: web\n", playbook=book)
    hosts = [create("hosts", name=f"web{n}", playbook=book, facts={"n": n}) for n in range(2)]
    task = create(
        "tasks",
        name="Install",
        action="apt",
        lineno=4,
        tags=["pkg"],
        handler=False,
        status="running",
        play=play,
        file=file,
        playbook=book,
    )
    for host, status in zip(hosts, ("ok", "failed"), strict=True):
        create(
            "results",
            status=status,
            host=host,
            task=task,
            play=play,
            playbook=book,
            content={"msg": status, "changed": status == "ok"},
            started="2026-01-01T00:00:00Z",
            ended="2026-01-01T00:00:02Z",
        )
    create("records", key="version", value="1.2", type="text", playbook=book)
    create("records", 400, key="version")
    create("playbooks", 400, path="/srv/none.yml")
    visitor.patch(f"{api}/playbooks/{book}", json={"status": "failed", "name": "Nightly"})
    visitor.get(f"{api}/playbooks")
    visitor.get(f"{api}/playbooks?status=failed&order=-started&label=web")
    visitor.get(f"{api}/playbooks/{book}")
    visitor.get(f"{api}/playbooks/999", 404)
    visitor.get(f"{api}/results?status=failed")
    visitor.get(f"{api}/tasks?playbook={book}")
    visitor.get(f"{api}/hosts?name=web")
    visitor.get(f"{api}/files/{file}")
    visitor.get("/")
    visitor.get("/hosts")
    visitor.get(f"/playbooks/{book}.html")
    visitor.get(f"/hosts/{hosts[0]}.html")
    visitor.get("/results/1.html")
    visitor.get(f"/files/{file}.html")
    visitor.get("/records/1.html")
    visitor.get("/results/999.html", 404)
    visitor.get("/admin/", 302)
    token = "csrfmiddlewaretoken"
    login = "/admin/login/?next=/admin/"
    visitor.send_form(login, {**ADMIN, "password": "wrong"}, 200, token=token)
    visitor.send_form(login, ADMIN, 302, token=token)
    visitor.get("/admin/")
    visitor.get("/admin/api/record/")
    record = {"playbook": str(book), "key": "owner", "value": '"web"', "type": "text"}
    visitor.send_form("/admin/api/record/add/", record, 302, token=token)
    visitor.send_form("/admin/api/record/add/", {**record, "key": ""}, 200, token=token)
    visitor.get("/admin/api/record/?q=owner")
    visitor.send_form("/admin/api/record/2/delete/", {"post": "yes"}, 302, token=token)
    visitor.post("/admin/api/record/add/", 403, data=record)
    visitor.delete(f"{api}/records/1", 204)
    visitor.delete(f"{api}/playbooks/{book}", 204)
    visitor.get(f"{api}/playbooks")
    visitor.get("/nowhere", 404)


APP = Application(
    name="ara",
    framework="Django",
    uses=("SQLite",),
    packages=("ara[server]==1.8.0", "Django==5.2.9", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "ara.server.wsgi:application"),
    environment={
        "ARA_BASE_DIR": "{state}",
        "ARA_SECRET_KEY": "corpus",
        "ARA_SETTINGS": "{state}/settings.yaml",
        "DJANGO_SUPERUSER_USERNAME": ADMIN["username"],
        "DJANGO_SUPERUSER_PASSWORD": ADMIN["password"],
        "DJANGO_SETTINGS_MODULE": "ara.server.settings",
    },
    prepare=prepare,
    drive=drive,
)
