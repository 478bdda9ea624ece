"""Flags: which feature flags a recorded request saw, and a recording with some of them flipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core.errors import FlagNotAsked
from retrace_core.recording import RAISED, RETURNED, Event, LaneEvents, Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Evaluation", "check_asked", "evaluations", "flip", "flipped_lane"]

_STATE = "ldclient.all_flags_state"
_LAUNCHDARKLY = ("ldclient.variation", "ldclient.variation_detail", "ldclient.migration_variation")
_OPENFEATURE = "openfeature.evaluate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One answer that the application got of a flag."""

    name: str
    value: Any
    variation: str = ""
    """Name or index of the variation, "" where it was the application's own default."""
    reason: str = ""
    """Why it had that value, as the SDK says: "TARGET_MATCH", "SPLIT", "ERROR FLAG_NOT_FOUND"."""
    kind: str = ""
    """The event's kind: which SDK, and which call."""
    lane: str = "0"


def evaluations(recording: Recording) -> list[Evaluation]:
    """Return every flag that the request saw, in the order in which it was asked."""
    found: list[Evaluation] = []
    for lane_id, event in recording.timeline():
        if isinstance(event, Event):
            found.extend(_of_event(lane_id, event))
    return found


def check_asked(recording: Recording, flags: Mapping[str, Any]) -> None:
    """Make sure that each of these flags was asked in the recording.

    Raises:
        FlagNotAsked: one was not.
    """
    asked = list(dict.fromkeys(one.name for one in evaluations(recording)))
    for name in flags:
        if name not in asked:
            raise FlagNotAsked(name, asked)


def flip(recording: Recording, flags: Mapping[str, Any]) -> Recording:
    """Return the recording with other answers of some flags.

    Args:
        recording: is not changed.
        flags: name -> the value that the flag is to have, wherever it was asked.

    Raises:
        FlagNotAsked: one of them was never asked.
    """
    check_asked(recording, flags)
    lanes = [flipped_lane(lane, flags) for lane in recording.lanes]
    return msgspec.structs.replace(recording, lanes=lanes)


def flipped_lane(lane: LaneEvents, flags: Mapping[str, Any]) -> LaneEvents:
    """Return a lane with other answers of some flags."""
    events = [_flipped(one, flags) if isinstance(one, Event) else one for one in lane.events]
    return msgspec.structs.replace(lane, events=events)


def _of_event(lane_id: str, event: Event) -> Iterator[Evaluation]:
    value = event.value
    if event.kind == _STATE and event.status == RETURNED and isinstance(value, Mapping):
        for name, one in value.items():
            if not str(name).startswith("$"):
                about = _item(_item(value, "$flagsState"), name)
                yield Evaluation(
                    name=str(name),
                    value=one,
                    variation=_text(_item(about, "variation")),
                    reason=_reason(_item(about, "reason")),
                    kind=event.kind,
                    lane=lane_id,
                )
        return
    name = _name(event)
    if name and event.status != RETURNED:
        reason = "raised" if event.status == RAISED else "cancelled"
        yield Evaluation(name=name, value=None, reason=reason, kind=event.kind, lane=lane_id)
    elif name and isinstance(value, list | tuple) and len(value) >= 3:
        wrong = _text(value[3]) if event.kind == _OPENFEATURE and len(value) > 3 else ""
        reason = f"{_reason(value[2])} {wrong}".strip()
        yield Evaluation(
            name=name,
            value=value[0],
            variation=_text(value[1]),
            reason=reason,
            kind=event.kind,
            lane=lane_id,
        )


def _name(event: Event) -> str:
    """Return the flag that an event asked for, or ""."""
    of_flag = event.kind == _OPENFEATURE or event.kind in _LAUNCHDARKLY
    key = event.key
    return str(key[0]) if of_flag and isinstance(key, list | tuple) and key else ""


def _flipped(event: Event, flags: Mapping[str, Any]) -> Event:
    value: Any = event.value
    if event.kind == _STATE and isinstance(value, Mapping) and event.status == RETURNED:
        changed = {name: flags[name] for name in flags if name in value}
        return msgspec.structs.replace(event, value={**value, **changed}) if changed else event
    name = _name(event)
    if name not in flags:
        return event
    new = flags[name]
    answer: tuple[Any, ...]
    if event.kind == _OPENFEATURE:
        if _item(event.key, 2) == "FLOAT" and isinstance(new, int) and not isinstance(new, bool):
            new = float(new)
        answer = (new, None, "TARGETING_MATCH", None, None, {}, name)
    else:  # as if the context were targeted
        answer = (new, 0, {"kind": "TARGET_MATCH"})
        answer = (*answer, new) if event.kind == _LAUNCHDARKLY[2] else answer
    return msgspec.structs.replace(event, status=RETURNED, value=answer)


def _reason(reason: Any) -> str:
    if isinstance(reason, Mapping):
        parts = (reason.get("kind"), reason.get("errorKind"), reason.get("prerequisiteKey"))
        rule = reason.get("ruleIndex")
        words = [str(part) for part in parts if part]
        return " ".join(words if rule is None else [*words, f"rule {rule}"])
    return _text(reason)


def _item(holder: Any, key: Any) -> Any:
    if isinstance(holder, Mapping):
        return holder.get(key)
    in_range = isinstance(holder, list | tuple) and isinstance(key, int) and key < len(holder)
    return holder[key] if in_range else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)
