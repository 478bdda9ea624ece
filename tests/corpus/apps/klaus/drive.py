"""klaus: Git repositories in a browser, and over HTTP for git (Flask, dulwich)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

COMMIT = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-qam")
CODE = '''"""A shop."""


def price(count):
    """Return what so many cost."""
    return 3 * count
'''


def prepare(place: Place) -> None:
    """Make a repository of three commits, two branches and a tag."""
    tree = place.state / "shop"
    (tree / "src").mkdir(parents=True)
    place.run("git", "init", "-q", "-b", "main", "shop")
    (tree / "README.md").write_text("# Shop\n\nSells *fruit*, see [code](src/shop.py).\n")
    (tree / "src" / "shop.py").write_text(CODE)
    (tree / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    place.run("git", "-C", "shop", "add", ".")
    place.run(COMMIT[0], "-C", "shop", *COMMIT[1:], "The first: fruit")
    (tree / "src" / "shop.py").write_text(CODE.replace("3", "4"))
    place.run(COMMIT[0], "-C", "shop", *COMMIT[1:], "Fruit is dearer")
    place.run("git", "-C", "shop", "tag", "v1")
    place.run("git", "-C", "shop", "branch", "stable")
    (tree / "src" / "shop.py").write_text(CODE + "\n\nprint(price(2))\n")
    place.run(COMMIT[0], "-C", "shop", *COMMIT[1:], "Sell two at once\n\nSaid bob@example.com.")
    place.run("git", "init", "-q", "-b", "main", "empty")


def drive(visitor: Visitor) -> None:
    """Browse, read, blame, compare, fetch archives, clone and push."""
    visitor.get("/")
    visitor.get("/?by-last-update=yep")
    visitor.get("/robots.txt/")
    visitor.get("/shop/")
    visitor.get("/empty/", 200, 404)
    visitor.get("/absent/", 404)
    visitor.get("/shop/tree/main/")
    visitor.get("/shop/tree/main/src")
    visitor.get("/shop/tree/main/?page=1", 500)  # its own fault
    visitor.get("/shop/blob/main/README.md")
    visitor.get("/shop/blob/main/src/shop.py")
    visitor.get("/shop/blob/v1/src/shop.py")
    visitor.get("/shop/blob/main/logo.png")
    visitor.get("/shop/blob/main/absent.py", 404)
    visitor.get("/shop/raw/main/logo.png/")
    visitor.get("/shop/raw/main/src/shop.py/")
    visitor.get("/shop/blame/main/src/shop.py")
    visitor.get("/shop/commit/main/")
    visitor.get("/shop/commit/stable.diff")
    visitor.get("/shop/commit/stable.patch")
    visitor.get("/shop/commit/absent/", 404)
    visitor.get("/shop/tree/stable/src/shop.py", 200, 404)
    visitor.get("/shop/tarball/main/")
    visitor.get("/shop/stable")
    visitor.get("/static/klaus.css")
    visitor.get("/shop.git/info/refs?service=git-upload-pack", 200, 404)
    answer = visitor.get("/shop/info/refs?service=git-upload-pack").text
    tip = answer.split(" HEAD")[0][-40:]
    line = f"want {tip} side-band-64k ofs-delta thin-pack\n"
    want = f"{len(line) + 4:04x}{line}00000009done\n".encode()
    kind = {"Content-Type": "application/x-git-upload-pack-request"}
    visitor.post("/shop/git-upload-pack", content=want, headers=kind)
    visitor.get("/shop/info/refs?service=git-receive-pack", 200, 401, 403)
    visitor.get("/shop/HEAD", 200, 404)


APP = Application(
    name="klaus",
    framework="Flask",
    uses=("files", "processes"),
    packages=("klaus==3.0.1", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "klaus.contrib.wsgi"),
    environment={
        "KLAUS_REPOS": "{state}/shop {state}/empty",
        "KLAUS_SITE_NAME": "Fruit",
        "KLAUS_USE_SMARTHTTP": "1",
    },
    prepare=prepare,
    drive=drive,
)
