"""Pages, a form, a table, uploads and storage, as NiceGUI's manual has them, on FastAPI."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, UploadFile
from nicegui import app as pages
from nicegui import run, ui

api = FastAPI(title="Corpus")
FOLDER = Path(os.environ["CORPUS_STATE"]) / "uploads"
FOLDER.mkdir(exist_ok=True)
pages.add_static_files("/files", FOLDER)


def _count(path: Path) -> int:
    return len(path.read_bytes().split())


@ui.page("/")
def index() -> None:
    """The first page: how often one was here, and when."""
    pages.storage.user["visits"] = pages.storage.user.get("visits", 0) + 1
    ui.label(f"Visit {pages.storage.user['visits']} at {datetime.now(UTC).isoformat()}")
    ui.link("Notes", notes)


@ui.page("/notes")
async def notes(request: Request, q: str = "") -> None:
    """A table of notes; the words in each file are counted in a thread."""
    ui.page_title("Notes")
    dark = ui.dark_mode(value=pages.storage.user.get("dark", False))
    ui.switch("Dark").bind_value(dark)
    rows = []
    for path in sorted(FOLDER.iterdir()):
        if q in path.name:
            words = await run.io_bound(_count, path)
            rows.append({"name": path.name, "size": path.stat().st_size, "words": words})
    columns = [{"name": name, "label": name, "field": name} for name in ("name", "size", "words")]
    ui.table(columns=columns, rows=rows, row_key="name", title=request.headers.get("x-title"))
    with ui.card(), ui.row():
        name = ui.input("Name", validation={"Too short": lambda value: len(value) > 2})
        ui.button("Add", on_click=lambda: ui.notify(name.value))
    ui.markdown("Some **bold** text\n\n```python\nprint(1)\n```")
    ui.echart({"xAxis": {"data": ["a", "b"]}, "yAxis": {}, "series": [{"data": [1, 2]}]})
    ui.timer(60, lambda: ui.notify("tick"))


@ui.page("/note/{name}")
def note(name: str) -> None:
    """One note."""
    path = FOLDER / Path(name).name
    if not path.exists():
        raise HTTPException(404, "no such note")
    ui.code(path.read_text())
    ui.upload(on_upload=lambda event: ui.notify(event.name), label="Another")


@api.post("/api/notes")
async def add(file: UploadFile) -> dict[str, object]:
    """Keep a file."""
    content = await file.read()
    path = FOLDER / Path(file.filename or "unnamed").name
    path.write_bytes(content)
    pages.storage.general["last"] = path.name
    return {"name": path.name, "size": len(content), "at": datetime.now(UTC).isoformat()}


@api.put("/api/preferences")
async def prefer(request: Request) -> dict[str, object]:
    """Keep what somebody prefers."""
    given = json.loads(await request.body())
    if not isinstance(given.get("dark"), bool):
        raise HTTPException(422, "dark is true or false")
    return {"kept": given, "last": pages.storage.general.get("last")}


@api.delete("/api/notes/{name}")
def remove(name: str) -> dict[str, bool]:
    """Take a note away."""
    path = FOLDER / Path(name).name
    if not path.exists():
        raise HTTPException(404, "no such note")
    path.unlink()
    return {"removed": True}


ui.run_with(api, storage_secret="corpus-secret", title="Corpus")
