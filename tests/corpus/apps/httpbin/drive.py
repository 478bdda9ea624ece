"""httpbin: every kind of request and response that HTTP has, by Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Ask for most of what it offers."""
    visitor.get("/")
    visitor.get("/get?a=1&a=2&b=%C3%A9", headers={"Accept-Language": "de"})
    visitor.post("/post", data={"name": "Zoë", "size": "large"})
    visitor.post("/post", json={"items": [1, 2.5, None, "x"]})
    visitor.post("/post", files={"upload": ("notes.txt", b"one\ntwo\n", "text/plain")})
    visitor.put("/put", content=b"\x00\x01binary")
    visitor.patch("/patch", json={"a": 1})
    visitor.delete("/delete?id=3")
    visitor.get("/status/404", 404)
    visitor.get("/status/500", 500)
    visitor.get("/status/200,201,418", 200, 201, 418)
    visitor.get("/redirect/3", 302)
    visitor.get("/cookies/set?flavour=vanilla", 302)
    visitor.get("/cookies")
    visitor.get("/cookies/delete?flavour", 302)
    visitor.get("/basic-auth/ann/secret", 401)
    visitor.get("/basic-auth/ann/secret", auth=("ann", "secret"))
    visitor.get("/digest-auth/auth/ann/secret", 401)
    visitor.get("/uuid")
    visitor.get("/bytes/200")
    visitor.get("/stream-bytes/400?chunk_size=100")
    visitor.get("/stream/5")
    visitor.get("/drip?duration=0.3&numbytes=3&delay=0")
    visitor.get("/delay/0.2")
    visitor.get("/range/100", 206, headers={"Range": "bytes=10-19"})
    visitor.get("/etag/abc", 304, headers={"If-None-Match": '"abc"'})
    visitor.get("/cache", 304, headers={"If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"})
    visitor.get("/gzip")
    visitor.get("/deflate")
    visitor.get("/image/png")
    visitor.get("/html")
    visitor.get("/xml")
    visitor.get("/response-headers?X-One=1&X-Two=2")
    visitor.ask("OPTIONS", "/get")
    visitor.ask("HEAD", "/get")
    visitor.get("/nowhere", 404)
    visitor.post("/get", 405)


APP = Application(
    name="httpbin",
    framework="Flask",
    uses=("clock", "random"),
    packages=("httpbin==0.10.4", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "httpbin:app"),
    drive=drive,
)
