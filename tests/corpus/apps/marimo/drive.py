"""Marimo: notebooks in the browser (Starlette), by its own command, with kernels in processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

NOTEBOOK = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    prices = {"lemons": 3, "plums": 5}
    return mo, prices


@app.cell
def _(prices):
    total = sum(prices.values())
    total
    return


if __name__ == "__main__":
    app.run()
"""


def prepare(place: Place) -> None:
    """Write a notebook and some data."""
    work = place.state / "work"
    work.mkdir()
    (work / "shop.py").write_text(NOTEBOOK)
    (work / "prices.csv").write_text("fruit,price\nlemons,3\nplums,5\n")
    (work / "notes.md").write_text("# Notes\n\nLemons are in.\n")


def drive(visitor: Visitor) -> None:
    """Log in, look around, make, copy, move and delete files, open a notebook."""
    visitor.get("/", 200, 302, 303, 307)
    visitor.get("/auth/login")
    visitor.post("/auth/login", 200, 401, data={"password": "wrong"})
    visitor.post("/auth/login", 302, 303, data={"password": "A-good-password-7"})
    page = visitor.get("/").text
    marker = '"serverToken": "'
    start = page.find(marker)
    token = page[start + len(marker) :].split('"')[0] if start >= 0 else ""
    headers = {"Marimo-Server-Token": token, "Marimo-Session-Id": "s_ab12cd"}

    def post(url: str, *expect: int, **body: Any) -> Any:
        return visitor.post(url, *expect, headers=headers, json=body)

    visitor.get("/health")
    visitor.get("/api/status")
    visitor.get("/api/version")
    visitor.get("/api/environment", headers=headers)
    visitor.get("/api/usage", headers=headers)
    visitor.get("/api/status/connections", headers=headers)
    root = visitor.get("/api/files/roots", headers=headers).json()
    listed = post("/api/files/list_files").json()
    folder = listed["root"] if "root" in listed else str(root)
    post("/api/home/workspace_files", includeMarkdown=True)
    post("/api/home/recent_files")
    post("/api/files/search", query="pric")
    post("/api/files/file_details", path=f"{folder}/prices.csv")
    upload = {"file": ("stock.csv", b"fruit,stock\nlemons,12\n", "text/csv")}
    visitor.post(
        "/api/files/create",
        headers=headers,
        data={"path": folder, "type": "file", "name": "stock.csv"},
        files=upload,
    )
    post("/api/files/copy", path=f"{folder}/stock.csv", newPath=f"{folder}/stock2.csv")
    post("/api/files/move", path=f"{folder}/stock2.csv", newPath=f"{folder}/old.csv")
    post("/api/files/update", path=f"{folder}/old.csv", contents="fruit,stock\nplums,2\n")
    visitor.get(f"/api/files/download?path={folder}/old.csv", 200, 400, 404, headers=headers)
    post("/api/files/delete", path=f"{folder}/old.csv")
    visitor.get("/?file=shop.py")
    post("/api/kernel/save_user_config", config={"display": {"theme": "dark"}})
    post("/api/home/running_notebooks")
    post("/api/home/tutorial/open", tutorialId="intro")
    visitor.get("/api/packages/list", headers=headers)
    visitor.get("/api/export/availability", headers=headers)
    visitor.get("/favicon.ico")
    visitor.get("/nothing", 404)
    visitor.post("/api/home/recent_files", 401, 403, headers={})


APP = Application(
    name="marimo",
    framework="Starlette",
    uses=("files", "processes", "threads"),
    packages=("marimo==0.25.2", "uvicorn==0.54.0"),
    server=(
        "marimo",
        "edit",
        "{state}/work",
        "--headless",
        "--host",
        "127.0.0.1",
        "--port",
        "{port}",
        "--token-password",
        "A-good-password-7",
        "--skip-update-check",
    ),
    environment={"XDG_CONFIG_HOME": "{state}/config", "XDG_STATE_HOME": "{state}/xdg"},
    prepare=prepare,
    drive=drive,
)
