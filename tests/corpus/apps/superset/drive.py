"""Superset: databases, SQL Lab, datasets, charts, dashboards, by its API and its pages (Flask)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PASSWORD = "a-pass-of-ann-4711"
SALES = """
import random, sqlite3, sys
fruits = ["apple", "lemon", "plum"]
with sqlite3.connect(sys.argv[1]) as to:
    to.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, fruit TEXT, day TEXT, price REAL)")
    for n in range(90):
        row = (fruits[n % 3], f"2026-{n % 9 + 1:02}-1{n % 7}", n * 1.25)
        to.execute("INSERT INTO sales (fruit, day, price) VALUES (?, ?, ?)", row)
"""


def prepare(place: Place) -> None:
    """Make the tables, an administrator, roles, and a database to look at."""
    place.run("superset", "db", "upgrade")
    place.run(
        *("superset", "fab", "create-admin", "--username", "ann", "--firstname", "Ann"),
        *("--lastname", "A", "--email", "ann@example.com", "--password", PASSWORD),
    )
    place.run("superset", "init")
    place.run("python", "-c", SALES, str(place.state / "sales.db"))


def drive(visitor: Visitor) -> None:
    """Log in, by the API and by the page; explore a table; put a chart on a dashboard."""
    api = "/api/v1"
    visitor.get("/", 302)
    login = {"username": "ann", "password": PASSWORD, "provider": "db", "refresh": True}
    visitor.post(f"{api}/security/login", 401, json={**login, "password": "no"})
    said = visitor.post(f"{api}/security/login", json=login).json()
    bearer = {"Authorization": f"Bearer {said['access_token']}"}
    token = visitor.get(f"{api}/security/csrf_token/", headers=bearer).json()["result"]
    writes = {**bearer, "X-CSRFToken": token, "Referer": visitor.base}

    def get(path: str, *expect: int) -> Any:
        return visitor.get(f"{api}/{path}", *expect, headers=bearer)

    def post(path: str, *expect: int, **what: Any) -> Any:
        return visitor.post(f"{api}/{path}", *expect, json=what, headers=writes).json()

    get("me/")
    get("me/roles/")
    get("database/available/")
    address = "sqlite:///sales.db"  # in the folder where the server was started
    post("database/test_connection/", database_name="sales", sqlalchemy_uri=address)
    database = post("database/", 201, database_name="sales", sqlalchemy_uri=address)["id"]
    post("database/", 422, database_name="sales", sqlalchemy_uri=address)
    get("database/")
    get(f"database/{database}")
    get(f"database/{database}/schemas/")
    get(f"database/{database}/tables/?q=(schema_name:main)")
    get(f"database/{database}/table_metadata/?name=sales&schema=main")
    visitor.post(
        f"{api}/sqllab/execute/",
        json={
            "database_id": database,
            "sql": "SELECT fruit, count(*) AS n, avg(price) FROM sales GROUP BY fruit",
            "schema": "main",
            "client_id": "a1b2c3d4e",
            "runAsync": False,
        },
        headers=writes,
    )
    post(
        "sqllab/execute/",
        500,
        422,
        400,
        403,
        database_id=database,
        sql="SELECT nothing FROM nowhere",
    )
    get("query/?q=(page_size:5)")
    dataset = post("dataset/", 201, database=database, schema="main", table_name="sales")["id"]
    get(f"dataset/{dataset}")
    visitor.put(f"{api}/dataset/{dataset}", json={"description": "what we sold"}, headers=writes)
    asked = {
        "datasource": {"id": dataset, "type": "table"},
        "force": False,
        "result_format": "json",
        "result_type": "full",
        "queries": [
            {
                "columns": ["fruit"],
                "metrics": ["count"],
                "filters": [{"col": "price", "op": ">", "val": 10}],
                "orderby": [["count", False]],
                "row_limit": 100,
            }
        ],
    }
    post("chart/data", **asked)
    post("chart/data", **asked)  # from the cache
    post("chart/data", **{**asked, "force": True})
    visitor.post(f"{api}/chart/data", json={**asked, "result_format": "csv"}, headers=writes)
    chart = post(
        "chart/",
        201,
        slice_name="fruits",
        viz_type="table",
        datasource_id=dataset,
        datasource_type="table",
        params=json.dumps({"viz_type": "table", "groupby": ["fruit"], "metrics": ["count"]}),
    )["id"]
    get(f"chart/{chart}")
    get("chart/?q=(order_column:changed_on_delta_humanized,order_direction:desc,page_size:5)")
    board = post("dashboard/", 201, dashboard_title="Sales", slug="sales", published=True)["id"]
    visitor.put(f"{api}/chart/{chart}", json={"dashboards": [board]}, headers=writes)
    get(f"dashboard/{board}")
    get(f"dashboard/{board}/charts")
    get(f"dashboard/{board}/datasets")
    get("dashboard/nowhere", 404)
    get("explore/?slice_id=" + str(chart))
    visitor.get(f"{api}/dashboard/export/?q=!({board})", headers=bearer)
    visitor.get(f"{api}/database/export/?q=!({database})", headers=bearer)
    post(
        "security/guest_token/", 200, 400, 403, 404, user={"username": "bob"}, resources=[], rls=[]
    )
    get("log/?q=(page_size:5)")
    visitor.send_form(
        "/login/", {"username": "ann", "password": "no"}, 200, 302, token="csrf_token"
    )
    visitor.send_form("/login/", {"username": "ann", "password": PASSWORD}, 302, token="csrf_token")
    visitor.get("/superset/welcome/")
    visitor.get("/superset/dashboard/sales/")
    visitor.get("/tablemodelview/list/")
    visitor.get("/users/list/", 200, 404)
    visitor.delete(f"{api}/chart/{chart}", headers=writes)
    visitor.delete(f"{api}/chart/{chart}", 404, headers=writes)
    visitor.get("/logout/", 302)


APP = Application(
    name="superset",
    framework="Flask",
    uses=("SQLite", "files", "threads"),
    packages=(
        "apache-superset==6.1.0",
        "marshmallow==3.26.2",
        "flask-caching==2.3.1",
        "cachetools==5.5.2",
        "gunicorn==27.0.1",
    ),
    server=(
        "gunicorn",
        "--bind",
        "127.0.0.1:{port}",
        "--threads",
        "4",
        "superset.app:create_app()",
    ),
    environment={
        "SUPERSET_CONFIG_PATH": "{here}/superset_config.py",
        "SUPERSET_STATE": "{state}",
        "SUPERSET_KEY": "Zk3-a-key-of-this-test-only-9q2r5s8t",
        "FLASK_APP": "superset.app:create_app()",
    },
    starts_in_state=True,
    prepare=prepare,
    drive=drive,
)
