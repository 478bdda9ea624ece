"""privacyIDEA: one-time passwords: tokens, policies, audit log, for other servers (Flask)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SETTINGS = """
SUPERUSER_REALM = ["super"]
SQLALCHEMY_DATABASE_URI = "postgresql+psycopg2://postgres@{postgresql}"
SECRET_KEY = "t0p-s3cr3t-of-privacyidea"
PI_PEPPER = "never-known-pepper"
PI_ENCFILE = "{state}/enckey"
PI_AUDIT_KEY_PRIVATE = "{state}/private.pem"
PI_AUDIT_KEY_PUBLIC = "{state}/public.pem"
PI_AUDIT_SQL_TRUNCATE = True
PI_LOGFILE = "{state}/privacyidea.log"
PI_UUID_FILE = "{state}/uuid.txt"
"""
USERS = """cornelius:x:1000:1000:Cornelius Koelbel,Room 1,+49 151 2960 1417,,cornelius@example.com:/home/c:/bin/sh
hans:x:1001:1001:Hans Muster,,,,hans@example.com:/home/h:/bin/sh
"""  # noqa: E501  # as passwd is
KEY = "3132333435363738393031323334353637383930"


def prepare(place: Place) -> None:
    """Make keys, tables, an administrator, and a file of users."""
    (place.state / "pi.cfg").write_text(place.fill(SETTINGS))
    (place.state / "users").write_text(USERS)
    for step in ("create_enckey", "create_audit_keys", "create_tables"):
        place.run("pi-manage", "setup", step)
    place.run("pi-manage", "admin", "add", "ann", "-e", "ann@example.com", "-p", "secret-of-ann")


def drive(visitor: Visitor) -> None:
    """Set up users and policies, enrol tokens, check one-time passwords, read the audit log."""
    visitor.get("/")
    visitor.get("/token/", 401)
    visitor.post("/auth", 401, json={"username": "ann", "password": "wrong"})
    answer = visitor.post("/auth", json={"username": "ann", "password": "secret-of-ann"}).json()
    ann = {"Authorization": answer["result"]["value"]["token"]}
    visitor.get("/auth/rights", headers=ann)
    visitor.get("/system/", headers=ann)
    visitor.post("/system/setConfig", headers=ann, json={"splitAtSign": "1"})
    resolver = {"type": "passwdresolver", "fileName": "users"}
    visitor.post("/resolver/file", headers=ann, json=resolver)
    visitor.get("/resolver/", headers=ann)
    visitor.post("/realm/home", headers=ann, json={"resolvers": "file"})
    visitor.post("/defaultrealm/home", headers=ann)
    visitor.get("/user/?username=*&realm=home", headers=ann)
    visitor.get("/user/?username=hans", headers=ann)
    hotp = {"type": "hotp", "otpkey": KEY, "pin": "1234", "user": "cornelius", "realm": "home"}
    serial = visitor.post("/token/init", headers=ann, json=hotp).json()["detail"]["serial"]
    made = {"type": "totp", "genkey": 1, "user": "hans", "realm": "home", "pin": "hans-pin"}
    totp = visitor.post("/token/init", headers=ann, json=made).json()["detail"]["serial"]
    word = {"type": "pw", "otpkey": "simple-word", "user": "hans", "realm": "home"}
    visitor.post("/token/init", headers=ann, json=word)
    visitor.post("/token/init", 500, headers=ann, json={"type": "nonsense"})
    visitor.get("/token/?pagesize=10&sortby=serial", headers=ann)
    visitor.get(f"/token/?serial={serial}", headers=ann)
    visitor.post("/validate/check", data={"user": "cornelius", "pass": "1234755224"})
    visitor.post("/validate/check", data={"user": "cornelius", "pass": "1234755224"})
    visitor.post("/validate/check", data={"user": "cornelius", "pass": "1234287082"})
    visitor.post("/validate/check", data={"user": "hans", "pass": "simple-word"})
    visitor.post("/validate/check", 400, data={"user": "nobody", "pass": "1"})
    visitor.get(f"/validate/check?serial={serial}&pass=1234359152")
    policy = {
        "scope": "authentication",
        "action": "challenge_response=hotp totp, passthru=userstore",
        "realm": "home",
        "active": True,
    }
    visitor.post("/policy/asking", headers=ann, json=policy)
    visitor.get("/policy/", headers=ann)
    asked = visitor.post("/validate/check", data={"user": "cornelius", "pass": "1234"}).json()
    reply = {
        "user": "cornelius",
        "transaction_id": asked["detail"]["transaction_id"],
        "pass": "969429",
    }
    visitor.post("/validate/check", data=reply)
    visitor.get("/token/challenges/", headers=ann)
    visitor.post(f"/token/disable/{totp}", headers=ann)
    visitor.post("/token/setpin", headers=ann, json={"serial": totp, "otppin": "4711"})
    described = {"serial": totp, "description": "Phone of Hans"}
    visitor.post("/token/set", headers=ann, json=described)
    visitor.post(f"/token/info/{totp}/room", headers=ann, json={"value": "12"})
    visitor.delete(f"/token/{totp}", headers=ann)
    visitor.delete(f"/token/{totp}", 404, headers=ann)
    visitor.get("/audit/?page=1&page_size=20", headers=ann)
    visitor.get("/audit/?user=cornelius", headers=ann)
    visitor.get("/audit/statistics", headers=ann)
    hans = {"username": "cornelius", "password": "1234520489"}
    visitor.post("/auth", 401, json=hans)
    visitor.get("/nowhere")  # the web interface, which knows its own pages


APP = Application(
    name="privacyidea",
    framework="Flask",
    uses=("PostgreSQL", "files"),
    packages=(
        "privacyIDEA==3.14",
        "psycopg2-binary==2.9.13",
        "gunicorn==27.0.1",
    ),
    server=(
        "gunicorn",
        "-b",
        "127.0.0.1:{port}",
        "--threads",
        "2",
        "--pythonpath",
        "{here}",
        "app:application",
    ),
    environment={"CORPUS_STATE": "{state}", "PRIVACYIDEA_CONFIGFILE": "{state}/pi.cfg"},
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
    starts_in_state=True,
)
