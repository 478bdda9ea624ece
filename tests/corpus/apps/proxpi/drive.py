"""proxpi: a caching proxy of a package index (Flask, requests on threads of its own, files)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.package_origin import PackageIndex

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Ask as pip does, and as a browser does."""
    as_json = {"Accept": "application/vnd.pypi.simple.v1+json"}
    visitor.get("/")
    visitor.get("/index/")
    visitor.get("/index/", headers=as_json)
    visitor.get("/index/lemon/")
    visitor.get("/index/lemon/", headers=as_json)
    visitor.get("/index/lemon/", headers={"Accept-Encoding": "gzip"})
    visitor.get("/index/melon/")
    visitor.get("/index/melon/", headers={"Accept-Encoding": "deflate"})
    visitor.get("/index/absent/", 404)
    visitor.get("/index/absent/", 404, headers=as_json)
    visitor.get("/index/Lemon/", 500)
    visitor.get("/index/lemon/lemon-1.0.tar.gz", 200, 301, 302)
    visitor.get("/index/lemon/lemon-1.0.tar.gz", 200, 301, 302)
    visitor.get("/index/lemon/lemon-1.1.tar.gz", 200, 301, 302)
    visitor.get("/index/lemon/lemon-9.9.tar.gz", 404)
    visitor.get("/index/zest/zest-3.0.tar.gz", 200, 301, 302)
    visitor.ask("HEAD", "/index/zest/")
    visitor.delete("/cache/lemon")
    visitor.get("/index/lemon/", headers=as_json)
    visitor.delete("/cache/list")
    visitor.get("/index/", headers=as_json)
    visitor.delete("/cache/all", 200, 204, 404)
    visitor.get("/index/", 406, headers={"Accept": "image/png"})
    visitor.get("/health")
    visitor.get("/nowhere", 404)


APP = Application(
    name="proxpi",
    framework="Flask",
    uses=("HTTP", "files", "threads"),
    packages=("proxpi==1.3.1", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "proxpi.server:app"),
    environment={
        "PROXPI_INDEX_URL": "{origin}/simple/",
        "PROXPI_CACHE_DIR": "{state}/cache",
        "PROXPI_DOWNLOAD_TIMEOUT": "5",
    },
    origin=PackageIndex,
    drive=drive,
)
