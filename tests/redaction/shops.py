"""Two shops that are told secrets: one of Flask's and one of FastAPI's, on sqlite and HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import bcrypt
import flask
import httpx
import jwt
import requests
from fastapi import FastAPI, HTTPException, Request, Response
from werkzeug.security import check_password_hash, generate_password_hash

from retrace_core import writer
from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"
CARD = "4242 4242 4242 4242"
PLAIN_CARD = 5555555555554444
BEARER = "tok_9f8e7d6c5b4a39281706"
EMAIL = "Grace.Hopper@example.com"
SIGNING = "a-signing-key-that-nobody-may-ever-read"
WEBHOOK = "whsec-of-the-other-side-0123456789"
AWS = "AKIAIOSFODNN7EXAMPLE"

SECRETS = (PASSWORD, CARD, str(PLAIN_CARD), BEARER, EMAIL, EMAIL.lower(), SIGNING, WEBHOOK, AWS)

_log = logging.getLogger("shop")


def make_database(file: Path) -> None:
    """Make the shop's database, with one user and one key."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE users (name TEXT, hash TEXT, email TEXT)")
        connection.execute("CREATE TABLE keys (digest TEXT, owner TEXT)")
        connection.execute("CREATE TABLE cards (owner TEXT, card_number TEXT, last TEXT)")
        connection.execute("CREATE TABLE sessions (token TEXT, owner TEXT)")
        connection.execute(
            "INSERT INTO users VALUES (?, ?, ?)",
            ("grace", generate_password_hash(PASSWORD), EMAIL.lower()),
        )
        connection.execute(
            "INSERT INTO users VALUES (?, ?, ?)",
            ("ada", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(), "a@example.com"),
        )
        digest = hashlib.sha256(BEARER.encode()).hexdigest()
        connection.execute("INSERT INTO keys VALUES (?, ?)", (digest, "grace"))


def flask_shop(file: Path, base: str) -> flask.Flask:
    """Return a shop with a session cookie, a form, a webhook and an API key."""
    app = flask.Flask("shop")
    app.secret_key = os.environ["SHOP_SIGNING_KEY"]

    def ask(sql: str, *parameters: object) -> list[Any]:
        with closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(sql, parameters).fetchall()

    @app.post("/login")
    def login() -> Any:
        form = flask.request.form
        ((hashed, email),) = ask("SELECT hash, email FROM users WHERE name = ?", form["user"])
        if not check_password_hash(hashed, form["password"]):
            return "wrong password", 403
        token = secrets.token_urlsafe(24)
        ask("INSERT INTO sessions (token, owner) VALUES (?, ?)", token, form["user"])
        flask.session["owner"] = form["user"]
        flask.session["mail"] = email
        _log.info("login with password=%s from %s", form["password"], email)
        answer = flask.jsonify(hello=email, same=email == form["email"].lower())
        answer.set_cookie("remember_token", token)
        return answer

    @app.post("/pay")
    def pay() -> Any:
        token = flask.request.headers["Authorization"].removeprefix("Bearer ")
        digest = hashlib.sha256(token.encode()).hexdigest()
        found = ask("SELECT owner FROM keys WHERE digest = ?", digest)
        card = flask.request.json["card_number"]
        ask("INSERT INTO cards VALUES (?, ?, ?)", found[0][0], card, card[-4:])
        body = {"card": card, "token": token}
        sent = requests.post(f"{base}/charge?api_key={token}", json=body, timeout=5).json()
        if sent["sent"] < 10:
            raise ValueError(f"card {card} refused")
        remembered = flask.request.cookies["remember_token"]
        owners = ask("SELECT owner FROM sessions WHERE token = ?", remembered)
        return {"owner": flask.session.get("owner"), "last": card[-4:], "same": len(owners)}

    @app.post("/hook")
    def hook() -> Any:
        body = flask.request.get_data()
        wanted = hmac.new(os.environ["SHOP_WEBHOOK_SECRET"].encode(), body, "sha256").hexdigest()
        given = flask.request.headers["X-Signature"]
        if not hmac.compare_digest(wanted, given):
            return "forged", 403
        return flask.jsonify(ok=True, mail=flask.request.json["mail"])

    @app.post("/fail")
    def fail() -> Any:
        raise ValueError(f"can't charge {flask.request.json['card_number']} of {EMAIL}")

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    return app


def use_flask(app: flask.Flask) -> None:
    """Send the shop's requests, with all the secrets."""
    client = app.test_client()
    form = {"user": "grace", "password": PASSWORD, "email": EMAIL}
    answer = client.post("/login", data=form, buffered=True)
    assert answer.json == {"hello": EMAIL.lower(), "same": True}
    headers = {"Authorization": f"Bearer {BEARER}", "X-Key": AWS}
    answer = client.post("/pay", json={"card_number": CARD}, headers=headers, buffered=True)
    assert answer.json == {"owner": "grace", "last": "4242", "same": 1}
    body = json.dumps({"mail": EMAIL}).encode()
    signature = hmac.new(WEBHOOK.encode(), body, "sha256").hexdigest()
    headers = {"X-Signature": signature, "Content-Type": "application/json"}
    answer = client.post("/hook", data=body, headers=headers, buffered=True)
    assert answer.json == {"ok": True, "mail": EMAIL}
    answer = client.post("/fail", json={"card_number": CARD}, buffered=True)
    assert answer.status_code == 500
    assert writer.flush(10)


def fastapi_shop(file: Path, base: str) -> FastAPI:
    """Return a shop with JSON, JWTs and a cookie."""
    app = FastAPI(title="shop")
    key = os.environ["SHOP_SIGNING_KEY"]

    def ask(sql: str, parameters: dict[str, object]) -> list[Any]:
        with closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(sql, parameters).fetchall()

    @app.post("/login")
    async def login(request: Request, response: Response) -> Any:
        given = await request.json()
        ((hashed,),) = ask("SELECT hash FROM users WHERE name = :name", {"name": given["user"]})
        if not bcrypt.checkpw(given["password"].encode(), hashed.encode()):
            raise HTTPException(403)
        session = secrets.token_hex(16)
        ask("INSERT INTO sessions VALUES (:token, :owner)", {"token": session, "owner": "ada"})
        response.set_cookie("session", session)
        claims = {"sub": given["user"], "email": given["email"]}
        return {"access_token": jwt.encode(claims, key, "HS256"), "token_type": "bearer"}

    @app.post("/pay")
    async def pay(request: Request) -> Any:
        token = request.headers["authorization"].partition(" ")[2]
        claims = jwt.decode(token, key, ["HS256"])
        card = (await request.json())["card_number"]
        ask("INSERT INTO cards VALUES (:a, :b, :c)", {"a": "ada", "b": card, "c": str(card)[-4:]})
        async with httpx.AsyncClient() as client:
            url = f"{base}/charge?token={token}"
            sent = (await client.post(url, json={"card": card}, timeout=5)).json()
        cookie = request.cookies["session"]
        owner = ask("SELECT owner FROM sessions WHERE token = :token", {"token": cookie})
        return {"mail": claims["email"], "sent": sent["sent"], "owner": owner[0][0]}

    app.add_middleware(RetraceMiddleware)
    return app


def use_fastapi(app: FastAPI) -> str:
    """Send the shop's requests, with all the secrets; returns the token that it gave."""

    async def main() -> str:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            given = {"user": "ada", "password": PASSWORD, "email": EMAIL}
            token: str = (await client.post("/login", json=given)).json()["access_token"]
            answer = await client.post(
                "/pay",
                json={"card_number": PLAIN_CARD},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.json()["mail"] == EMAIL
            assert answer.json()["owner"] == "ada"
            return token

    token = asyncio.run(main())
    assert writer.flush(10)
    return token
