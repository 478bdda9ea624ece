"""MWDB: a repository of malware samples, with users, tags, attributes, keys (Flask)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Make the tables and the administrator."""
    (place.state / "uploads").mkdir()
    place.run("mwdb-core", "configure", "--quiet", "basic")


def drive(visitor: Visitor) -> None:
    """Log in; upload samples, configurations and texts; search, tag, share; add a user."""
    visitor.get("/api/ping")
    visitor.get("/api/server")
    visitor.get("/api/file", 401)
    visitor.post("/api/auth/login", 403, json={"login": "admin", "password": "wrong"})
    admin = _log_in(visitor, "admin", "secret-of-admin")
    visitor.get("/api/auth/validate", headers=admin)
    visitor.get("/api/server/admin", headers=admin)
    definition = {"key": "origin", "label": "Origin", "description": "Whence", "hidden": False}
    visitor.post("/api/attribute", headers=admin, json=definition)
    visitor.post("/api/attribute", 400, headers=admin, json={"key": "a b"})
    options = '{"tags": [{"tag": "dropper"}], "attributes": [{"key": "origin", "value": "mail"}]}'
    sample = visitor.post(
        "/api/file",
        headers=admin,
        files={"file": ("invoice.exe", b"MZ" + bytes(range(256)) * 20, "application/octet-stream")},
        data={"options": options},
    ).json()["id"]
    empty = {"file": ("empty.bin", b"", "application/octet-stream")}
    visitor.post("/api/file", 400, headers=admin, files=empty)
    visitor.get(f"/api/file/{sample}", headers=admin)
    config = {
        "family": "emotet",
        "cfg": {"urls": ["http://c2.example.com/gate"], "key": "s3cr3t-of-bots", "port": 8080},
        "parent": sample,
    }
    child = visitor.post("/api/config", headers=admin, json=config).json()["id"]
    blob = {
        "blob_name": "strings",
        "blob_type": "raw_cfg",
        "content": "ann@example.com\n10.1.2.3\n",
        "parent": child,
    }
    text = visitor.post("/api/blob", headers=admin, json=blob).json()["id"]
    visitor.get("/api/object", headers=admin)
    visitor.get("/api/file?query=tag:dropper", headers=admin)
    visitor.get('/api/config?query=cfg.key:"s3cr3t-of-bots"', headers=admin)
    visitor.get("/api/blob?query=content:*example.com*", headers=admin)
    visitor.get("/api/file?query=size:(", 400, headers=admin)
    visitor.get("/api/object/count?query=upload_time:[2020-01-01 TO *]", headers=admin)
    visitor.post("/api/search", headers=admin, json={"query": 'file.name:"invoice*"'})
    visitor.get(f"/api/blob/{text}", headers=admin)
    visitor.get(f"/api/object/{sample}/relations", 200, 404, headers=admin)
    visitor.get(f"/api/file/{sample}/relations", headers=admin)
    visitor.put(f"/api/file/{sample}/tag", headers=admin, json={"tag": "Loader"})
    visitor.get("/api/tag?query=lo", headers=admin)
    said = {"comment": "Seen at bob@example.com's."}
    visitor.post(f"/api/file/{sample}/comment", headers=admin, json=said)
    visitor.get(f"/api/file/{sample}/comment", headers=admin)
    visitor.put(f"/api/object/{sample}/favorite", headers=admin)
    visitor.get("/api/config/stats", headers=admin)
    query = {"name": "mine", "query": "favorites:admin", "type": "file"}
    visitor.post("/api/file/quick_query", headers=admin, json=query)
    visitor.get("/api/file?query=favorites:admin", headers=admin)
    ticket = visitor.post(f"/api/file/{sample}/download", headers=admin).json()["token"]
    visitor.get(f"/api/file/{sample}/download?token={ticket}")
    visitor.get(f"/api/file/{sample}/download/zip", headers=admin)
    visitor.get(f"/api/file/{sample}/download?token=nonsense", 403)
    _keep_users(visitor, admin, sample)
    visitor.delete(f"/api/blob/{text}", headers=admin)
    visitor.get(f"/api/blob/{text}", 404, headers=admin)
    visitor.post("/api/auth/refresh", headers=admin)


def _log_in(visitor: Visitor, login: str, password: str) -> dict[str, str]:
    """Return the header by which a user is known."""
    given = {"login": login, "password": password}
    token = visitor.post("/api/auth/login", json=given).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def _keep_users(visitor: Visitor, admin: dict[str, str], sample: str) -> None:
    """Make a user, who sets a password and gets a key; share a sample."""
    person = {
        "email": "grace@example.com",
        "additional_info": "Analyst",
        "feed_quality": "high",
        "send_email": False,
    }
    visitor.post("/api/user/grace", headers=admin, json=person)
    visitor.post("/api/user/grace", 409, headers=admin, json=person)
    token = visitor.get("/api/user/grace/change_password", headers=admin).json()["token"]
    chosen = {"token": token, "password": "Correct-horse-9"}
    visitor.post("/api/auth/change_password", json=chosen)
    visitor.post("/api/auth/change_password", 403, json=chosen)
    grace = _log_in(visitor, "grace", "Correct-horse-9")
    visitor.get(f"/api/file/{sample}", 404, headers=grace)
    visitor.post("/api/group/analysts", headers=admin, json={"capabilities": ["adding_tags"]})
    membership = {"group_admin": True}
    visitor.post("/api/group/analysts/member/grace", headers=admin)
    visitor.put("/api/group/analysts/member/grace", headers=admin, json=membership)
    visitor.put(f"/api/file/{sample}/share", headers=admin, json={"group": "analysts"})
    visitor.get(f"/api/file/{sample}", headers=grace)
    issued = visitor.post("/api/user/grace/api_key", headers=grace, json={"name": "script"}).json()
    key = {"Authorization": f"Bearer {issued['token']}"}
    visitor.get("/api/file", headers=key)
    visitor.delete(f"/api/api_key/{issued['id']}", headers=grace)
    visitor.get("/api/file", 401, headers=key)
    visitor.get("/api/user", headers=admin)


APP = Application(
    name="mwdb",
    framework="Flask",
    uses=("PostgreSQL", "Redis", "files"),
    packages=("mwdb-core==2.20.0", "gunicorn==25.1.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "mwdb.app:app"),
    environment={
        "MWDB_POSTGRES_URI": "postgresql://postgres@{postgresql}",
        "MWDB_REDIS_URI": "{redis}",
        "MWDB_SECRET_KEY": "5f0d1d5c6b7a4e3f9a8b7c6d5e4f3a2b1c0d",
        "MWDB_ADMIN_PASSWORD": "secret-of-admin",
        "MWDB_UPLOADS_FOLDER": "{state}/uploads",
        "MWDB_ENABLE_RATE_LIMIT": "1",
        "MWDB_ENABLE_SSDEEP": "0",  # needs a library that no package brings
    },
    needs=frozenset({"postgresql", "redis"}),
    prepare=prepare,
    drive=drive,
    starts_in_state=True,
)
