"""Boot recording: the boot tape as files of the store, written beside what refers to it.

A tape is kept as `boot-<its id>/<service>/boot.bin`, in one file for each time that it had grown
when a recording was kept: a process that keeps nothing writes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from retrace_core import failsafe, native, writer
from retrace_core.boot import tape as boot_tape
from retrace_core.codec import encode
from retrace_core.concurrency.running_on import LIMIT_S, LanePart
from retrace_core.exempt import site_names
from retrace_core.ids import BOOT_PREFIX
from retrace_core.recording import DecisionRecord, Header, Request
from retrace_core.surroundings import Surroundings, find_out
from retrace_core.trace_file import Draft

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.boot.tape import BootTape, Chapter
    from retrace_core.concurrency.running_on import ChapterPart
    from retrace_core.lanes import Lane
    from retrace_core.recording import Environment
    from retrace_core.settings import Settings

__all__ = ["ChapterNote", "begin", "place", "save", "save_ahead"]

METHOD = "BOOT"


class ChapterNote(msgspec.Struct, frozen=True, array_like=True):
    """What a file of the tape says of one chapter; its lanes are named "<number>/<lane>"."""

    number: int
    label: str
    key: bytes
    """Encoded, as the codec does it."""
    started_ns: int
    """Unix time in nanoseconds."""


_services: dict[str, str] = {}
_surroundings: Surroundings | None = None


def begin(settings: Settings) -> None:
    """Begin the boot tape of this process, when the settings want one; later: nothing."""
    if settings.boot_tape and settings.enabled and boot_tape.tape() is None:
        boot_tape.begin(settings.boot_tape_limit_bytes, masks=settings.redact)
        tape = boot_tape.tape()
        if tape is not None:
            tape.on_boot_end = lambda: _boot_ended(tape, settings)


def _boot_ended(tape: BootTape, settings: Settings) -> None:
    _note_surroundings(settings)
    if tape.running is not None:
        writer.park(native.now_ns() + int(LIMIT_S * 1e9), tape.running.stop)


def _note_surroundings(settings: Settings) -> None:
    # At the end of the boot: by then the application has read its own file of variables.
    global _surroundings
    _surroundings = find_out(
        secrets=settings.record_secret_variables,
        masked_later=settings.redact and "url" in settings.redact_detectors,
    )


def place(service: str) -> str:
    """Return where the tape of this process is, or will be once it is saved; "" for none.

    Args:
        service: of the recording that refers to it; the first one of the process names the folder.
    """
    tape = boot_tape.tape()
    return f"{BOOT_PREFIX}{tape.id}/{_services.setdefault(tape.id, service)}" if tape else ""


def save_ahead(service: str, environment: Callable[[], Environment]) -> None:
    """Queue the tape of this process ahead of a recording, when none of it is written.

    A digest that was made of a secret at start-up is known by it, and masked in all recordings.
    So it is where digests were made since, as a cache was filled.

    Args:
        service: of that recording.
        environment: gives that of it; called later, by the writer's thread.
    """
    tape = boot_tape.tape()
    if tape is None or (tape.is_saved and not tape.has_digests):
        return
    with failsafe.gate("save the boot tape"):
        number, chapters = tape.take_unsaved()
        if number:
            named = _services.setdefault(tape.id, service)
            size = 1024 + sum(one.size_bytes for one in chapters)
            writer.submit(lambda: _draft(tape, number, chapters, named, environment()), size)


def save(service: str, environment: Environment) -> None:
    """Queue what is new in the tape of this process, for a recording that is written.

    Args:
        service: of that recording.
        environment: of that recording.
    """
    tape = boot_tape.tape()
    if tape is None:
        return
    with failsafe.gate("save the boot tape"):
        number, chapters = tape.take_unsaved()
        if number:
            named = _services.setdefault(tape.id, service)
            draft = _draft(tape, number, chapters, named, environment)
            writer.submit(lambda: draft, 1024 + sum(one.size_bytes for one in chapters))


def _draft(
    tape: BootTape,
    number: int,
    chapters: list[Chapter | ChapterPart],
    service: str,
    environment: Environment,
) -> Draft:
    header = Header(
        trace_id=tape.id,
        span_id=f"{number:016x}",
        parent_span_id="",
        service=service,
        started_ns=min((one.started_ns for one in chapters), default=0),
        duration_ns=0,
        method=METHOD,
        path="",
        status=0,
        error="",
        decision=DecisionRecord("yes", "boot tape", "what the process asked for itself"),
        environment=environment,
        folder=f"{BOOT_PREFIX}{tape.id}",
        events=sum(one.events for one in chapters),
        cut=any(one.cut for one in chapters),
        tainted=any(one.state.tainted for one in chapters),
    )
    notes = [
        ChapterNote(place, one.label, encode(one.key), one.started_ns)
        for place, one in enumerate(chapters)
    ]
    request = Request(
        protocol="boot",
        method=METHOD,
        scheme="",
        path="",
        raw_path=b"",
        query=b"",
        root_path="",
        http_version="",
        server=None,
        client=None,
        headers=[],
        extra={"chapters": notes, "surroundings": _surroundings},
    )
    sites = {site for one in chapters for site in one.state.used_sites()}
    return Draft(
        header=header,
        request=request,
        response=None,
        failure=None,
        lanes=[
            (f"{place}/{lane.id}", lane.data(), lane.events, _has_ended(lane))
            for place, one in enumerate(chapters)
            for lane in one.lanes
            if lane.events or not _has_ended(lane)
        ],
        sites=site_names(sorted(sites)),
    )


def _has_ended(lane: Lane | LanePart) -> bool:
    if isinstance(lane, LanePart):
        return lane.complete
    return lane.ended or lane is lane.scope.root  # type: ignore[attr-defined]  # a chapter's
