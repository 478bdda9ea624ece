"""Retrace's core: records what a request asked of the world, and replays it.

The files in the order of a request:

    settings.py       each setting once, and where its value came from
    amount.py         spans of time and sizes as people write them
    setting.py        one row of that table
    recording_settings.py  the rows of recording
    decision_settings.py  the rows of the decision
    limit_settings.py the rows of the limits
    keeping_settings.py  the rows of the catalog, of retention and of the audit log
    store_settings.py the rows of stores and the spool before them
    secret_settings.py  the rows of what is masked, sealed and encrypted
    protocol.py       whether a callable is an ASGI or a WSGI application
    ids.py            trace id and span id: make, parse, safe as a folder name
    environment.py    what is known of the process that records
    program.py        what it was started as
    interpreter.py    the options that its interpreter was started with
    weakly.py         what is known of an object is forgotten when the object goes
    scope.py          the running recording of one request
    current_scope.py  the scope of the current context: a recording's, or a replay's
    tags.py           what the application calls a recording by, to find it by
    serving_thread.py  by which thread of its process a request is served
    traffic.py        what came in and what went out of one request
    conversation.py   what the two sides of a web socket say, as events
    scope_keys.py     which keys a server gave in ASGI's scope, and in which order
    task_call.py      one run of a queue's task, as a request and its response
    records_only.py   what an owner of lanes leaves out that never replays
    code_hook.py      a function of Python's own runs other code, whoever holds it
    lane_hook.py      a hook that costs next to nothing where nobody records
    lanes.py          one lane per task or thread: what is asked there, in order
    lane_owner.py     what a lane needs of its scope, be it recording or replaying
    carrying.py       how the scope gets into the threads and tasks that its code starts
    loop_steps.py     how far the event loop got between one answer and the next
    in_order.py       a set that is gone through in one order, in each process
    spawn_order.py    a group's tasks, gone through in the order they were added
    joining.py        when a coroutine that waited for a thread goes on
    server_threads.py  whose threads serve the process, and no request of their own
    others_threads.py  whether threads that other requests started still run
    green_threads.py  whether gevent or eventlet took the place of threads
    boot_tape.py      what the process asks for itself: start-up, connects, filled caches
    boot_chapter.py   one chapter of that
    running_on.py     what the start-up began goes on after the first request
    boot_recording.py the boot tape as files of the store
    filling.py        a cache's fill is on the boot tape
    surroundings.py   variables, folder, locale: noted, and restored by a replay
    installer.py      puts each boundary in place when its library is imported
    c_type.py         an attribute of a class in C is replaced, as one of any other class
    boundary.py       what a client library declares; the live/record/replay switch
    declared.py       `boundary`: an application declares one of its own
    declared_key.py   what such a call asks
    declared_stream.py  and such a generator, item by item
    declaration.py    the live/record/replay switch for it
    checksum.py       stands in a key for content too long to stand there itself
    checking.py       what libraries say of secrets (hashes, signatures), for masked replays
    derived_key.py    a key that is made of a secret, for cryptography's boundaries
    ciphering.py      what a replay encrypted it can decrypt, though its key is masked
    deciphered.py     what is recorded of what was in it
    cipher_context.py  and so piece by piece
    block_ciphers.py  those of PyCryptodome, for the boundaries of its two names
    signed_payloads.py  what a token says that its library compressed, for boundaries of such
    ticket.py         whom a ticket in a cookie names, for boundaries of such
    hashing.py        digests are recorded where secrets are masked
    packed_document.py  what an archive, a PDF or a pack says, whatever its parts were packed to
    zip_archive.py    what they say, and where their packed members stand
    pdf_document.py   what they say, and where their packed streams stand
    git_pack.py       and packed objects of Git's
    hash_object.py    one of hashlib's that keeps what it is fed
    live_call.py      what a replay may ask of the real world after all
    boundaries/       one file for each client library
    ordering.py       which thread got a lock, or an item of a queue, before which other
    told_loop.py      which thread told an event loop to call something, before which other
    found_done.py     which tasks `asyncio.wait` found done
    timed.py          whether what is tried for some time came to anything
    timed_waits.py    and so the waits of threads, and for futures
    start_up_timers.py  and what its event loop calls later, as often as it had
    timed_tasks.py    and so `asyncio.wait_for` of what the start-up left running
    item_lanes.py     the work on an item of a queue is in a lane of who put the item there
    item_tasks.py     and so where a task does it
    pool_lanes.py     what is given to a `ThreadPool` of multiprocessing has lanes of its own
    handed_over.py    what other work of the process gave to a request, as plain data
    handed_futures.py  or what it sets as the result of a request's future
    request_lane.py   whether a request asks, or the process does for itself
    call_lanes.py     one lane for each call of a function that a request hands out
    called_back.py    such a function, which the world calls at any time
    simple_queue.py   `queue.SimpleQueue`, which knows whose an item is
    http_exchange.py  what all HTTP clients' boundaries share
    curl_handle.py    a handle of curl_cffi's: where its transfer goes, and who gets what comes
    httpx_carrier.py  the trace's headers are in a request of theirs while it is sent
    httpx_exchange.py what the boundaries of httpx and httpx2 share
    django_rows.py    objects of Django's models as values, for the boundaries of its caches
    generated_names.py  names in SQL that differ from run to run by their nature
    grpc_metadata.py  what the boundaries of gRPC's two clients share
    grpc_port.py      a port of a gRPC server, which a replay binds in name only
    websocket_channel.py  what the boundaries of websockets' two clients share
    zeromq.py         where a socket of pyzmq's leads, for the boundaries of its two kinds
    local_listener.py  a listener of a stand-in, past the hooks of sockets
    secure_shell.py   what the boundaries of paramiko's modules share
    stub_socket.py    what a replayed connection holds in the place of a socket
    made_key.py       a private key that a request makes, for cryptography's boundaries
    edwards_keys.py   what those of Ed25519 and Ed448 share
    private_key.py    what in a private key is its public half
    stand_in_key.py   a private key of the kind that a masked one was, for replays
    redis/            what redis-py's and valkey's boundaries share, sync and asyncio
    memory_cache.py   what a cache in the process's memory answers, as events
    outgoing_task.py  what the boundaries of task queues share
    ld_evaluation.py  what LaunchDarkly's two clients share
    broker/           what the boundaries of message brokers' clients share
    kafka/            and those of Kafka's
    amqp/             what the boundaries of RabbitMQ's clients share
    server_calls.py   an answer of the server, or a message that is waited for, is an event
    mqtt/             what the boundaries of paho-mqtt and aiomqtt share
    nats/             what the boundaries of nats-py's modules share
    mongodb/          what pymongo's boundaries share, sync and asyncio
    mysql/            what the drivers of MySQL share: the server's packets on replay
    loop_program.py   a program that is started by the event loop itself
    other_process.py  what another process hands over, for the boundaries of multiprocessing
    program_pipe.py   what goes to a running program, and what comes from it, is an event each time
    read_key.py       a private key of paramiko's that is read, by its public half
    reading.py        what machine and process are at the moment
    masked.py         calls that are of the process, whichever request makes them
    waited.py         the wait for a pool is an event, its inside is nobody's
    postgresql/       what the drivers of PostgreSQL share: the stand-in of the server on replay
    sqlite/           what the boundary of sqlite3 is made of
    open_of_now.py    for modules that took hold of an `open` before it was hooked
    looked_up.py      addresses of names, by `socket` or by an event loop
    own_socket.py     a socket that no boundary stands above
    own_pair.py       two that the process connects to each other through a listener of its own
    own_connecting.py  one that does not wait until it is connected
    own_waiting.py    who waits for several, by `select` or its like, is told again who was ready
    own_loop_socket.py  one that an event loop reads and writes
    own_tls_object.py  TLS that a library makes by itself, over whatever it has
    heard_by_several.py  what code is told on behalf of several recordings, it asks for all of them
    own_stream.py     asyncio's streams that no boundary stands above
    own_transport/    asyncio's connections with a protocol that no boundary stands above
    sent_key.py       what stands in a key for what was sent over one
    covering.py       whether a boundary stands above a library's line
    coverage_watch.py what reached the world past all boundaries
    audit_events.py   what the interpreter's audit events say of the world
    asking_line.py    which line of the application asked
    file_access.py    which files are the world, and where a replay puts them
    named_files.py    what a library in C or Rust opens by its name, for the boundaries of such
    duckdb_file.py    whose checksums are right again, where it is masked
    files_in_sql.py   and what DuckDB's SQL names
    named_folders.py  and folders, patterns, what lies beside a file
    temporary_folder.py  where temporary files are, whatever `tempfile` is told later
    calling.py        who called a hook, which may be the interpreter itself
    exempt.py         whose clock reads are infrastructure, and no events
    native.py         clock hooks, lane buffer and encoder, in C or in Python
    _c/               those in C
    _fallback.py      those in Python
    _fallback_encoder.py  and its encoder
    _fallback_texts.py  and where texts stand
    _fallback_finder.py  and what is looked for again and again
    code_literals.py  which texts stand in source code, and where that is
    boot_texts.py     which texts on a boot tape may be secrets, and where they stand
    drawn_text.py     what is drawn character by character, read from what was drawn
    opaque_text.py    tells an object that can't be recorded from others, and runs none of its code
    codec.py          one value to MessagePack and back, never pickle
    failure.py        an exception and its traceback as plain data
    recording.py      what the reader gives back of one request
    flags.py          which feature flags a recorded request saw
    encryption.py     to whom recordings are encrypted, and with which keys they are read
    trace_file/       a recording to bytes and back
    flight_recorder.py  what is dropped waits in memory, to be saved on a trigger
    warm_ups.py         the first requests of a process wait in memory for a recording to come
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
from retrace_core.declared import boundary
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
