"""hgweb: Mercurial repositories in a browser, and over HTTP for hg (WSGI)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

CODE = '''"""A shop."""


def price(count):
    return 3 * count
'''


def prepare(place: Place) -> None:
    """Make a repository of three changesets, two branches and a tag."""
    tree = place.state / "repos" / "shop"
    (tree / "src").mkdir(parents=True)
    hg = ("hg", "--cwd", str(tree), "--config", "ui.username=Ann <ann@example.com>")
    place.run("hg", "init", str(tree))
    (tree / "README.txt").write_text("A shop that sells fruit.\n")
    (tree / "src" / "shop.py").write_text(CODE)
    (tree / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    place.run(*hg, "commit", "-Am", "The first: fruit")
    (tree / "src" / "shop.py").write_text(CODE.replace("3", "4"))
    place.run(*hg, "commit", "-m", "Fruit is dearer")
    place.run(*hg, "tag", "v1")
    place.run(*hg, "branch", "stable")
    (tree / "src" / "shop.py").write_text(CODE + "\n\nprint(price(2))\n")
    place.run(*hg, "commit", "-m", "Sell two at once, said bob@example.com")
    place.run(*hg, "bookmark", "two")
    settings = (
        "[web]\npush_ssl = false\nallow-push = *\nallow-archive = gz zip bz2\nstyle = paper\n"
    )
    (place.state / "hgweb.config").write_text(f"[paths]\n/ = {place.state}/repos/*\n{settings}")


def drive(visitor: Visitor) -> None:
    """Browse, search, compare, fetch archives, and speak hg's own protocol."""
    visitor.get("/")
    visitor.get("/?style=raw")
    visitor.get("/absent", 404)
    visitor.get("/shop")
    visitor.get("/shop/shortlog")
    visitor.get("/shop/log?rev=fruit")
    visitor.get("/shop/log?rev=user(ann)")
    visitor.get("/shop/graph")
    visitor.get("/shop/rev/tip")
    visitor.get("/shop/rev/v1?style=gitweb")
    visitor.get("/shop/rev/absent", 404)
    visitor.get("/shop/raw-rev/1")
    visitor.get("/shop/file/tip")
    visitor.get("/shop/file/tip/src")
    visitor.get("/shop/file/tip/src/shop.py")
    visitor.get("/shop/file/tip/logo.png")
    visitor.get("/shop/file/tip/absent.py", 404)
    visitor.get("/shop/raw-file/tip/logo.png")
    visitor.get("/shop/annotate/tip/src/shop.py")
    visitor.get("/shop/diff/1/src/shop.py")
    visitor.get("/shop/comparison/tip/src/shop.py")
    visitor.get("/shop/log/tip/src/shop.py")
    visitor.get("/shop/tags")
    visitor.get("/shop/branches")
    visitor.get("/shop/bookmarks")
    visitor.get("/shop/summary?style=gitweb")
    visitor.get("/shop/atom-log")
    visitor.get("/shop/help/revsets")
    visitor.get("/shop/archive/tip.zip")
    visitor.get("/shop/archive/v1.tar.gz")
    visitor.get("/shop/json-log")
    visitor.get("/shop/static/style-paper.css")
    visitor.get("/shop?cmd=capabilities")
    tip = visitor.get("/shop?cmd=heads").text.split()[0]
    visitor.get("/shop?cmd=branchmap")
    visitor.get("/shop?cmd=listkeys", headers={"X-HgArg-1": "namespace=bookmarks"})
    asked = {"X-HgArg-1": f"common={'0' * 40}&heads={tip}"}
    visitor.get("/shop?cmd=getbundle", headers=asked)
    moved = {"X-HgArg-1": f"key=sold&namespace=bookmarks&new={tip}&old="}
    visitor.post("/shop?cmd=pushkey", headers=moved)
    visitor.get("/shop?cmd=nonsense", 400)


APP = Application(
    name="hgweb",
    framework="WSGI",
    uses=("files",),
    packages=("mercurial==7.2.4", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}", "HGRCPATH": "{state}/absent"},
    prepare=prepare,
    drive=drive,
)
