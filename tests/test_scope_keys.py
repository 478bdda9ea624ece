"""ASGI's connection scope has, on replay, the keys that the server gave, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request  # noqa: TC002  # FastAPI looks at it at run time

from retrace_core.scope_keys import in_order, letters_of
from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from pathlib import Path

_OURS_AND_THE_FRAMEWORKS = ("retrace.", "fastapi")


def test_an_application_that_writes_the_scope_down_writes_the_same(recordings: Path) -> None:
    """All keys but those which the framework and the middleware have added."""

    async def handler(request: Request) -> list[str]:
        added = {"app", "router", "endpoint", "route", "path_params", "app_root_path"}
        names = [name for name in request.scope if name not in added]
        return [name for name in names if not name.startswith(_OURS_AND_THE_FRAMEWORKS)]

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert b'"type","asgi","http_version"' in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_keys_come_in_the_order_of_their_letters() -> None:
    """What no server gives has no letter; what was not recorded leaves the scope as it is."""
    given: dict[str, Any] = {"path": "/", "type": "http", "retrace.seen": True, "headers": []}
    letters = letters_of(given)
    whole = {"type": "http", "headers": [], "state": {}, "path": "/"}
    assert list(in_order(whole, letters)) == ["path", "type", "headers"]
    assert in_order(whole, "") == whole
