"""Chroma: a vector database with tokens (FastAPI on threads, SQLite, an index in native code)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor

TOKEN = "chr-5f2b7c1e9a4d4b6f8e3a"
BASE = "/api/v2/tenants/default_tenant/databases/default_database/collections"


def _vector(number: int) -> list[float]:
    return [round(math.sin(number * (place + 1)), 6) for place in range(8)]


def drive(visitor: Visitor) -> None:
    """Make collections, add, ask for what is near, filter, change, delete; and get it wrong."""
    headers = {"X-Chroma-Token": TOKEN}
    visitor.get("/api/v2")
    visitor.get("/api/v2/version")
    visitor.get("/api/v2/heartbeat")
    visitor.get("/api/v2/pre-flight-checks", headers=headers)
    visitor.get(BASE, 401, 403)
    visitor.get(BASE, 401, 403, headers={"X-Chroma-Token": "chr-wrong"})
    visitor.get("/api/v2/auth/identity", headers=headers)
    visitor.get(BASE, headers=headers)
    made = {"name": "notes", "metadata": {"hnsw:space": "cosine"}, "get_or_create": False}
    notes = visitor.post(BASE, 200, 201, json=made, headers=headers).json()["id"]
    visitor.post(BASE, 409, json=made, headers=headers)
    visitor.post(BASE, 200, json={**made, "get_or_create": True}, headers=headers)
    visitor.post(BASE, 400, json={"name": "x"}, headers=headers)
    visitor.get(f"{BASE}/notes", headers=headers)
    visitor.get(f"{BASE}/absent", 400, 404, headers=headers)
    one = f"{BASE}/{notes}"
    first = {
        "ids": [f"n{number}" for number in range(12)],
        "embeddings": [_vector(number) for number in range(12)],
        "metadatas": [{"page": number, "even": number % 2 == 0} for number in range(12)],
        "documents": [f"Note {number} of lemons and melons" for number in range(12)],
    }
    visitor.post(f"{one}/add", 200, 201, json=first, headers=headers)
    visitor.get(f"{one}/count", headers=headers)
    include = ["metadatas", "documents", "distances"]
    near = {"query_embeddings": [_vector(3), _vector(7)], "n_results": 3, "include": include}
    visitor.post(f"{one}/query", json=near, headers=headers)
    visitor.post(f"{one}/query", json={**near, "where": {"even": True}}, headers=headers)
    contains = {**near, "where_document": {"$contains": "Note 7"}}
    visitor.post(f"{one}/query", json=contains, headers=headers)
    wrong = {**near, "query_embeddings": [[0.1, 0.2]]}
    visitor.post(f"{one}/query", 400, json=wrong, headers=headers)
    visitor.post(f"{one}/query", 400, 422, 500, json={"n_results": "many"}, headers=headers)
    some = {"ids": ["n1", "n2"], "include": ["embeddings", "documents", "metadatas"]}
    visitor.post(f"{one}/get", json=some, headers=headers)
    paged = {"limit": 4, "offset": 4, "where": {"page": {"$gte": 2}}, "include": ["metadatas"]}
    visitor.post(f"{one}/get", json=paged, headers=headers)
    changed = {"ids": ["n3"], "embeddings": [_vector(30)], "documents": ["Note 3, anew"]}
    visitor.post(f"{one}/update", json=changed, headers=headers)
    upserted = {
        "ids": ["n4", "n40"],
        "embeddings": [_vector(44), _vector(40)],
        "documents": ["Note 4, anew", "Note 40"],
        "metadatas": [{"page": 4}, {"page": 40}],
    }
    visitor.post(f"{one}/upsert", json=upserted, headers=headers)
    visitor.post(f"{one}/query", json=near, headers=headers)
    visitor.post(f"{one}/delete", json={"ids": ["n5"]}, headers=headers)
    visitor.post(f"{one}/delete", json={"where": {"page": {"$gt": 9}}}, headers=headers)
    visitor.get(f"{one}/count", headers=headers)
    visitor.put(one, json={"new_name": "notes-2", "new_metadata": {"kept": "yes"}}, headers=headers)
    visitor.get(f"{BASE}?limit=5&offset=0", headers=headers)
    visitor.get(f"{BASE}_count", headers=headers)
    visitor.post("/api/v2/tenants", json={"name": "orchard"}, headers=headers)
    visitor.get("/api/v2/tenants/orchard", headers=headers)
    visitor.get("/api/v2/tenants/desert", 404, headers=headers)
    visitor.post("/api/v2/tenants/orchard/databases", json={"name": "trees"}, headers=headers)
    visitor.get("/api/v2/tenants/orchard/databases/trees", headers=headers)
    visitor.get("/api/v1/collections", 400, 404, 200, 410, headers=headers)
    visitor.delete(f"{BASE}/notes-2", headers=headers)
    visitor.delete(f"{BASE}/notes-2", 400, 404, headers=headers)
    visitor.post("/api/v2/reset", 400, headers=headers)


APP = Application(
    name="chromadb",
    framework="FastAPI",
    uses=("SQLite", "threads"),
    packages=(
        "chromadb==0.6.3",
        "chroma-hnswlib==0.7.6",
        "fastapi==0.115.6",
        "starlette==0.41.3",
        "numpy==2.2.6",
        "uvicorn==0.35.0",
    ),
    server=("uvicorn", "--port", "{port}", "chromadb.app:app"),
    environment={
        "IS_PERSISTENT": "TRUE",
        "PERSIST_DIRECTORY": "{state}/chroma",
        "ANONYMIZED_TELEMETRY": "False",
        "CHROMA_SERVER_AUTHN_PROVIDER": (
            "chromadb.auth.token_authn.TokenAuthenticationServerProvider"
        ),
        "CHROMA_SERVER_AUTHN_CREDENTIALS": TOKEN,
        "CHROMA_AUTH_TOKEN_TRANSPORT_HEADER": "X-Chroma-Token",
    },
    drive=drive,
)
