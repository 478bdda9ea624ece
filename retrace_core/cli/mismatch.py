"""Mismatch: what differs between the process that recorded and this one, and may matter."""

from __future__ import annotations

import functools
import platform
import time
from importlib import metadata
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.environment import commit_of

if TYPE_CHECKING:
    from retrace_core.recording import Environment

__all__ = ["mismatches"]


def mismatches(recorded: Environment, app_dir: str) -> list[str]:
    """Return in words what differs in a way that may change the outcome of a replay.

    Args:
        recorded: of the recording.
        app_dir: the folder from which the application will be imported.
    """
    return [
        *_python(recorded.python),
        *(_library(name, version) for name, version in _changed(recorded.libraries)),
        *_implementation(recorded.implementation),
        *_commit(recorded.commit, app_dir),
        *_zone(recorded.timezone),
    ]


def _python(version: str) -> list[str]:
    here = platform.python_version()
    if not version or version == here:
        return []
    advice = "tracebacks and library code may differ"
    return [f"recorded with Python {version}, this is {here}: {advice}"]


def _changed(libraries: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, version) for name, version in libraries.items() if _version(name) != version]


def _library(name: str, version: str) -> str:
    here = _version(name)
    return (
        f"recorded with {name} {version}, here is {here or 'none'}: pip install {name}=={version}"
    )


@functools.cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, ValueError):
        return ""


def _implementation(recorded: str) -> list[str]:
    here = native.IMPLEMENTATION
    if recorded == here:
        return []
    which = {"c": "the C extension", "python": "the pure Python fallback"}
    return [
        f"recorded with {which.get(recorded, recorded)}, this is {which[here]}:"
        " some reads of clocks and entropy are not covered by both; see retrace doctor"
    ]


def _commit(recorded: str, app_dir: str) -> list[str]:
    here = commit_of(app_dir)
    if not recorded or not here or recorded == here:
        return []
    return [
        f"recorded at commit {recorded[:12]}, here is {here[:12]}: git checkout {recorded[:12]}"
    ]


def _zone(recorded: str) -> list[str]:
    here = time.tzname[0]
    if not recorded or recorded == here:
        return []
    return [f"recorded in time zone {recorded}, this is {here}: set TZ for the same local times"]
