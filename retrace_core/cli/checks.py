"""Checks: what `doctor` looks at, each a function that returns findings."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import logging
import os
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core import installer, native
from retrace_core.cli.config import setting_text
from retrace_core.cli.find import recordings_folder
from retrace_core.cli.finding import NOTE, OK, PROBLEM, Finding
from retrace_core.cli.holes import advice as advice_on
from retrace_core.cli.known_clients import BELOW, UNCOVERED
from retrace_core.cli.listing import Wanted, newest
from retrace_core.cli.store_checks import (
    check_cloud,
    check_cloud_recordings,
    check_overflow,
    check_speed,
    check_spool,
)
from retrace_core.cli.words import local_time, plural, size
from retrace_core.concurrency.green_threads import patched_by
from retrace_core.errors import (
    ConfigurationError,
    GreenThreadsRefused,
    RecordingError,
    StoreError,
)
from retrace_core.settings import SETTINGS, Settings, resolve, unknown_variables
from retrace_core.store import DirectoryStore, is_remote
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CHECKS"]

_LITTLE_SPACE_BYTES = 256 << 20
_HIGH_RATE = 0.2
"""From which rate on recording may cost so much that its limit is met."""
_LOOKED_AT = 50
"""How many of the newest recordings are looked at for what is not covered."""


def settings_in_force() -> Settings:
    """Return the settings, or the defaults when one of them is wrong."""
    try:
        return resolve()
    except ConfigurationError:
        return resolve(environ={})


def check_settings() -> Iterator[Finding]:
    """Look for wrong settings, and for ones with which nothing is recorded."""
    try:
        settings = resolve()
    except ConfigurationError as error:
        yield Finding(PROBLEM, "settings", str(error))
        return
    for setting in SETTINGS:
        origin = settings.origin(setting.name)
        if origin != "default":
            words = f"{setting_text(settings, setting.name)} from {origin}"
            yield Finding(OK, setting.variable, words)
    if not settings.enabled:
        words = (
            "recording is off: set RETRACE=1 for the service (unless its code says enabled=True,"
            " which is not seen here)"
        )
        yield Finding(PROBLEM, "RETRACE", words)
    elif settings.stop_file and os.path.exists(settings.stop_file):
        words = f"{settings.stop_file} is there, so nothing is recorded: remove it"
        yield Finding(PROBLEM, "RETRACE_STOP_FILE", words)
    if settings.sample_rate > settings.limits_share > 0:
        words = (
            f"of many requests at most {settings.limits_share:.0%} are recorded, though"
            f" RETRACE_SAMPLE_RATE asks for {settings.sample_rate:.0%}: raise it, or 0 for no limit"
        )
        yield Finding(NOTE, "RETRACE_LIMITS_SHARE", words)
    if settings.sample_rate > _HIGH_RATE and settings.limits_overhead > 0:
        words = (
            f"recording pauses where it takes more than {settings.limits_overhead:.0%} of the"
            " process's CPU, so that of many requests at once some are missing: 0 for no limit,"
            " to try it out"
        )
        yield Finding(NOTE, "RETRACE_LIMITS_OVERHEAD", words)
    if settings.exclude:
        yield Finding(OK, "RETRACE_EXCLUDE", f"never recorded: {', '.join(settings.exclude)}")
    if settings.sample_rate == 0:
        words = "0: only requests with an X-Trace-ID are recorded; set it above 0 for others"
        yield Finding(NOTE, "RETRACE_SAMPLE_RATE", words)
    elif settings.sample_rate < 1:
        one_in = f"one request in {1 / settings.sample_rate:.0f}"
        words = f"{one_in} is recorded, and those with an X-Trace-ID"
        yield Finding(NOTE, "RETRACE_SAMPLE_RATE", words)
    for name, advice in unknown_variables().items():
        yield Finding(PROBLEM, name, f"no setting has this name: use {advice}")


def check_folder() -> Iterator[Finding]:
    """Write a probe to where recordings go, and look at the space on its disk."""
    settings = settings_in_force()
    yield from check_spool(settings)
    if is_remote(settings.recording_path):
        yield from check_cloud(settings)
        return
    root = Path(recordings_folder(settings.recording_path))
    try:
        made = _probe(root)
    except OSError as error:
        words = (
            f"{root} can't be written ({error.strerror}): {_remedy(error)}, or set"
            " RETRACE_RECORDING_PATH"
        )
        yield Finding(PROBLEM, "folder", words)
        return
    later = " (not there yet: the first recording makes it)" if made else ""
    yield Finding(OK, "folder", f"{root} can be written{later}")
    place = next(parent for parent in (root, *root.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < _LITTLE_SPACE_BYTES:
        yield Finding(PROBLEM, "disk", f"{size(free)} free at {place}: make room")
    else:
        yield Finding(OK, "disk", f"{size(free)} free")
    yield from check_overflow(str(root), settings)
    if not settings.spool:
        yield from check_speed(str(root))


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{error.filename} is, or stands below, a file; remove that"
    if error.errno == errno.EROFS:
        return "mount it writable"
    return f"let uid {os.geteuid()} write there"


def _probe(root: Path) -> bool:
    """Write and remove a file; True when folders had to be made (and were removed) for it."""
    made: list[Path] = []
    try:
        for folder in reversed([root, *root.parents]):
            if not folder.exists():
                folder.mkdir(0o700)
                made.append(folder)
        handle, name = tempfile.mkstemp(dir=root, prefix=".retrace-doctor-")
        try:
            os.write(handle, b"probe")
            os.fsync(handle)
        finally:
            os.close(handle)
            os.unlink(name)
    finally:
        for folder in reversed(made):
            folder.rmdir()
    return bool(made)


def check_workers() -> Iterator[Finding]:
    """Look for green threads, under which nothing is recorded."""
    for name in ("gevent", "eventlet"):
        asked = name in os.environ.get("GUNICORN_CMD_ARGS", "")
        if asked or patched_by() == name:
            yield Finding(PROBLEM, "workers", str(GreenThreadsRefused(name)))
        elif _is_installed(name):
            words = (
                f"{name} is installed: under its workers (gunicorn -k {name}) nothing is recorded;"
                " use -k gthread there"
            )
            yield Finding(NOTE, "workers", words)
    if not any(map(_is_installed, ("gevent", "eventlet"))):
        yield Finding(OK, "workers", "no green threads are installed")


def check_extension() -> Iterator[Finding]:
    """See whether the C extension is loaded, and each clock hook takes hold."""
    if native.IMPLEMENTATION == "c":
        yield Finding(OK, "extension", "the C extension is loaded")
    else:
        advice = (
            "unset RETRACE_PURE_PYTHON"
            if os.environ.get("RETRACE_PURE_PYTHON")
            else "install a C compiler and run"
            " pip install --force-reinstall --no-binary retrace-mw retrace-mw"
        )
        words = (
            f"the pure Python fallback is in use ({native.NOTE}), which misses clock reads by"
            f" default arguments, partials and C code: {advice}"
        )
        yield Finding(PROBLEM, "extension", words)
    native.install_clock_hooks()
    try:
        status = native.hook_status()
    finally:
        native.remove_clock_hooks()
    refused = {name: why for name, why in status.items() if why.startswith("refused")}
    hooked = [name for name, why in status.items() if why.startswith("hooked")]
    for name, why in refused.items():
        words = f"{why}: its reads are not recorded with this Python {sys.version.split()[0]}"
        yield Finding(PROBLEM, name, f"{words}; use one that is supported, or upgrade retrace-mw")
    absent = ", ".join(name for name, why in status.items() if why == "absent")
    where = "not on this system" if native.IMPLEMENTATION == "c" else "not by the fallback"
    missing = f"; {where}: {absent}" if absent else ""
    yield Finding(
        OK, "clocks", f"{plural(len(hooked), 'clock and entropy source')} hooked{missing}"
    )


def check_clients() -> Iterator[Finding]:
    """Import each client library that is installed, and see whether its boundary takes hold."""
    logging.getLogger("retrace").disabled = True  # what fails is among the findings
    installer.install()
    packages = metadata.packages_distributions()
    covered: set[str] = set()
    try:
        for library in installer.known():
            if not _is_installed(library):
                continue
            problem = _import(library)
            if problem is None:
                continue
            failed = installer.failures().get(library, problem)
            named = f"{library} {_version(library, packages)}".rstrip()
            if failed:
                words = f"{named} is not covered ({failed}): its answers are not recorded"
                yield Finding(PROBLEM, "client", f"{words}; upgrade retrace-mw or pin the library")
            elif library in installer.installed():
                covered.add(library)
                yield Finding(OK, "client", f"{named} is covered")
            elif library in installer.needless():
                covered.add(library)
                yield Finding(OK, "client", f"{named} is covered by its sockets")
    finally:
        installer.uninstall()
        logging.getLogger("retrace").disabled = False
    tops = {name.split(".")[0] for name in covered}
    for library, below in BELOW.items():
        if _is_installed(library) and library not in covered:
            named = f"{library} {_version(library, packages)}".rstrip()
            if below.split(".")[0] in tops:
                yield Finding(OK, "client", f"{named} is covered by {below} below it")
            else:
                words = f"{named} is covered only where {below} below it is: install that"
                yield Finding(NOTE, "client", words)
    for library, advice in UNCOVERED.items():
        if library.split(".")[0] not in tops and _is_installed(library):
            named = f"{library} {_version(library, packages)}".rstrip()
            words = f"{named} is installed and has no boundary, so that replay refuses it: {advice}"
            yield Finding(NOTE, "client", f"{words} (@retrace_core.boundary)")


def check_coverage() -> Iterator[Finding]:
    """Look at the newest recordings for what went past all boundaries."""
    settings = settings_in_force()
    if not settings.coverage_watch:
        words = "off: what passes all boundaries is not listed in recordings"
        yield Finding(NOTE, "RETRACE_COVERAGE_WATCH", words)
    if is_remote(settings.recording_path):
        return
    root = recordings_folder(settings.recording_path)
    try:
        found = newest(DirectoryStore(root), Wanted(), _LOOKED_AT)
    except StoreError:
        return
    told: dict[tuple[str, str], Finding] = {}
    for one in found:
        if one.header is None or not one.header.holes:
            continue
        try:
            recording = load(Path(root, one.stored.path))
        except RecordingError:
            continue
        for hole in recording.holes:
            line = f"{hole.where.file}:{hole.where.line}" if hole.where else hole.library
            words = f"{hole.operation} {hole.target} at {line} is not covered: {advice_on(hole)}"
            told.setdefault((hole.operation, line), Finding(NOTE, recording.header.service, words))
    yield from told.values()
    if not told and any(one.header is not None for one in found):
        many = plural(sum(one.header is not None for one in found), "recording")
        yield Finding(OK, "holes", f"none in the newest {many}")


def _is_installed(library: str) -> bool:
    try:
        return importlib.util.find_spec(library) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _import(library: str) -> str | None:
    """Return what is wrong, "" for nothing, None where it takes a configured application."""
    try:
        importlib.import_module(library)
    except (ImportError, OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        return f"importing it failed: {type(error).__name__}: {error}"
    except Exception as error:  # an error of its own: Django's models outside of a project
        if type(error).__module__.partition(".")[0] == library.partition(".")[0]:
            return None
        return f"importing it failed: {type(error).__name__}: {error}"
    return ""


def _version(library: str, packages: dict[str, list[str]] | object) -> str:
    names = packages.get(library.split(".")[0], []) if isinstance(packages, dict) else []
    return metadata.version(names[0]) if names else ""


def check_recordings() -> Iterator[Finding]:
    """Count the recordings that are there, and look at the newest."""
    settings = settings_in_force()
    if is_remote(settings.recording_path):
        yield from check_cloud_recordings(settings)
        return
    root = recordings_folder(settings.recording_path)
    store = DirectoryStore(root)
    try:
        count = sum(1 for _ in store.list())
        found = newest(store, Wanted(), 1)
    except StoreError:
        yield Finding(NOTE, "recordings", f"none yet, {root} is not there: {_first(settings)}")
        return
    latest = next((one.header for one in found if one.header is not None), None)
    locked = sum(1 for one in found if one.locked)
    unreadable = sum(1 for one in found if one.header is None) - locked
    if locked:
        words = f"{plural(locked, 'file')} in {root} encrypted: --identity FILE reads them"
        yield Finding(OK, "encrypted", words)
    if latest is not None:
        when = f"{local_time(latest.started_ns)}, {latest.service} {latest.method} {latest.path}"
        yield Finding(OK, "recordings", f"{count} in {root}, the newest of {when}")
    elif not unreadable and not locked:
        yield Finding(NOTE, "recordings", f"none yet in {root}: {_first(settings)}")
    if unreadable:
        words = f"{plural(unreadable, 'file')} in {root} can't be read: retrace ls says why"
        yield Finding(NOTE, "recordings", words)


def _first(settings: Settings) -> str:
    """Return how the first recording comes about."""
    if not settings.enabled:
        return "recording is off"
    ask = "send a request with the header X-Trace-ID, which is always recorded"
    if settings.sample_rate == 0:
        return f"RETRACE_SAMPLE_RATE is 0; {ask}"
    if settings.sample_rate == 1:
        return "send a request to the service; the middleware must wrap its application"
    return f"only one request in {1 / settings.sample_rate:.0f} is drawn; {ask}"


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Settings": check_settings,
    "Where recordings go": check_folder,
    "Workers": check_workers,
    "Native part": check_extension,
    "Clients": check_clients,
    "Recordings": check_recordings,
    "Coverage": check_coverage,
}
"""Heading -> check, in the order in which a recording comes about."""
