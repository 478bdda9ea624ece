"""pgAdmin: a PostgreSQL server in a browser (Flask, SQLite; psycopg 3 to the server)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

DATA = """
CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE book (id serial PRIMARY KEY, title text, author_id int REFERENCES author (id));
INSERT INTO author (name) VALUES ('Ada'), ('Grace');
INSERT INTO book (title, author_id) SELECT 'Book ' || n, 1 + n % 2 FROM generate_series(1, 30) n;
"""


def prepare(place: Place) -> None:
    """Make pgAdmin's own database, with the first user and her server in it, and that server's."""
    host, _, rest = place.filled["postgresql"].partition(":")
    port, _, database = rest.partition("/")
    server = {
        "Name": "Corpus",
        "Group": "Servers",
        "Host": host,
        "Port": int(port),
        "MaintenanceDB": database,
        "Username": "postgres",
        "ConnectionParameters": {"sslmode": "prefer", "connect_timeout": 10},
    }
    servers = place.state / "servers.json"
    servers.write_text(json.dumps({"Servers": {"1": server}}))
    importing = f"import sys; sys.path[0] = {str(place.here)!r}; from app import app"
    place.run("python", "-c", importing)
    load = f"{importing}; from pgadmin4 import setup; setup.main()"
    place.run("python", "-c", load, "load-servers", str(servers), "--user", "ann@example.com")
    connect = f"import psycopg; c = psycopg.connect('postgresql://postgres:secret@{host}:{rest}')"
    place.run("python", "-c", f"{connect}; c.execute({DATA!r}); c.commit()")


def drive(visitor: Visitor) -> None:
    """Log in, add the server, connect, look into it, write and run SQL, change a row."""
    token = {"token": ""}

    def ask(method: str, path: str, *expect: int, **how: Any) -> Any:
        headers = {"X-pgA-CSRFToken": token["token"], "X-Requested-With": "XMLHttpRequest"}
        return visitor.ask(method, path, *expect, headers=headers, **how)

    def said(page: str) -> str:
        return re.findall(r"""csrfToken"?:\s*"([^"]+)"|csrf_token'\] = '([^']+)'""", page)[0][0]

    visitor.get("/", 302)
    visitor.get("/misc/ping")
    fields = {"email": "ann@example.com", "password": "wrong", "internal_button": "Login"}
    page = visitor.get("/login").text
    visitor.post("/authenticate/login", 302, data={**fields, "csrf_token": said(page)})
    page = visitor.get("/login").text
    right = {**fields, "password": "secret-of-ann", "csrf_token": said(page)}
    visitor.post("/authenticate/login", 302, data=right)
    visitor.get("/browser/")
    script = visitor.get("/browser/js/utils.js").text
    token["token"] = re.findall(r"pgAdmin\['csrf_token'\] = '([^']+)'", script)[0]
    visitor.get("/browser/js/endpoints.js")
    visitor.get("/user_management/current_user.js")
    ask("GET", "/browser/nodes/")
    ask("GET", "/preferences/get_all")
    ask("GET", "/browser/server_group/obj/")
    servers = "/browser/server"
    ask("GET", f"{servers}/nodes/1/")
    ask("GET", f"{servers}/obj/1/1")
    ask("POST", f"{servers}/obj/1/", 400, 410, 428, 500, json={"name": "Nothing"})
    ask("POST", f"{servers}/connect/1/1", data={"password": "secret"})
    ask("GET", f"{servers}/children/1/1")
    databases = ask("GET", "/browser/database/nodes/1/1/").json()["data"]
    name = next(one for one in databases if one["label"].startswith("test"))
    at = f"1/1/{name['_id']}"
    ask("POST", f"/browser/database/connect/{at}")
    ask("GET", f"/browser/database/children/{at}")
    ask("GET", f"/browser/database/sql/{at}")
    schemas = ask("GET", f"/browser/schema/nodes/{at}/").json()["data"]
    public = next(one for one in schemas if one["label"] == "public")
    at = f"{at}/{public['_id']}"
    tables = ask("GET", f"/browser/table/nodes/{at}/").json()["data"]
    book = next(one for one in tables if one["label"] == "book")
    ask("GET", f"/browser/table/obj/{at}/{book['_id']}")
    ask("GET", f"/browser/table/sql/{at}/{book['_id']}")
    ask("GET", f"/browser/table/stats/{at}/{book['_id']}")
    ask("GET", f"/browser/table/dependent/{at}/{book['_id']}")
    ask("GET", "/browser/role/nodes/1/1/")
    ask("GET", f"/dashboard/dashboard_stats/1/{name['_id']}?chart_names=session_stats,tps_stats")
    ask("GET", f"/dashboard/activity/1/{name['_id']}", 200, 404)
    editor = "/sqleditor"
    where = {"dbname": name["label"]}
    ask("POST", f"{editor}/initialize/sqleditor/4711/1/1/{name['_id']}", json=where)

    def run(sql: str) -> Any:
        ask("POST", f"{editor}/query_tool/start/4711", json={"sql": sql, "explain_plan": None})
        while True:
            data = ask("GET", f"{editor}/poll/4711", 200, 500).json()["data"]
            if data.get("status") != "Busy":
                return data

    run("SELECT b.id, title, name FROM book b JOIN author a ON a.id = author_id ORDER BY b.id")
    run("SELECT nothing FROM book")
    run("INSERT INTO author (name) VALUES ('Zoe') RETURNING id")
    run("SELECT now(), count(*) FROM book")
    ask("GET", f"{editor}/query_history/4711")
    ask("DELETE", f"{editor}/close/4711")
    ask("GET", "/settings/get_tree_state/", 200, 404)
    ask("PUT", "/preferences/", 500, json=[])
    ask("GET", "/browser/nothing/", 404)
    visitor.get("/logout", 200, 302)
    visitor.get("/browser/", 302)


APP = Application(
    name="pgadmin4",
    framework="Flask",
    uses=("SQLite", "PostgreSQL", "files", "threads"),
    packages=("pgadmin4==9.18", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "4", "app:app"),
    environment={
        "CORPUS_STATE": "{state}",
        "CONFIG_DISTRO_FILE_PATH": "{here}/settings.py",
        "PGADMIN_SETUP_EMAIL": "ann@example.com",
        "PGADMIN_SETUP_PASSWORD": "secret-of-ann",
    },
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
