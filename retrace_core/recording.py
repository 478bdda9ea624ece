"""Recording: what one service kept of one request, as the reader gives it back.

A recording is a `Header` (what `retrace ls` shows, cheap to read), the request, the
response, the failure if there was one, and the events of each lane.

What the trace file holds as arrays (`array_like`) may only grow at its end, with a default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ASYNC_SLEEP",
    "BY_NAME",
    "CANCELLED",
    "FREE",
    "FREE_OF_ORDER",
    "LANE_END",
    "LASTING",
    "RAISED",
    "RETURNED",
    "DecisionRecord",
    "Environment",
    "Event",
    "Failure",
    "Frame",
    "Header",
    "Hole",
    "Interpreter",
    "LaneEvents",
    "OfCode",
    "Program",
    "Recording",
    "Redaction",
    "Request",
    "Response",
    "SoftEvent",
]

RETURNED: Final = 0
"""Event status: the call returned `value`."""
RAISED: Final = 1
"""Event status: the call raised; `value` is the packed exception."""
CANCELLED: Final = 2
"""Event status: the call was cancelled while in flight; `value` is None."""

ASYNC_SLEEP: Final = "asyncio.sleep"
"""Kind of the events of `asyncio.sleep`."""
LANE_END: Final = "lane.end"
"""Kind of the event by which the thread or task of a lane has ended: it asks nothing."""
BY_NAME: Final = "rb, C"
"""How a file was opened, where a library in C did that by its name: in the place of a mode."""
FREE_OF_ORDER: Final = "free."
"""Beginning of the kinds of declared boundaries, and others, that are matched in no order."""
LASTING: Final = ("free.site", "free.contenttype")
"""Beginnings of those of them that are answered alike however often they are asked."""
FREE: Final = ("file.", FREE_OF_ORDER, "elsewhere.")
"""Beginnings of the kinds of events that take no turns: matched in no order, by what they ask
(files and the like), or asked by nobody (what other code has sent on a recorded web socket)."""

Headers = list[tuple[str, str]]
"""Header names and values as latin-1 text, in order, duplicates kept."""


class Event(msgspec.Struct, frozen=True):
    """One semantic crossing of a boundary: it takes turns, and must match in order."""

    seq: int
    """Its place in the order of completions of the whole scope; the first is 1."""
    kind: str
    """Which boundary and call, for instance "sqlite3.execute"."""
    status: int
    """`RETURNED`, `RAISED` or `CANCELLED`."""
    key: Any
    """What was asked, decoded."""
    value: Any
    """What was answered, decoded, or the packed exception."""
    end_us: int
    """When it completed, in microseconds since the scope was opened."""
    duration_us: int
    """How long it took, in microseconds."""


class SoftEvent(msgspec.Struct, frozen=True):
    """One read of a clock or an entropy source: matched by lane, kind and call site."""

    kind: str
    """For instance "time.time" or "os.urandom"."""
    site: str
    """The function that asked, as "file.py:qualified.name"."""
    value: Any
    """What was read."""


class LaneEvents(msgspec.Struct, frozen=True):
    """The ordered events of one thread or task; lane "0" is the request itself."""

    id: str
    events: list[Event | SoftEvent]
    complete: bool = True
    """False when the lane was still running as the recording was sealed."""
    data: bytes = b""
    """The events as they stand in the file."""


class Request(msgspec.Struct, frozen=True, array_like=True):
    """What came in."""

    protocol: Literal["asgi", "wsgi", "boot", "task", "websocket"]
    method: str
    scheme: str
    path: str
    """Decoded path below `root_path` (WSGI: SCRIPT_NAME is in `root_path`)."""
    raw_path: bytes
    query: bytes
    root_path: str
    http_version: str
    server: tuple[str, int] | None
    client: tuple[str, int] | None
    headers: Headers
    body: list[bytes] = []
    """The body in the chunks in which the application received it."""
    body_bytes: int = 0
    """How long the body was, also when `body` was cut."""
    body_cut: bool = False
    """True when `body` was cut at the limit."""
    body_error: Any = None
    """Packed exception that reading the body raised, if it did."""
    extra: dict[str, Any] = {}
    """Protocol details that the application may look at (WSGI: plain environ values)."""


class Response(msgspec.Struct, frozen=True, array_like=True):
    """What went out, before the server added its own headers."""

    status: int
    reason: str
    headers: Headers
    body: list[bytes] = []
    body_bytes: int = 0
    body_cut: bool = False
    complete: bool = True
    """False when the client went away, or the application failed, before the end."""
    chunks: int = 0
    """How many body chunks were taken before the end."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One line of a traceback."""

    file: str
    line: int
    function: str
    source: str = ""


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """An exception that left the application, or that it handled and logged as an error."""

    type: str
    """Module and qualified name of its class."""
    message: str
    frames: list[Frame]
    """Outermost first, as Python prints them."""
    cause: Failure | None = None
    """`__cause__`, or `__context__` when that is what Python would print."""
    cause_is_context: bool = False
    handled: bool = False
    """True when it did not leave the application: its framework logged it and answered 500."""


class Hole(msgspec.Struct, frozen=True, array_like=True):
    """Something that reached the world past all boundaries, so that replay can't answer it."""

    operation: str
    """The interpreter's audit event, for instance "socket.connect", or "open"."""
    target: str
    """What was reached: host and port, a path, a program; no arguments, no contents."""
    where: Frame | None = None
    """The line of the application that did it; None where it is on a thread of a library's."""
    library: str = ""
    """The library that this line called; "" where it was itself, or the standard library."""
    times: int = 1
    """How often."""


class DecisionRecord(msgspec.Struct, frozen=True, array_like=True):
    """Why the request was recorded."""

    verdict: str
    decider: str
    reason: str


class Program(msgspec.Struct, frozen=True, array_like=True):
    """What the process was started as, so that a replay may start it alike."""

    kind: str
    """"function" of a console script, "module" of `python -m`, or "script"."""
    name: str
    """"module:function", the module, or the script's path, relative when it is below `folder`."""
    arguments: list[str] = []
    """What followed it; of secrets the pseudonyms."""
    folder: str = ""
    """Where it was started."""
    path: str = ""
    """What it has in `sys.argv[0]`."""
    serves: str = ""
    """What the recorded application is, "module:name" of its class or function; "" if unknown."""
    child: str = ""
    """Name of the process of `multiprocessing` that served, where it was not the first one."""


class Interpreter(msgspec.Struct, frozen=True, array_like=True):
    """How the interpreter of the process was started."""

    options: list[str] = []
    """Those of its command line by which another one is alike, as "-Xutf8=1"."""
    encoding: str = ""
    """Of the locale."""
    variables: dict[str, str] = {}
    """Those by which it has that: LC_ALL, LC_CTYPE and LANG, where they are set."""
    recursion_limit: int = 0
    """0 where it is not known."""


class Environment(msgspec.Struct, frozen=True, array_like=True):
    """The process that recorded."""

    python: str = ""
    implementation: str = "c"
    """Which hooks recorded: "c" or "python" (the partial fallback)."""
    platform: str = ""
    retrace: str = ""
    app: str = ""
    """How the application is named, "module:attribute", where that could be found out."""
    app_dir: str = ""
    """The folder that must be on `sys.path` to import it."""
    commit: str = ""
    """Git commit of the application's code, where it could be found out."""
    pid: int = 0
    host: str = ""
    timezone: str = ""
    libraries: dict[str, str] = {}
    """Versions of the hooked libraries and frameworks that were loaded."""
    boundaries: list[str] = []
    """Libraries whose boundaries were installed; of Python itself none is named."""
    hash_seed: str = ""
    """Empty without consent; "random" secret as 48 hex digits, or PYTHONHASHSEED's number."""
    program: Program | None = None
    """None where it was started in a way that can't be told."""
    interpreter: Interpreter | None = None
    """None where it was recorded before 2026-11-29."""


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a recording without reading its events."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    started_ns: int
    """Unix time in nanoseconds."""
    duration_ns: int
    method: str
    path: str
    status: int
    """Response status; 0 when none was sent."""
    error: str
    """Class name of the exception that left the application, or ""."""
    decision: DecisionRecord
    environment: Environment
    folder: str = ""
    """The folder name of the trace: the trace id, or a safe X-Trace-ID as given."""
    given_trace_id: str = ""
    """An unsafe X-Trace-ID, kept as data."""
    outgoing_headers: list[tuple[str, str]] = []
    """What was sent along with outgoing HTTP calls."""
    events: int = 0
    cut: bool = False
    """True when the recording reached its size limit and misses its end."""
    tainted: bool = False
    """True when a value could not be encoded, so that replay may differ there."""
    boot: str = ""
    """Where the boot tape of its process is, as "folder/service"; "" for none."""
    holes: int = 0
    """How many things reached the world past all boundaries, as far as that was watched."""
    route: str = ""
    """The pattern that the framework knows the request by, "/orders/{id}"; "" for none."""
    tags: dict[str, str | int | bool] = {}
    """What the application has tagged the request with."""
    thread: int = -1
    """Which thread of its process served it: 0 the main one, -1 where it is not known."""
    thread_name: str = ""

    @property
    def failed(self) -> bool:
        """True when an exception left the application, or the response was a server's error."""
        return bool(self.error) or self.status >= 500


class OfCode(msgspec.Struct, frozen=True, array_like=True):
    """Where a masked secret stands in the application's code, which has it anyway."""

    mask: bytes
    """Its pseudonym, as it is written."""
    module: str
    length: int
    """Of the true text, in bytes."""
    number: int
    """Of the text among those of its length in the module, from 0."""


class OfBoot(msgspec.Struct, frozen=True, array_like=True):
    """Where a masked secret stands on the boot tape, whose start-up it was in the clear for."""

    mask: bytes
    """Its pseudonym, as it is written."""
    file: str
    """Span id of the file of the tape."""
    lane: str
    place: int
    """In the encoded events of the lane, in bytes."""
    size: int
    """Of what stands there, in bytes."""
    form: str = ""
    """How the secret is written: "" as what stands there, else "hex", "base64url", "base64", "uuid"
    or "uuid hex" of those bytes."""


class Redaction(msgspec.Struct, frozen=True, array_like=True):
    """What was masked in a recording: pseudonyms, as long, stand in the place of secrets."""

    masked: dict[str, int] = {}
    """How many places, by what told that they are secrets: a name, a detector."""
    masks: list[bytes] = []
    """The pseudonyms, as they are written."""
    sealed: int = 0
    """How many of the places are sealed, too: who has the key gets the true values back."""
    seal: bytes = b""
    """The true values, encrypted (age), `[[place, bytes], ...]`; places count from the beginning
    of the header's payload on, through those of the bodies."""
    of_code: list[OfCode] = []
    """Those of secrets that are texts of the application's code."""
    of_boot: list[OfBoot] = []
    """Those of secrets that stand on the boot tape in the clear."""


class Recording(msgspec.Struct, frozen=True):
    """One request of one service, complete."""

    header: Header
    request: Request
    response: Response | None
    failure: Failure | None
    lanes: list[LaneEvents]
    holes: list[Hole] = []
    """What reached the world past all boundaries."""
    steps: list[tuple[int, int, int]] = []
    """How far the event loop had got between two answers of its tasks: number of the one, of the
    next one, and steps between (0: both came in the same step). Those between which it was idle,
    or that came one by one, are left out."""
    redaction: Redaction | None = None
    """What was masked in it, and still is."""

    def lane(self, lane_id: str) -> LaneEvents | None:
        """Return the lane of that id, or None."""
        return next((lane for lane in self.lanes if lane.id == lane_id), None)

    def timeline(self) -> Iterator[tuple[str, Event | SoftEvent]]:
        """Yield (lane id, event) in order of completion; soft events stay by their lane's."""
        order: list[tuple[int, int, str, Event | SoftEvent]] = []
        for lane in self.lanes:
            seq = 0
            for place, event in enumerate(lane.events):
                seq = event.seq if isinstance(event, Event) else seq
                order.append((seq, place, lane.id, event))
        order.sort(key=lambda item: item[:2])
        for _, _, lane_id, event in order:
            yield lane_id, event
