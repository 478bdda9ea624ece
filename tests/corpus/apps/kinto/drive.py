"""Kinto: a JSON store with buckets, permissions, history (Pyramid, SQLAlchemy on PostgreSQL)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

INI = """
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = postgresql://postgres:secret@{postgresql}
kinto.cache_backend = kinto.core.cache.postgresql
kinto.cache_url = postgresql://postgres:secret@{postgresql}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = postgresql://postgres:secret@{postgresql}
kinto.includes = kinto.plugins.default_bucket kinto.plugins.accounts kinto.plugins.history
kinto.userid_hmac_secret = corpus
kinto.bucket_create_principals = system.Authenticated
kinto.account_create_principals = system.Everyone
kinto.trailing_slash_redirect_enabled = true
kinto.paginate_by = 5
multiauth.policies = account basicauth
multiauth.policy.account.use = kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy
multiauth.policy.basicauth.use = kinto.core.authentication.BasicAuthAuthenticationPolicy
[server:main]
use = egg:waitress#main
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
ANN = ("ann", "secret-of-ann")


def prepare(place: Place) -> None:
    """Write the configuration, make the tables."""
    (place.state / "kinto.ini").write_text(place.fill(INI))
    place.run("kinto", "migrate", "--ini", "{state}/kinto.ini")


def drive(visitor: Visitor) -> None:
    """An account, a bucket, collections, records, and what goes wrong with them."""
    records = "/v1/buckets/house/collections/tasks/records"
    visitor.get("/", 307)
    visitor.get("/v1/")
    visitor.get("/v1/__heartbeat__")
    visitor.get("/v1/__lbheartbeat__")
    visitor.put("/v1/accounts/ann", 201, json={"data": {"password": ANN[1]}})
    visitor.put("/v1/accounts/ann", 401, json={"data": {"password": "other"}})
    visitor.get("/v1/accounts/ann", auth=ANN)
    visitor.get("/v1/buckets/house", 401, 403)
    visitor.put("/v1/buckets/house", 201, json={"data": {"colour": "red"}}, auth=ANN)
    visitor.put("/v1/buckets/house/collections/tasks", 201, auth=ANN)
    made = [
        visitor.post(
            records,
            201,
            json={"data": {"title": f"Task {n}", "done": n % 2 == 0, "n": n}},
            auth=ANN,
        ).json()["data"]
        for n in range(7)
    ]
    one = f"{records}/{made[0]['id']}"
    listed = visitor.get(records, auth=ANN)
    visitor.get(listed.headers["Next-Page"].removeprefix(visitor.base), auth=ANN)
    visitor.get(records, 304, auth=ANN, headers={"If-None-Match": listed.headers["ETag"]})
    visitor.get(f"{records}?done=true&_sort=-n&_fields=title", auth=ANN)
    visitor.get(f"{records}?_since={made[3]['last_modified']}", auth=ANN)
    visitor.get(f"{records}?like_title=task&min_n=3", auth=ANN)
    visitor.ask("HEAD", records, auth=ANN)
    visitor.get(one, auth=ANN)
    visitor.get(f"{records}/absent", 404, auth=ANN)
    visitor.patch(one, json={"data": {"done": False}}, auth=ANN)
    operation = [{"op": "replace", "path": "/data/title", "value": "Patched"}]
    patch = {"Content-Type": "application/json-patch+json"}
    visitor.patch(one, json=operation, auth=ANN, headers=patch)
    visitor.put(one, json={"data": {"title": "Put"}}, auth=ANN)
    visitor.put(one, 412, json={"data": {}}, auth=ANN, headers={"If-Match": '"1"'})
    visitor.put(one, 412, json={"data": {}}, auth=ANN, headers={"If-None-Match": "*"})
    visitor.post(records, 400, content="{nonsense", auth=ANN)
    batch = {
        "defaults": {"method": "POST", "path": records},
        "requests": [
            {"body": {"data": {"title": "Batched"}}},
            {"method": "GET", "path": one},
            {"method": "DELETE", "path": f"{records}/absent"},
        ],
    }
    visitor.post("/v1/batch", json=batch, auth=ANN)
    visitor.delete(f"{records}/{made[1]['id']}", auth=ANN)
    visitor.get(f"{records}?_since={made[0]['last_modified']}", auth=ANN)
    visitor.get("/v1/buckets/house/history", auth=ANN)
    visitor.get("/v1/buckets/default/collections/notes/records", auth=ANN)
    visitor.post("/v1/buckets/house/groups", 201, json={"data": {"members": ["bob"]}}, auth=ANN)
    visitor.get("/v1/buckets", auth=ANN)
    visitor.delete(records, auth=ANN)
    visitor.delete("/v1/buckets/house", auth=ANN)
    visitor.get("/v1/nowhere", 404)
    visitor.get("/v1/buckets/", 307)


APP = Application(
    name="kinto",
    framework="Pyramid",
    uses=("PostgreSQL",),
    packages=(
        "kinto==26.5.0",
        "SQLAlchemy==2.0.44",
        "psycopg2-binary==2.9.11",
        "zope.sqlalchemy==4.1",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"KINTO_INI": "{state}/kinto.ini"},
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
