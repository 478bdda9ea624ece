"""Things to do, for each user: FastHTML with its own database layer, as its manual shows it."""

import asyncio
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from pathlib import Path

import fastlite
from fasthtml import common as fh
from starlette.datastructures import UploadFile

STATE = Path(os.environ["CORPUS_STATE"])

db = fastlite.database(STATE / "todo.db")
tasks, users, notes = db.t.tasks, db.t.users, db.t.notes
if users not in db.t:
    users.create(name=str, password=str, api_token=str, pk="name")
    tasks.create(id=int, title=str, done=bool, owner=str, place=int, made=str, pk="id")
    notes.create(id=int, task=int, file=str, size=int, pk="id", foreign_keys=[("task", "tasks")])
Task, User, Note = tasks.dataclass(), users.dataclass(), notes.dataclass()
TO_LOGIN = fh.RedirectResponse("/login", status_code=303)


def before(request, session):
    """Let nobody in who is not known."""
    name = request.scope["auth"] = session.get("auth")
    if not name:
        return TO_LOGIN
    tasks.xtra(owner=name)
    return None


app, _ = fh.fast_app(
    before=fh.Beforeware(before, skip=[r"/favicon\.ico", r".*\.css", "/login", "/api/.*"]),
    hdrs=(fh.Style("body { margin: 2em }"),),
    key_fname=str(STATE / "sesskey"),
)
fh.setup_toasts(app)


@dataclass
class Login:
    """What a form has."""

    name: str
    password: str


@fh.patch
def __ft__(self: Task):
    mark = "x " if self.done else ""
    edit = fh.AX("edit", f"/tasks/{self.id}", "current")
    return fh.Li(mark, self.title, " (", self.made, ") ", edit, id=f"task-{self.id}")


@app.get("/login")
def login_page():
    fields = fh.Input(id="name"), fh.Input(id="password", type="password")
    return fh.Titled("Login", fh.Form(*fields, fh.Button("login"), action="/login", method="post"))


@app.post("/login")
def log_in(login: Login, session):
    if not login.name or not login.password:
        return TO_LOGIN
    try:
        user = users[login.name]
    except fastlite.NotFoundError:
        user = users.insert(User(login.name, login.password, secrets.token_urlsafe(18)))
    if not compare_digest(user.password.encode(), login.password.encode()):
        fh.add_toast(session, "That is not right", "error")
        return TO_LOGIN
    session["auth"] = user.name
    return fh.RedirectResponse("/", status_code=303)


@app.get("/logout")
def logout(session):
    del session["auth"]
    return TO_LOGIN


@app.get("/")
def home(auth, session):
    form = fh.Form(fh.Input(id="new", name="title"), fh.Button("Add"), hx_post="/")
    token = fh.P("Token: ", users[auth].api_token)
    return fh.Titled(f"{auth}'s list", form, token, fh.Ul(*tasks(order_by="place"), id="list"))


@app.post("/")
def add(task: Task, session):
    task.made = datetime.now().isoformat(timespec="milliseconds")
    fh.add_toast(session, f"Added {task.title}", "success")
    return tasks.insert(task), fh.Input(id="new", name="title", hx_swap_oob="true")


@app.get("/tasks/{id}")
def show(id: int):
    task = tasks[id]
    form = fh.Form(fh.Hidden(id="id"), fh.Input(id="title"), fh.CheckboxX(id="done"))
    files = [fh.Li(f"{note.file} {note.size}") for note in notes("task = ?", (id,))]
    return fh.fill_form(form, task), fh.Ul(*files)


@app.put("/")
def change(task: Task):
    return tasks.update(task)


@app.delete("/tasks/{id}")
def remove(id: int):
    tasks.delete(id)
    return fh.Div(id="current", hx_swap_oob="innerHTML")


@app.post("/reorder")
def reorder(id: list[int]):
    for place, number in enumerate(id):
        tasks.update({"place": place}, number)
    return tuple(tasks(order_by="place"))


@app.post("/tasks/{id}/files")
async def attach(id: int, file: UploadFile):
    content = await file.read()
    target = STATE / "files" / f"{id}-{Path(file.filename).name}"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    return fh.P(str(notes.insert(Note(None, id, file.filename, len(content)))))


@app.get("/download")
def download(name: str):
    return fh.FileResponse(STATE / "files" / name)


async def _countdown():
    for number in range(3, 0, -1):
        yield fh.sse_message(fh.P(f"{number} of {len(tasks())}"))
        await asyncio.sleep(0.01)
    yield "event: close\ndata:\n\n"


@app.get("/countdown")
def countdown():
    return fh.EventStream(_countdown())


@app.get("/api/stats")
def stats(request):
    token = request.headers.get("x-api-token", "")
    known = list(db.q("SELECT name FROM users WHERE api_token = ?", (token,)))
    if not known:
        return fh.JSONResponse({"error": "who is that?"}, status_code=401)
    counts = db.q(
        "SELECT owner, count(*) AS n, sum(done) AS done, max(made) AS latest"
        " FROM tasks GROUP BY owner"
    )
    return fh.JSONResponse({"for": known[0]["name"], "counts": counts})


@app.get("/api/transaction")
def transaction(fail: bool = False):
    try:
        with db.conn:
            db.execute("UPDATE tasks SET place = place + 1")
            if fail:
                raise ValueError("not so")
    except ValueError as error:
        return fh.JSONResponse({"error": str(error)}, status_code=409)
    return {
        "changed": db.conn.changes(),
        "places": [row[0] for row in db.execute("SELECT place FROM tasks")],
    }


@app.get("/api/broken")
def broken():
    return tasks("nonsense = 3")
