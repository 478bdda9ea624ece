"""FastAPI Users: accounts by JWT and by cookie, resets and verifications (aiosqlite)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Register, log in by both ways, change and reset a password, verify; the chief looks on."""
    ann = {"email": "ann@club.example", "password": "Lemon-Tree-17", "nickname": "Ann"}
    bob = {"email": "bob@club.example", "password": "Plum-Tree-18!"}
    visitor.get("/openapi.json")
    visitor.post("/auth/register", json=ann)
    visitor.post("/auth/register", 400, json=ann)
    visitor.post("/auth/register", 400, json={**bob, "password": "short"})
    visitor.post("/auth/register", 422, json={**bob, "email": "nothing"})
    visitor.post("/auth/register", json=bob)
    form = {"username": ann["email"], "password": ann["password"]}
    visitor.post("/auth/jwt/login", 400, data={**form, "password": "Wrong-Tree-17"})
    visitor.post("/auth/jwt/login", 400, data={**form, "username": "nobody@club.example"})
    token = visitor.post("/auth/jwt/login", data=form).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    visitor.get("/hello", 401)
    visitor.get("/hello", headers=bearer)
    visitor.get("/users/me", headers=bearer)
    visitor.get("/users/me", 401, headers={"Authorization": f"Bearer {token[:-3]}abc"})
    visitor.patch("/users/me", headers=bearer, json={"nickname": "Änne"})
    visitor.get("/secret", 403, headers=bearer)
    visitor.post("/auth/request-verify-token", json={"email": ann["email"]})
    verify = visitor.get(f"/outbox/{ann['email']}.verify").json()["token"]
    visitor.post("/auth/verify", 400, json={"token": verify + "x"})
    visitor.post("/auth/verify", json={"token": verify})
    visitor.post("/auth/verify", 400, json={"token": verify})
    visitor.get("/secret", headers=bearer)
    visitor.post("/auth/forgot-password", json={"email": ann["email"]})
    visitor.post("/auth/forgot-password", json={"email": "nobody@club.example"})
    reset = visitor.get(f"/outbox/{ann['email']}.reset").json()["token"]
    visitor.post("/auth/reset-password", 400, json={"token": reset, "password": "short"})
    visitor.post("/auth/reset-password", json={"token": reset, "password": "Cherry-Tree-20"})
    visitor.post("/auth/reset-password", 400, json={"token": reset, "password": "Cherry-Tree-21"})
    visitor.post("/auth/jwt/login", 400, data=form)
    visitor.post("/auth/cookie/login", data={**form, "password": "Cherry-Tree-20"})
    visitor.get("/hello")
    visitor.get("/members")
    visitor.post("/notes", json={"line": "the gate squeaks"})
    visitor.post("/notes", json={"line": "it does no more"})
    visitor.post("/invite", params={"to": "carl@other.example"})
    visitor.patch("/users/me", 400, json={"email": bob["email"]})
    visitor.patch("/users/me", json={"email": "anne@club.example", "password": "Quince-Tree-22"})
    visitor.post("/auth/cookie/logout")
    visitor.get("/hello", 401)
    chief = {"username": "chief@club.example", "password": "Walnut-Tree-19"}
    visitor.post("/auth/cookie/login", data=chief)
    me = visitor.get("/users/me").json()["id"]
    visitor.get(f"/users/{me}")
    visitor.get("/users/00000000-0000-0000-0000-000000000000", 404)
    visitor.post("/auth/cookie/logout")
    visitor.get("/members", 401)


APP = Application(
    name="fastapi_users_club",
    framework="FastAPI",
    uses=("SQLite", "files", "threads"),
    packages=(
        "fastapi-users[sqlalchemy]==15.0.5",
        "aiosqlite==0.21.0",
        "aiosmtplib==5.1.0",
        "uvicorn==0.54.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={
        "CORPUS_STATE": "{state}",
        "CLUB_SECRET": "many-members-and-one-cellar-only-0123456789",
    },
    drive=drive,
)
