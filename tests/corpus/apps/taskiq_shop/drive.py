"""A shop on FastAPI whose orders taskiq and arq work on, with Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Fill the shop, log in, order, wait, watch, be refused."""
    visitor.get("/products")
    for n in range(4):
        visitor.put(
            f"/products/p{n}",
            json={"sku": f"p{n}", "name": f"Thing {n}", "price": f"{n + 1}.50", "stock": 5},
        )
    visitor.put("/products/bad", 422, json={"sku": "bad"})
    csv = b"sku,name,price\nq1,Pear,0.75\nq2,Plum,1.25\n"
    visitor.post("/products/upload", files={"file": ("more.csv", csv, "text/csv")})
    visitor.get("/products?cheapest=1&most=3")
    visitor.get("/products/p1")
    visitor.get("/products/none", 404)
    visitor.get("/orders", 401)
    ann = {"email": "ann@shop.example", "password": "Gl4d-Summer-Rain"}
    job = visitor.post("/register", json=ann).json()["job"]
    visitor.post("/register", 409, json=ann)
    visitor.post("/login", 403, json={**ann, "password": "wrong"})
    visitor.post("/login", json=ann)
    visitor.get(f"/jobs/{job}")
    lines = [{"sku": "p1", "count": 2}, {"sku": "p3", "count": 1}]
    first = visitor.post("/orders", json={"email": ann["email"], "lines": lines}).json()
    visitor.get(f"/orders/{first['order']}/task/{first['task']}")
    visitor.post("/orders/now", json={"email": ann["email"], "lines": lines})
    visitor.get(f"/orders/{first['order']}/task/{first['task']}")
    visitor.get(f"/orders/{first['order']}/events")
    visitor.post("/orders", 422, json={"email": ann["email"], "lines": [{"sku": "p1", "count": 0}]})
    visitor.get("/orders")
    visitor.post(f"/orders/{first['order']}/refund", 409)
    visitor.post("/reports")
    later = visitor.post("/reports/later").json()["job"]
    visitor.get(f"/jobs/{later}")
    visitor.get("/jobs/nowhere")
    visitor.get("/jobs")
    for _ in range(3):
        visitor.post("/orders", json={"email": ann["email"], "lines": lines[:1]})
    visitor.get("/orders")
    for _ in range(5):
        visitor.post("/login", 403, 429, json={"email": "eve@shop.example", "password": "guess"})
    visitor.get("/openapi.json")


APP = Application(
    name="taskiq_shop",
    framework="FastAPI",
    uses=("Redis", "taskiq", "arq", "tasks"),
    packages=(
        "taskiq==0.13.0",
        "taskiq-redis==1.2.4",
        "taskiq-fastapi==0.5.0",
        "arq==0.25.0",
        "redis==8.1.0",
        "fastapi==0.165.0",
        "uvicorn==0.54.0",
        "python-multipart==0.0.34",
        "honcho==2.0.0",
    ),
    server=("honcho", "-d", "{here}", "-f", "{here}/Procfile", "start"),
    environment={"CORPUS_REDIS": "{redis}", "SHOP_PORT": "{port}"},
    needs=frozenset({"redis"}),
    drive=drive,
)
