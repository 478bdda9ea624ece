"""requests, and urllib3's retries, through http.client."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.http_origin import origin
from tests.recorded import assert_identical, identical_body, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_streams_and_uploads_come_back(recordings: Path) -> None:
    """Lines and pieces of a body as they come, the raw file, and a body that is produced."""
    session = requests.Session()
    with origin() as (base, _):

        def produced() -> Iterator[bytes]:
            yield str(random.random()).encode().ljust(30)

        def view() -> dict[str, Any]:
            with session.get(f"{base}/chunked", stream=True) as answer:
                lines = [line.decode() for line in answer.iter_lines(chunk_size=5)]
            with session.get(f"{base}/gzip", stream=True) as answer:
                raw = answer.raw.read(10).hex()
            with session.get(f"{base}/chunked", stream=True) as answer:
                pieces = [piece.hex() for piece in answer.iter_content(7)]
            request = requests.Request("POST", base, data=produced()).prepare()
            del request.headers["Transfer-Encoding"]
            request.headers["Content-Length"] = "30"
            redirected = session.get(f"{base}/redirect")
            return {
                "lines": lines,
                "raw": raw,
                "pieces": pieces,
                "posted": session.send(request).text,
                "history": [one.status_code for one in redirected.history],
            }

        app, recording = record_wsgi(recordings, view)
    session.close()
    identical_body(recording, app)


def test_retries_come_back(recordings: Path) -> None:
    """Each try again, by status and by a body that never came, until there are no more."""
    session = requests.Session()
    retry = Retry(total=2, status_forcelist=[500], backoff_factor=0.001)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            found: dict[str, Any] = {}
            for path in ("error", "hang"):
                try:
                    session.get(f"{base}/{path}", timeout=0.1)
                except requests.RequestException as error:
                    found[path] = [type(error).__name__, type(error.args[0].reason).__name__]
            return found

        app, recording = record_wsgi(recordings, view)
    session.close()
    assert recording.response is not None
    assert b"ResponseError" in b"".join(recording.response.body)
    kinds = [event.kind for event in recording.lanes[0].events]
    assert kinds.count("http.exchange") == 6
    assert_identical(recording, app)
