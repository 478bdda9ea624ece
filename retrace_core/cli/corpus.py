"""Corpus: the recordings that `retrace verify` is to replay, and those it passes by."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import structs

from retrace_core.boot.recording import METHOD
from retrace_core.cli.apps import for_each, locate, may_be_of_program, package_of
from retrace_core.cli.find import find, recordings_folder
from retrace_core.cli.remote import find_below
from retrace_core.cli.terms import Terms, unusable
from retrace_core.cli.verify_pool import Job
from retrace_core.errors import AppNotLoadable, RecordingError, RecordingNotFound
from retrace_core.store import is_remote
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Any

    from retrace_core.recording import Header

__all__ = ["Chosen", "Corpus", "choose", "trace_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which recordings are asked for, and how they are to be replayed."""

    app: str | None
    app_dir: str | None
    apps: str | None
    service: tuple[str, ...]
    mode: str
    timeout_s: float
    ignore: Sequence[str]
    isolate: str
    cold: bool = False


@dataclass(slots=True)
class Corpus:
    """What was found."""

    jobs: list[Job] = field(default_factory=lambda: [])
    headers: dict[str, Header] = field(default_factory=lambda: {})
    """Path of a job -> header."""
    unusable: list[dict[str, Any]] = field(default_factory=lambda: [])
    """Verdicts on files that can't be read, or whose application is not known."""
    skipped: Counter[str] = field(default_factory=lambda: Counter())
    """Service, and application where it is why -> how many were passed by."""


def trace_files(names: Iterable[str], recordings: str | None) -> list[Path]:
    """Return the trace files that the arguments mean, each once: below a folder all of them.

    Raises:
        RecordingNotFound: an argument means none.
    """
    from pathlib import Path

    found: dict[Path, None] = {}
    for name in list(names) or [recordings_folder(recordings)]:
        if is_remote(name):
            found.update(dict.fromkeys(find_below(name)))
            continue
        if not os.path.isdir(name):
            found.update(dict.fromkeys(find(name, recordings)))
            continue
        below = sorted(Path(name).rglob("trace*.bin"))
        if not below:
            raise RecordingNotFound(
                f"there is no recording below {name}: verifying nothing proves nothing"
            )
        found.update(dict.fromkeys(below))
    return list(found)


def choose(paths: Iterable[Path], chosen: Chosen) -> Corpus:
    """Return what is to be replayed; recordings of other services and apps are passed by."""
    corpus = Corpus()
    meant: list[tuple[Path, Header]] = []
    for path in paths:
        try:
            header = load_header(path)
        except RecordingError as error:
            corpus.unusable.append(unusable(str(path), str(error)))
            continue
        if header.method == METHOD:
            continue  # a boot tape: it belongs to recordings, and is none
        other = _is_other(header, chosen)
        if other:
            corpus.skipped[other] += 1
            continue
        meant.append((path, header))
    given = for_each(chosen.app, [header for _, header in meant])
    for (path, header), named in zip(meant, given, strict=True):
        try:
            app = locate(header, named, chosen.app_dir, chosen.apps)
        except AppNotLoadable as error:
            corpus.unusable.append(unusable(str(path), str(error)))
            continue
        terms = Terms(
            app=app.name,
            app_dir=app.folder,
            mode="tolerant" if chosen.mode == "tolerant" else "strict",
            timeout_s=chosen.timeout_s,
            ignore=list(chosen.ignore),
            # A program is left in the midst of its work: nothing else can be run after it.
            isolate="process" if app.program and chosen.isolate == "none" else chosen.isolate,
            warm=not header.boot and app.program is None,
            program=app.program is not None,
            earlier="never" if chosen.cold else "auto",
        )
        corpus.headers[str(path.absolute())] = header
        otherwise = None
        if may_be_of_program(header, app):
            otherwise = structs.replace(terms, program=True, isolate="process", warm=False)
        corpus.jobs.append(
            Job(
                path=path,
                terms=terms,
                recorded=header.environment,
                otherwise=otherwise,
            )
        )
    return corpus


def _is_other(header: Header, chosen: Chosen) -> str:
    """Return whose recording it is when it is not one that was asked for, else ""."""
    if chosen.service:
        return "" if header.service in chosen.service else header.service
    recorded = header.environment.app
    if chosen.app and recorded and package_of(recorded) != package_of(chosen.app):
        return f"{header.service} ({recorded})"
    return ""
