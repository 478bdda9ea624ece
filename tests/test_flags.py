"""The flags of a recording, read from whatever a stranger's file holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from retrace_core.flags import evaluations, flipped_lane
from retrace_core.recording import (
    DecisionRecord,
    Environment,
    Event,
    Header,
    LaneEvents,
    Recording,
    Request,
)

KINDS = [
    "openfeature.evaluate",
    "ldclient.variation",
    "ldclient.variation_detail",
    "ldclient.migration_variation",
    "ldclient.all_flags_state",
    "sqlite3.execute",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)
events = st.builds(
    Event,
    seq=st.integers(1, 9),
    kind=st.sampled_from(KINDS),
    status=st.integers(0, 2),
    key=values,
    value=values,
    end_us=st.just(1),
    duration_us=st.just(1),
)


def recording(*found: Event) -> Recording:
    """Return a recording with these events."""
    request = Request("wsgi", "GET", "http", "/", b"/", b"", "", "1.1", None, None, [])
    decision = DecisionRecord("yes", "", "")
    header = Header("0" * 32, "0" * 16, "", "s", 0, 0, "GET", "/", 200, "", decision, Environment())
    return Recording(header, request, None, None, [LaneEvents("0", list(found))])


@given(st.lists(events, max_size=5), st.dictionaries(st.text(), values, max_size=2))
def test_no_recording_is_an_error(found: list[Event], flags: dict[str, Any]) -> None:
    """Damaged keys and values are passed by; flipping keeps every event."""
    evaluations(recording(*found))
    assert len(flipped_lane(LaneEvents("0", list(found)), flags).events) == len(found)


def evaluated(kind: str, key: Any, value: Any, status: int = 0) -> Event:
    """Return the event of an evaluation."""
    return Event(1, kind, status, key, value, 1, 1)


def test_an_evaluation_that_raised_is_listed_and_can_be_flipped() -> None:
    """On replay it answers instead."""
    event = evaluated("openfeature.evaluate", ("f", 1.0, "FLOAT", {}, None), [["E"]], status=1)
    (found,) = evaluations(recording(event))
    assert (found.name, found.value, found.reason) == ("f", None, "raised")
    (flipped,) = flipped_lane(LaneEvents("0", [event]), {"f": 2}).events
    assert isinstance(flipped, Event)
    assert (flipped.status, flipped.value[0]) == (0, 2.0)
    assert isinstance(flipped.value[0], float)


def test_reasons_are_told_in_words() -> None:
    """Rule, prerequisite and error of LaunchDarkly; OpenFeature's reason and error code."""
    kind, key = "ldclient.variation_detail", ("f", None, "{}")
    told = {
        "RULE_MATCH rule 2": {"kind": "RULE_MATCH", "ruleIndex": 2},
        "PREREQUISITE_FAILED other": {"kind": "PREREQUISITE_FAILED", "prerequisiteKey": "other"},
        "ERROR FLAG_NOT_FOUND": {"kind": "ERROR", "errorKind": "FLAG_NOT_FOUND"},
        "": None,
    }
    for words, reason in told.items():
        (found,) = evaluations(recording(evaluated(kind, key, (1, 0, reason))))
        assert found.reason == words
