"""Retrace's core: records what a request asked of the world, and replays it.

The files in the order of a request:

    settings.py       each setting once, and where its value came from
    setting_rows/     its rows, one file for each subject
    protocol.py       whether a callable is an ASGI or a WSGI application
    ids.py            trace id and span id: make, parse, safe as a folder name
    environment.py    what is known of the process that records
    program.py        what it was started as
    interpreter.py    the options that its interpreter was started with
    weakly.py         what is known of an object is forgotten when the object goes
    scope.py          the running recording of one request
    current_scope.py  the scope of the current context: a recording's, or a replay's
    tags.py           what the application calls a recording by, to find it by
    concurrency/      threads, tasks and loops come in the order in which they came
    traffic.py        what came in and what went out of one request
    conversation.py   what the two sides of a web socket say, as events
    scope_keys.py     which keys a server gave in ASGI's scope, and in which order
    task_call.py      one run of a queue's task, as a request and its response
    records_only.py   what an owner of lanes leaves out that never replays
    code_hook.py      a function of Python's own runs other code, whoever holds it
    lane_hook.py      a hook that costs next to nothing where nobody records
    lanes.py          one lane per task or thread: what is asked there, in order
    lane_owner.py     what a lane needs of its scope, be it recording or replaying
    boot/             what the process asks for itself: start-up, connects, filled caches
    surroundings.py   variables, folder, locale: noted, and restored by a replay
    installer.py      puts each boundary in place when its library is imported
    c_type.py         an attribute of a class in C is replaced, as one of any other class
    boundary.py       what a client library declares; the live/record/replay switch
    declared/         `boundary`: an application declares one of its own
    checksum.py       stands in a key for content too long to stand there itself
    crypto/           what the boundaries of libraries for keys, digests and tokens share
    documents/        what packed files say: ZIP archives, PDFs, packs of Git
    live_call.py      what a replay may ask of the real world after all
    boundaries/       one file for each client library
    request_lane.py   whether a request asks, or the process does for itself
    call_lanes.py     one lane for each call of a function that a request hands out
    called_back.py    such a function, which the world calls at any time
    http_clients/     what the boundaries of clients of HTTP, gRPC and web sockets share
    django_rows.py    objects of Django's models as values, for the boundaries of its caches
    generated_names.py  names in SQL that differ from run to run by their nature
    zeromq.py         where a socket of pyzmq's leads, for the boundaries of its two kinds
    sockets/          those of libraries that no boundary stands above
    secure_shell.py   what the boundaries of paramiko's modules share
    databases/        what the boundaries of drivers share: the stand-in of each server on replay
    memory_cache.py   what a cache in the process's memory answers, as events
    outgoing_task.py  what the boundaries of task queues share
    ld_evaluation.py  what LaunchDarkly's two clients share
    brokers/          what the boundaries of clients of message brokers share
    programs/         other processes that a request starts, or that work for it
    reading.py        what machine and process are at the moment
    metric_families.py  metric families of prometheus_client's as plain values
    masked.py         calls that are of the process, whichever request makes them
    files/            which files are the world, and where a replay puts them
    coverage/         what reached the world past all boundaries, and from which line
    calling.py        who called a hook, which may be the interpreter itself
    exempt.py         whose clock reads are infrastructure, and no events
    native.py         clock hooks, lane buffer and encoder, in C or in Python
    _c/               those in C
    _fallback.py      those in Python
    _fallback_encoder.py  and its encoder
    _fallback_texts.py  and where texts stand
    _fallback_finder.py  and what is looked for again and again
    code_literals.py  which texts stand in source code, and where that is
    drawn_text.py     what is drawn character by character, read from what was drawn
    opaque_text.py    tells an object that can't be recorded from others, and runs none of its code
    codec.py          one value to MessagePack and back, never pickle
    failure.py        an exception and its traceback as plain data
    recording.py      what the reader gives back of one request
    flags.py          which feature flags a recorded request saw
    encryption.py     to whom recordings are encrypted, and with which keys they are read
    trace_file/       a recording to bytes and back
    flight_recorder.py  what is dropped waits in memory, to be saved on a trigger
    parked.py         called at a time, unless called off before
    triggers.py       a crash and a signal, noticed in passing
    keep_sharing.py   tells neighbours of traces that are kept, and finds out of theirs
    redaction/        secrets give way to pseudonyms, before anything is written
    writer.py         the background thread: encode and put
    sigterm.py        what waits is written where SIGTERM would kill the process at once
    leaving_at_once.py  and where a program ends itself by `os._exit`
    giving_way.py     so that it holds up nobody for long
    kept_line.py      one line in the log for each recording that was written
    overflow.py       what is put for a while beside a folder that does not get all in time
    spooling.py       where recordings go, and whether by way of a spool
    uploader.py       the background thread: ship from the spool to the store
    backoff.py        how long to wait before the next try
    store/            where recordings live
    catalog/          finding recordings among millions
    retention/        what goes away and when, what must not, and the proof of it
    capacity/         how much recordings will be, and what keeping them costs
    audit.py          who fetched, shared, replayed or deleted recordings
    replay/           player, turns, sandbox, driver, comparison
    cli/              the `retrace` command

At every stage:

    errors.py         every exception that Retrace raises, in one tree
    forked.py         what is done in a child process, also where Python was not told
    failsafe.py       the one gate that keeps our faults from the application
    stats.py          the counters of this process
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Hook, Patch

# After the module of the same name, whose place in this package the function takes: the module
# is reached by `from retrace_core.boundary import ...`.
from retrace_core.declared.boundary import boundary
from retrace_core.errors import (
    AppNotLoadable,
    ConfigurationError,
    FlagNotAsked,
    ForeignFile,
    LiveCallRefused,
    LockedRecording,
    NewerVersion,
    RecordingError,
    RecordingNotFound,
    ReplayError,
    RetraceError,
    StoreError,
    TornRecording,
    WrongApp,
    WrongKey,
)
from retrace_core.recording import Recording
from retrace_core.stats import stats
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from retrace_core.replay import ReplayResult as ReplayResult
    from retrace_core.replay import replay as replay

__all__ = [
    "AppNotLoadable",
    "Boundary",
    "ConfigurationError",
    "FlagNotAsked",
    "ForeignFile",
    "Hook",
    "LiveCallRefused",
    "LockedRecording",
    "NewerVersion",
    "Patch",
    "Recording",
    "RecordingError",
    "RecordingNotFound",
    "ReplayError",
    "ReplayResult",
    "RetraceError",
    "StoreError",
    "TornRecording",
    "WrongApp",
    "WrongKey",
    "boundary",
    "load",
    "replay",
    "stats",
]


def __getattr__(name: str) -> Any:
    # Replay arrives on demand, so that production never loads it.
    if name in ("replay", "ReplayResult"):
        import importlib

        engine = importlib.import_module("retrace_core.replay")
        # Importing the package `replay` puts the module under the name of the function.
        globals().update(replay=engine.replay, ReplayResult=engine.ReplayResult)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
