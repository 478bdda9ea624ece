"""A package index on loopback: what a mirror or a proxy of PyPI asks."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler

from tests.corpus.archive import release

__all__ = ["PackageIndex"]

_RELEASES = [
    release(name, version)
    for name, versions in {"lemon": ("1.0", "1.1"), "melon": ("0.1",), "zest": ("3.0",)}.items()
    for version in versions
]
_FILES = dict(_RELEASES)
_NAMES = sorted({file.rpartition("-")[0] for file in _FILES})
_JSON = "application/vnd.pypi.simple.v1+json"


class PackageIndex(BaseHTTPRequestHandler):
    """Answers by the simple API, in HTML or JSON, and with files."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer as the path says."""
        parts = [part for part in self.path.split("?")[0].split("/") if part]
        as_json = _JSON in self.headers.get("Accept", "")
        if parts == ["simple"]:
            projects = [{"name": name} for name in _NAMES]
            page = "".join(f'<a href="/simple/{name}/">{name}</a>' for name in _NAMES)
            self._page(as_json, {"meta": {"api-version": "1.0"}, "projects": projects}, page)
        elif parts[:1] == ["simple"] and len(parts) == 2 and parts[1] in _NAMES:
            self._project(parts[1], as_json=as_json)
        elif parts[:1] == ["files"] and parts[-1] in _FILES:
            self._answer(200, "application/gzip", _FILES[parts[-1]])
        elif parts[:1] == ["broken"]:
            self._answer(502, "text/plain", b"bad gateway")
        else:
            self._answer(404, "text/plain", b"not found")

    do_HEAD = do_GET

    def _project(self, name: str, *, as_json: bool) -> None:
        files, links = [], []
        for file, content in _FILES.items():
            if file.startswith(f"{name}-"):
                digest = hashlib.sha256(content).hexdigest()
                url = f"http://{self.headers['Host']}/files/{file}"
                files.append(
                    {
                        "filename": file,
                        "url": url,
                        "hashes": {"sha256": digest},
                        "size": len(content),
                        "requires-python": ">=3.8",
                        "yanked": False,
                        "upload-time": "2026-01-01T00:00:00.000000Z",
                    }
                )
                links.append(
                    f'<a href="{url}#sha256={digest}" data-requires-python="&gt;=3.8">{file}</a>'
                )
        versions = [file.removesuffix(".tar.gz").rpartition("-")[2] for file in _FILES]
        document = {
            "meta": {"api-version": "1.1"},
            "name": name,
            "files": files,
            "versions": versions,
        }
        self._page(as_json, document, "\n".join(links))

    def _page(self, as_json: bool, document: object, body: str) -> None:
        if as_json:
            self._answer(200, _JSON, json.dumps(document).encode())
        else:
            page = f"<!DOCTYPE html><html><body>{body}</body></html>"
            self._answer(200, "text/html", page.encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""
