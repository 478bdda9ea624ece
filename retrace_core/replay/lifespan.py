"""Lifespan: the start-up of an ASGI application before its replayed request, and its shutdown."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from retrace_core.errors import AppNotLoadable
from retrace_core.native import LANE
from retrace_core.replay.boot import in_boot
from retrace_core.replay.sandbox import unheard

if TYPE_CHECKING:
    from retrace_core.replay.player import Player

__all__ = ["Lifespan"]

_FULL = "that was full, and lacks the rest (raise RETRACE_BOOT_TAPE_LIMIT_BYTES, and record again)"
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep


class Lifespan:
    """The application's start-up before the request, and its shutdown after it."""

    def __init__(self, app: Any, player: Player) -> None:
        self._app = app
        self._boot = player.boot
        self._started = asyncio.Event()
        self._stop = asyncio.Event()
        self._state: dict[str, Any] = {}
        self._failed = ""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> dict[str, Any]:
        with in_boot(self._boot):
            self._task = asyncio.create_task(self._run())
        await self._started.wait()
        if self._failed:
            raise AppNotLoadable(
                f"the application's start-up failed: {_in_short(self._failed)}; what it asks then"
                " comes from the boot tape of its process, where there is one: "
                + (
                    _FULL
                    if self._is_cut()
                    else "make what is not on it optional, or give it a default"
                )
            )
        return self._state

    def _is_cut(self) -> bool:
        return self._boot is not None and any(file.header.cut for file in self._boot.files)

    async def __aexit__(self, *_: object) -> None:
        if self._boot is not None:
            self._boot.progress.shut_down()
        self._stop.set()
        if self._task is not None:
            # What it does at its end is of no request: nothing of that was recorded.
            with unheard():
                await asyncio.wait([self._task], timeout=5)

    async def _run(self) -> None:
        lane: Any = LANE.get()
        if self._boot is not None and lane is not None:
            self._boot.progress.foreground.add(lane)
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._state}
        asked = False

        async def receive() -> dict[str, str]:
            nonlocal asked
            if asked:
                await self._stop.wait()
                return {"type": "lifespan.shutdown"}
            asked = True
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                self._failed = message.get("message", "") or "no reason given"
            self._started.set()

        try:
            await self._app(scope, receive, send)
        except BaseException:  # noqa: BLE001  # an app without lifespan raises whatever it likes
            return
        finally:
            self._started.set()


def _in_short(reason: str) -> str:
    """Return on one line why a start-up failed; frameworks say it by a whole traceback."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith('File "') and _OURS not in line]
    if not places or not lines[0].startswith("Traceback "):
        return " ".join(lines)
    return f"{lines[-1]} ({places[-1]})"
