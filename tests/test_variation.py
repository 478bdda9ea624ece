"""What the value of a flag means: words, shares, tables, and what is unknown."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import ConfigurationError, stats
from retrace_mw import Decision, FinishedRequest
from retrace_mw.deciders import SampleRate
from retrace_mw.variation import Variations
from tests.requested import traced, wsgi_request


def variations(**options: Any) -> Variations:
    """Return the variations of a flag."""
    return Variations("record-request", decider="Flag", **options)


def finished(status: int = 200, duration_s: float = 0.1) -> FinishedRequest:
    """Return a request at its end."""
    return FinishedRequest(
        request=wsgi_request(),
        status=status,
        headers=(),
        failure=None,
        duration_s=duration_s,
        complete=True,
    )


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (True, "yes"),
        (False, "no"),
        ("full", "yes"),
        ("Full ", "yes"),
        ("on", "yes"),
        ("off", "no"),
        ("tail", "tail"),
        (1, "yes"),
        (0, "no"),
        (1.0, "yes"),
        (0.0, "no"),
        ({"verdict": "tail"}, "tail"),
        ({"verdict": False}, "no"),
        ({"rate": 1}, "yes"),
        ({"rate": 0, "verdict": "tail"}, "no"),
        ({}, "yes"),
    ],
)
def test_a_value_means_a_verdict(value: object, verdict: str) -> None:
    """Booleans, words in any case, shares, and tables of them."""
    decision = variations(default="tail" if verdict != "tail" else "no").decide(
        value, wsgi_request()
    )
    assert decision.verdict == verdict
    assert "record-request" in decision.reason


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "sometimes",
        2,
        -0.1,
        float("nan"),
        [],
        ["full"],
        {"rate": 2},
        {"rate": "0.1"},
        {"verdict": "perhaps"},
        {"rat": 0.1},
        {"per_s": -1},
        {1: 2},
    ],
)
def test_an_unknown_value_means_the_default_and_is_counted(value: object) -> None:
    """A flag that says nonsense records what the default says."""
    before = stats().get("flag.unknown_variation", 0)
    assert variations(default="full").decide(value, wsgi_request()).verdict == "yes"
    assert variations().decide(value, wsgi_request()).verdict == "no"
    assert stats()["flag.unknown_variation"] == before + 2


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_no_value_is_an_error(value: object) -> None:
    """Whatever the flag service sends."""
    assert variations().decide(value, wsgi_request()).verdict in ("no", "yes", "tail")


def test_a_share_draws_the_same_traces_as_the_sample_rate() -> None:
    """A flag's 10 % and a neighbour's `SampleRate(0.1)` record the same traces."""
    flag, rate = variations(), SampleRate(0.1)
    for _ in range(500):
        request = traced(secrets.randbits(128) | 1)
        assert flag.decide({"rate": 0.1}, request).verdict == rate(request).verdict
        assert flag.decide(0.1, request).verdict == rate(request).verdict


def test_tail_keeps_what_failed_or_was_slow() -> None:
    """Slowness counts when the flag says from where on."""
    plain = variations().decide("tail", wsgi_request()).keep
    assert plain is not None
    assert plain(finished(503)).verdict == "yes"
    assert plain(finished(200, 100.0)).verdict == "no"
    slow = variations().decide({"verdict": "tail", "slower_than_s": 1}, wsgi_request()).keep
    assert slow is not None
    assert slow(finished(200, 1.5)).verdict == "yes"
    assert slow(finished(200, 0.5)).verdict == "no"


def test_a_tail_decider_of_the_users_is_asked_instead() -> None:
    """Any decider; it may also say yes or no at once."""
    told = Decision("tail", "mine", "mine")
    assert variations(tail=lambda _: told).decide("tail", wsgi_request()) is told


def test_per_s_bounds_what_a_flag_records() -> None:
    """Twice as many at once, and so many each second after that."""
    now = [0.0]
    flag = variations(clock=lambda: now[0])
    value = {"per_s": 2}

    def recorded(times: int) -> int:
        return sum(flag.decide(value, wsgi_request()).verdict == "yes" for _ in range(times))

    assert recorded(10) == 4
    now[0] = 1.0
    assert recorded(10) == 2


def test_a_bound_goes_on_when_the_flag_changes_otherwise() -> None:
    """A flag that is switched to and fro does not get a full bucket each time."""
    flag = variations(clock=lambda: 0.0)
    for rate in (1.0, 0.9999999):
        for _ in range(10):
            flag.decide({"per_s": 1, "rate": rate}, traced((1 << 128) - 1))
    assert flag.decide({"per_s": 1}, wsgi_request()).verdict == "no"


@pytest.mark.parametrize("default", [None, "sometimes", 2, {"rat": 1}])
def test_a_default_that_is_no_value_is_refused_at_start(default: object) -> None:
    """The error says what is allowed."""
    with pytest.raises(ConfigurationError, match="slower_than_s"):
        variations(default=default)
