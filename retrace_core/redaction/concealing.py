"""Concealing: what the writer does to a recording before it becomes the bytes of a file."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from retrace_core import failsafe, native
from retrace_core.recording import Header, Redaction
from retrace_core.redaction.columnar import with_plain_tables
from retrace_core.redaction.messagepack import token_at
from retrace_core.redaction.replacing import Redacted, Region
from retrace_core.redaction.secret_set import DIGEST
from retrace_core.stats import count
from retrace_core.trace_file.dump import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.recording import OfBoot, OfCode
    from retrace_core.redaction.pointing import Pointing
    from retrace_core.redaction.redactor import Redactor
    from retrace_core.trace_file import Draft

__all__ = ["Concealing", "regions_of", "tag_of"]

_CODE = (b"\x92\xa7failure", b"\x92\xa5holes")
_LANE = b"\x92\xa4lane"
_REQUEST = b"\x92\xa7request"
_OF_PROTOCOL = 3
"""So many fields of a request come first: protocol, method and scheme."""
_VARIABLE = re.compile(r"[<{:(*]")
"""In a part of a route that is not the same in each path."""
_OURS = (b"\x92\xa5sites", b"\x92\xa5steps")
"""Names of functions and counts: nothing that anybody gave. Parts begin with their tags."""

_encoder = msgspec.msgpack.Encoder()
_header = msgspec.msgpack.Decoder(Header)
_rest = msgspec.msgpack.Decoder(tuple[int, bool])


class Concealing:
    """Masks the secrets of recordings; raises nothing but what means: do not write this one.

    Args:
        redactor: finds and masks.
        seal: encrypts the true values, None where they are gone for good.
        for_good: rules whose values are never sealed.
        pointing: tells which secrets a replay has anyway; None: nobody is told.
    """

    def __init__(
        self,
        redactor: Redactor,
        *,
        seal: Callable[[bytes], bytes] | None = None,
        for_good: frozenset[str] = frozenset(),
        pointing: Pointing | None = None,
    ) -> None:
        self.redactor = redactor
        self._seal = seal
        self._for_good = for_good
        self._pointing = pointing

    def __call__(
        self, draft: Draft, header: bytes, parts: list[bytes]
    ) -> tuple[bytes, list[bytes], bytes]:
        """Return header and parts, masked, and the part that says so."""
        try:
            parts = [_with_plain_tables(part) for part in parts]
            concealed = self._conceal(draft, header, parts)
        except Exception:
            count("dropped.redaction_error")  # the writer drops what can't be encoded
            raise
        if draft.request.protocol == "boot" and self._pointing is not None:
            with failsafe.gate("texts of the boot tape"):
                self._pointing.note_boot(draft.header, list(_lanes_of(concealed[1])))
        return concealed

    def _conceal(
        self, draft: Draft, header: bytes, parts: list[bytes]
    ) -> tuple[bytes, list[bytes], bytes]:
        data = b"".join((header, *parts))
        streams = list(_streams(draft, len(header), parts))
        known: list[_PathParts] = []

        def of_path() -> _PathParts:
            if not known:  # most recordings have no secret, and nobody asks
                known.append(_path_parts(draft, header, parts))
            return known[0]

        redacted = self.redactor.redact(
            data,
            list(regions_of(header, parts)),
            streams,
            values=lambda: of_path().given,
            boot=draft.request.protocol == "boot",
        )
        if redacted.data is data:
            return header, parts, b""
        redacted = _with_route(redacted, data, of_path().of_route)
        redacted = _without_tags(redacted, draft, header)
        masked = redacted.data
        place = len(header)
        if masked[:place] != header:
            path = _header.decode(masked[:place]).path
            draft.header = msgspec.structs.replace(draft.header, path=path)  # what is logged
        header = masked[:place]
        slices: list[bytes] = []
        for part in parts:
            slices.append(masked[place : place + len(part)])
            place += len(part)
        if not redacted.patches:
            return header, slices, b""
        count("redacted", len(redacted.patches))
        return (
            header,
            slices,
            _encoder.encode(("redaction", self._told(draft, redacted))),
        )

    def _told(self, draft: Draft, redacted: Redacted) -> Redaction:
        patches = redacted.patches
        masked = dict(Counter(patch.rule for patch in patches))
        # Masks may differ by their shape; a digest is the recorded one, or another's.
        told = [patch.mask for patch in patches if patch.mask and patch.rule != DIGEST]
        masks = list(dict.fromkeys(told + redacted.inner))
        of_code: list[OfCode] = []
        of_boot: list[OfBoot] = []
        if self._pointing is not None:
            with failsafe.gate("texts that a replay has"):
                of_code, of_boot = self._pointing.of(draft.header, patches)
        if self._seal is None:
            return Redaction(masked, masks, of_code=of_code, of_boot=of_boot)
        sealed = [(p.place, p.secret) for p in patches if p.rule not in self._for_good]
        seal = self._seal(_encoder.encode(sealed))
        return Redaction(masked, masks, len(sealed), seal, of_code, of_boot)


class _PathParts(NamedTuple):
    """Where the parts of the path stand, in header and request."""

    given: frozenset[tuple[int, int]] = frozenset()
    """Those that somebody gave: they are masked where they are secrets, short or not."""
    of_route: tuple[tuple[int, int], ...] = ()
    """Those of the route: they are the code's, and a secret of the same letters is no reason."""


def _path_parts(draft: Draft, header: bytes, parts: Sequence[bytes]) -> _PathParts:
    path, route = draft.header.path, draft.header.route
    patterns, found = route.strip("/").split("/"), path.strip("/").split("/")
    if not route or len(path) < 2 or len(patterns) != len(found):
        return _PathParts()
    given: list[tuple[int, int]] = []
    of_route: list[tuple[int, int]] = []
    begin = int(path.startswith("/"))
    for pattern, part in zip(patterns, found, strict=True):
        end = begin + len(part.encode())
        if _VARIABLE.search(pattern):
            given.append((begin, end))
        elif pattern == part:
            of_route.append((begin, end))
        begin = end + 1
    request = [part for part in parts[:1] if tag_of(part) == "request"]
    whole = b"".join((header, *request))
    places = [place for place, _ in native.find_all(whole, (path.encode(),), False, 0)]
    return _PathParts(
        frozenset((place + begin, place + end) for place in places for begin, end in given),
        tuple((place + begin, place + end) for place in places for begin, end in of_route),
    )


def _with_route(redacted: Redacted, data: bytes, spans: Sequence[tuple[int, int]]) -> Redacted:
    """Return it with these places as they were, where nothing but they was masked."""
    masked, patches = redacted.data, redacted.patches
    for begin, end in spans:
        if masked[begin:end] == data[begin:end]:
            continue
        within = [patch for patch in patches if begin - len(patch.secret) < patch.place < end]
        if all(begin <= one.place <= end - len(one.secret) for one in within):
            masked = masked[:begin] + data[begin:end] + masked[end:]
            patches = [patch for patch in patches if patch not in within]
    return Redacted(masked, patches, redacted.inner)


def _without_tags(redacted: Redacted, draft: Draft, header: bytes) -> Redacted:
    """Return it with the tags of the application's as they are: recordings are found by them."""
    tags = draft.header.tags
    if not tags or not redacted.patches:
        return redacted
    encoded = encode(tags)
    begin = header.rindex(encoded)
    end = begin + len(encoded)
    patches = [patch for patch in redacted.patches if not begin <= patch.place < end]
    return Redacted(redacted.data[:begin] + encoded + redacted.data[end:], patches, redacted.inner)


def tag_of(part: bytes) -> str:
    """Return the tag of an encoded part, which is `[tag, payload]`."""
    return part[2 : 2 + (part[1] & 0x1F)].decode()


def regions_of(header: bytes, parts: Sequence[bytes]) -> Iterator[Region]:
    """Yield where the bytes of header and parts, one after another, are MessagePack."""
    place = len(header)
    yield Region(0, place, head=True)
    for part in parts:
        end = place + len(part)
        if part.startswith(_LANE):
            first, last = lane_bounds(part)
            yield Region(place + first, place + last, lane=True)
        elif not part.startswith(_OURS):
            code, made = part.startswith(_CODE), tag_of(part) == "response"
            yield Region(place, end, place + _given_at(part), code=code, made=made)
        place = end


def _given_at(part: bytes) -> int:
    """Return where what somebody gave begins in a part: a secret may be `request`, or `GET`."""
    place = 2 + (part[1] & 0x1F)
    if not part.startswith(_REQUEST):
        return place
    place = token_at(part, place).begin
    for _ in range(_OF_PROTOCOL):
        place = _behind(part, place)
    return place


def _behind(part: bytes, place: int) -> int:
    """Return where the text at a place ends; most are short."""
    size = part[place]
    return place + size - 0x9F if 0xA0 <= size <= 0xBF else token_at(part, place).end


def _with_plain_tables(part: bytes) -> bytes:
    if not part.startswith(_LANE):
        return part
    begin, end = lane_bounds(part)
    lane = part[begin:end]
    plain = with_plain_tables(lane)
    if plain is lane:
        return part
    name = token_at(part, len(_LANE) + 1)
    events, complete = _rest.decode(b"\x92" + part[end:])
    return encode(("lane", (part[name.begin : name.end].decode(), plain, events, complete)))


def _lanes_of(parts: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield id and encoded events of each lane."""
    for part in parts:
        if part.startswith(_LANE):
            name = token_at(part, len(_LANE) + 1)
            begin, end = lane_bounds(part)
            yield part[name.begin : name.end].decode(), part[begin:end]


def lane_bounds(part: bytes) -> tuple[int, int]:
    """Return where the events of a lane stand in its part: bytes within MessagePack."""
    lane_id = len(_LANE) + 1  # behind the head of an array of four
    events = token_at(part, _behind(part, lane_id))
    return events.begin, events.end


def _streams(draft: Draft, place: int, parts: Sequence[bytes]) -> Iterator[list[tuple[int, int]]]:
    """Yield where the chunks of each body stand that came in several."""
    bodies = {
        "request": draft.request.body,
        "response": draft.response.body if draft.response is not None else [],
    }
    if all(len(chunks) < 2 for chunks in bodies.values()):
        return
    for part in parts:
        chunks = bodies.get(tag_of(part), [])
        if len(chunks) > 1:
            spans: list[tuple[int, int]] = []
            found = 0
            for chunk in chunks:
                found = part.index(chunk, found)
                spans.append((place + found, place + found + len(chunk)))
                found += len(chunk)
            yield spans
        place += len(part)
