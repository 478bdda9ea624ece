"""Load: hostile bytes to a recording, or a typed error that says where they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from retrace_core.codec import decode_stream
from retrace_core.encryption import decrypt, has_identities, is_encrypted
from retrace_core.errors import RecordingError, RecordingNotFound, TornRecording
from retrace_core.native import SOFT_KINDS
from retrace_core.recording import (
    Event,
    Failure,
    Header,
    Hole,
    LaneEvents,
    Recording,
    Redaction,
    Request,
    Response,
    SoftEvent,
)
from retrace_core.trace_file.frames import BODY, FOOTER, HEADER, LIMIT_BYTES, read_frames
from retrace_core.trace_file.unsealing import unsealed

__all__ = ["load", "load_header", "read_plain", "recover"]

_HEAD_BYTES = 16 * 1024

_pairs = msgspec.msgpack.Decoder(list[tuple[str, msgspec.Raw]])
_header = msgspec.msgpack.Decoder(Header)
_request = msgspec.msgpack.Decoder(Request)
_response = msgspec.msgpack.Decoder(Response)
_failure = msgspec.msgpack.Decoder(Failure)
_holes = msgspec.msgpack.Decoder(list[Hole])
_steps = msgspec.msgpack.Decoder(list[tuple[int, int, int]])
_lane = msgspec.msgpack.Decoder(tuple[str, bytes, int, bool])
_sites = msgspec.msgpack.Decoder(dict[int, str])
_footer = msgspec.msgpack.Decoder(tuple[int, int])
_DAMAGE = (msgspec.MsgspecError, ValueError, TypeError, RecursionError, IndexError)


class _Parts:
    """What has been read of a file so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.header: Header | None = None
        self.request: Request | None = None
        self.response: Response | None = None
        self.failure: Failure | None = None
        self.lanes: list[tuple[str, bytes, int, bool]] = []
        self.sites: dict[int, str] = {}
        self.holes: list[Hole] = []
        self.steps: list[tuple[int, int, int]] = []
        self.redaction: Redaction | None = None
        self.count = 0
        self.complete = False

    def take(self, kind: int, raw: bytes) -> None:
        """Add one frame."""
        try:
            if kind == HEADER:
                self.header = _header.decode(raw)
            elif kind == BODY:
                self._take_body(raw)
            elif kind == FOOTER:
                self.complete = _footer.decode(raw)[0] == self.count
        except _DAMAGE as error:
            raise TornRecording(
                f"{self.name} is damaged inside ({error}); fetch it again"
            ) from None

    def _take_body(self, raw: bytes) -> None:
        for tag, payload in _pairs.decode(raw):
            self.count += 1
            if tag == "request":
                self.request = _request.decode(payload)
            elif tag == "response":
                self.response = _response.decode(payload)
            elif tag == "failure":
                self.failure = _failure.decode(payload)
            elif tag == "sites":
                self.sites = _sites.decode(payload)
            elif tag == "holes":
                self.holes = _holes.decode(payload)
            elif tag == "steps":
                self.steps = _steps.decode(payload)
            elif tag == "lane":
                self.lanes.append(_lane.decode(payload))

    def recording(self) -> Recording:
        """Return what has been read as a recording."""
        if self.header is None or self.request is None:
            raise TornRecording(f"{self.name} has no header or request; fetch it again")
        try:
            lanes = [self._events(*lane) for lane in self.lanes]
        except _DAMAGE as error:
            raise TornRecording(
                f"{self.name} has damaged events ({error}); fetch it again"
            ) from None
        return Recording(
            self.header,
            self.request,
            self.response,
            self.failure,
            lanes,
            self.holes,
            self.steps,
            self.redaction,
        )

    def _events(self, lane_id: str, data: bytes, count: int, complete: bool) -> LaneEvents:
        if not 0 <= count <= len(data):
            raise ValueError("more events than bytes")
        events = [self._event(item) for item in decode_stream(data, count)]
        return LaneEvents(lane_id, events, complete, data)

    def _event(self, item: Any) -> Event | SoftEvent:
        if not isinstance(item, list):
            raise ValueError("an event is no array")
        if len(item) == 3:
            kind, site, value = item
            if not (
                isinstance(kind, int) and isinstance(site, int) and 0 <= kind < len(SOFT_KINDS)
            ):
                raise ValueError("an event of unknown kind")
            return SoftEvent(SOFT_KINDS[kind], self.sites.get(site, "?"), value)
        event = Event(*item)
        numbers = (event.seq, event.status, event.end_us, event.duration_us)
        if not isinstance(event.kind, str) or not all(isinstance(n, int) for n in numbers):
            raise ValueError("an event has fields of a wrong type")
        return event


def load(source: Path | str | bytes) -> Recording:
    """Return the recording in a trace file.

    Args:
        source: its path, or its bytes.

    Raises:
        RecordingNotFound: there is no such file, or it can't be read.
        ForeignFile: it is no trace file.
        NewerVersion: a newer Retrace wrote it.
        LockedRecording: it is encrypted, and no key, or another one, was given.
        TornRecording: it ends early or is damaged; `recover` gives what is readable.
    """
    recording, torn = _read(source)
    if torn is not None:
        raise torn
    assert recording is not None
    return recording


def recover(source: Path | str | bytes) -> tuple[Recording | None, TornRecording | None]:
    """Return what is readable of a torn trace file, and where it ends.

    Args and raises: as `load`, but for `TornRecording`, which is returned.
    """
    return _read(source)


def read_plain(source: Path | str | bytes) -> list[tuple[int, bytes]]:
    """Return type and payload of each frame of a trace file, as they are in it.

    Args and raises: as `load`.
    """
    data, name, _ = _bytes_of(source, LIMIT_BYTES)
    return list(read_frames(data, name))


def load_header(source: Path | str | bytes) -> Header:
    """Return the header of a trace file, reading no more than its beginning.

    Args and raises: as `load`.
    """
    data, name, _ = _bytes_of(source, _HEAD_BYTES)
    parts = _Parts(name)
    for kind, raw in read_frames(data, name):
        parts.take(kind, raw)
        if parts.header is not None:
            return parts.header
    raise TornRecording(f"{name} has no header; fetch it again")


def _read(source: Path | str | bytes) -> tuple[Recording | None, TornRecording | None]:
    data, name, was_encrypted = _bytes_of(source, LIMIT_BYTES)
    parts = _Parts(name)
    torn: TornRecording | None = None
    frames: list[tuple[int, bytes]] = []
    try:
        for frame in read_frames(data, name):
            frames.append(frame)
    except TornRecording as error:
        torn = error
    frames, parts.redaction = unsealed(frames, name, was_encrypted=was_encrypted)
    try:
        for kind, raw in frames:
            parts.take(kind, raw)
        if torn is not None:
            raise torn
        if not parts.complete:
            raise TornRecording(
                f"{name} ends before its last frame; fetch it again", offset_bytes=len(data)
            )
    except TornRecording as error:
        torn = error
    try:
        return parts.recording(), torn
    except TornRecording as error:
        return None, torn or error


def _bytes_of(source: Path | str | bytes, limit: int) -> tuple[bytes, str, bool]:
    """Return the bytes, what to call them, and whether they were encrypted."""
    if isinstance(source, bytes):
        name = "the recording"
        if is_encrypted(source):
            return decrypt(source, name), name, True
        return source[:limit], name, False
    path = Path(source)
    try:
        if path.is_dir():
            raise RecordingNotFound(f"{path} is a folder; give a trace.bin in it")
        with path.open("rb") as file:
            data = file.read(limit)
            if not is_encrypted(data):
                return data, str(path), False
            if not has_identities():
                decrypt(data, str(path))  # says so, with nothing more read
            data += file.read(LIMIT_BYTES)
        return decrypt(data, str(path)), str(path), True
    except FileNotFoundError:
        raise RecordingNotFound(f"{path} is not there; `retrace ls` lists what is") from None
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path} can't be read ({error}); check its permissions") from None
