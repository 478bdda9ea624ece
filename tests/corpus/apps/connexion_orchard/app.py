"""An orchard's API: Connexion's Flask application, which serves an OpenAPI document."""

import hashlib
import os
import secrets
import sqlite3
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import connexion
import jwt
import requests
from connexion.exceptions import OAuthProblem
from flask import Response, g, send_file

STATE = Path(os.environ["CORPUS_STATE"])
SECRET = os.environ["ORCHARD_SECRET"]


def database():
    """Return this request's connection."""
    if "database" not in g:
        g.database = sqlite3.connect(STATE / "orchard.db")
        g.database.row_factory = sqlite3.Row
    return g.database


def _hash(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 2000).hex()


def prepare():
    """Make the tables, and a first user."""
    with sqlite3.connect(STATE / "orchard.db") as made:
        made.executescript(
            "CREATE TABLE people(name TEXT PRIMARY KEY, salt BLOB, password TEXT);"
            "CREATE TABLE keys(digest TEXT PRIMARY KEY, person TEXT, made TEXT);"
            "CREATE TABLE trees(id INTEGER PRIMARY KEY, uid TEXT, kind TEXT, planted TEXT,"
            " height REAL, tags TEXT, etag TEXT);"
            "CREATE TABLE picked(tree INTEGER, kilos REAL, day TEXT);"
        )
        salt = secrets.token_bytes(16)
        made.execute("INSERT INTO people VALUES ('ann', ?, ?)", (salt, _hash("Lemon-17", salt)))


def by_password(username, password):
    with sqlite3.connect(STATE / "orchard.db") as asked:
        row = asked.execute("SELECT * FROM people WHERE name = ?", (username,)).fetchone()
    if row is None or not secrets.compare_digest(_hash(password, row[1]), row[2]):
        return None
    return {"sub": username}


def by_token(token):
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise OAuthProblem(str(error)) from error


def by_key(apikey):
    digest = hashlib.sha256(apikey.encode()).hexdigest()
    with sqlite3.connect(STATE / "orchard.db") as asked:
        row = asked.execute("SELECT person FROM keys WHERE digest = ?", (digest,)).fetchone()
    return {"sub": row[0]} if row else None


def login(user):
    now = int(time.time())
    claims = {"sub": user, "iat": now, "exp": now + 3600, "jti": uuid.uuid4().hex}
    return {"token": jwt.encode(claims, SECRET, algorithm="HS256"), "until": now + 3600}


def new_key(user):
    key = "orch_" + secrets.token_urlsafe(24)
    digest = hashlib.sha256(key.encode()).hexdigest()
    with database() as asked:
        made = datetime.now(UTC).isoformat()
        asked.execute("INSERT INTO keys VALUES (?, ?, ?)", (digest, user, made))
    return {"key": key, "made": made}, 201


def _as_tree(row):
    return {**dict(row), "tags": row["tags"].split(",") if row["tags"] else []}


def trees(kind=None, page=1, tag=()):
    words, given = ["1 = 1"], []
    if kind:
        words.append("kind = ?")
        given.append(kind)
    for one in tag:
        words.append("',' || tags || ',' LIKE ?")
        given.append(f"%,{one},%")
    found = database().execute(
        f"SELECT * FROM trees WHERE {' AND '.join(words)} ORDER BY id LIMIT 3 OFFSET ?",
        (*given, (page - 1) * 3),
    )
    return {"trees": [_as_tree(row) for row in found], "page": page}


def plant(body, user):
    with database() as asked:
        etag = hashlib.md5(repr(sorted(body.items())).encode()).hexdigest()
        uid = str(uuid.uuid4())
        made = asked.execute(
            "INSERT INTO trees(uid, kind, planted, height, tags, etag) VALUES (?, ?, ?, ?, ?, ?)",
            (
                uid,
                body["kind"],
                body["planted"],
                body.get("height", 1.5),
                ",".join(body.get("tags", [])),
                etag,
            ),
        )
    return {"id": made.lastrowid, "uid": uid, "by": user}, 201, {"ETag": f'"{etag}"'}


def tree(tree_id):
    row = database().execute("SELECT * FROM trees WHERE id = ?", (tree_id,)).fetchone()
    if row is None:
        return connexion.problem(404, "Not Found", f"there is no tree {tree_id}")
    if connexion.request.headers.get("if-none-match") == f'"{row["etag"]}"':
        return "", 304
    return _as_tree(row), 200, {"ETag": f'"{row["etag"]}"'}


def change(tree_id, body, user):
    with database() as asked:
        changed = asked.execute(
            "UPDATE trees SET kind = ?, planted = ?, height = ? WHERE id = ?",
            (body["kind"], body["planted"], body.get("height", 1.5), tree_id),
        ).rowcount
    if not changed:
        return connexion.problem(404, "Not Found", f"there is no tree {tree_id}")
    return tree(tree_id)


def fell(tree_id, user):
    with database() as asked:
        asked.execute("DELETE FROM trees WHERE id = ?", (tree_id,))
    return connexion.NoContent, 204


def add_photo(tree_id, photo, user, body=None):
    content = photo.read()
    folder = STATE / "photos"
    folder.mkdir(exist_ok=True)
    (folder / f"{tree_id}.png").write_bytes(content)
    digest = hashlib.sha1(content).hexdigest()
    return {"bytes": len(content), "sha1": digest, "note": (body or {}).get("note")}, 201


def photo(tree_id):
    path = STATE / "photos" / f"{tree_id}.png"
    if not path.exists():
        return connexion.problem(404, "Not Found", "no photo")
    return send_file(path, mimetype="image/png")


def pick(body):
    with database() as asked:
        day = body.get("day") or datetime.now(UTC).date().isoformat()
        asked.execute("INSERT INTO picked VALUES (?, ?, ?)", (body["tree"], body["kilos"], day))
    return {"day": day}, 201


def harvest():
    def lines():
        yield "tree,kilos,day\n"
        with sqlite3.connect(STATE / "orchard.db") as asked:
            for row in asked.execute("SELECT * FROM picked ORDER BY day, kilos"):
                yield ",".join(map(str, row)) + "\n"

    return Response(lines(), mimetype="text/csv")


def weather():
    answer = requests.get(f"{os.environ['ORIGIN']}/weather", timeout=5)
    answer.raise_for_status()
    return {"sky": answer.json()["sky"], "asked": time.time()}


def broken():
    database().execute("SELECT * FROM nowhere")


app = connexion.FlaskApp(__name__, specification_dir=Path(__file__).parent)
app.add_api("openapi.yaml", strict_validation=True, validate_responses=True)


@app.app.teardown_appcontext
def close(error):
    opened = g.pop("database", None)
    if opened is not None:
        opened.close()


if __name__ == "__main__":
    prepare()
