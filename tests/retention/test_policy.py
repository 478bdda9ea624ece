"""What goes by a policy, and what never does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.catalog import Entry
from retrace_core.errors import ConfigurationError
from retrace_core.retention import Policy, TagRule, choose, policy_of
from retrace_core.setting_rows.amount import parse_size, parse_span, span_words
from retrace_core.settings import resolve

DAY_NS = 86400 * 10**9
NOW_NS = 1000 * DAY_NS


def entry(name: str, days: float = 0, **more: Any) -> Entry:
    """Return a recording that was kept so many days ago."""
    fields: dict[str, Any] = {"service": "shop", "method": "GET", "route": "/", "size_bytes": 10}
    fields |= more
    return Entry(path=name, folder=name, modified_ns=NOW_NS - int(days * DAY_NS), **fields)


def gone(policy: Policy, *entries: Entry, kept: str = "") -> str:
    """Return the names of those that go, in order."""
    found = choose(entries, policy, now_ns=NOW_NS, is_kept=lambda path: path in kept)
    return "".join(one.path for one in found)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(age_ns=30 * DAY_NS), "fpt"),
        (Policy(age_ns=30 * DAY_NS, failures_age_ns=90 * DAY_NS), "pt"),
        (Policy(failures_age_ns=10 * DAY_NS), "f"),
        (Policy(age_ns=30 * DAY_NS, tag_rules=(TagRule("tenant", "acme", 90 * DAY_NS),)), "fp"),
        (Policy(age_ns=300 * DAY_NS, tag_rules=(TagRule("tenant", "*", DAY_NS),)), "t"),
        (Policy(age_ns=30 * DAY_NS, tag_rules=(TagRule("tenant", "other", DAY_NS),)), "fpt"),
        (Policy(), ""),
    ],
    ids=str,
)
def test_by_age(policy: Policy, expected: str) -> None:
    """Each by its own age: a tag rule before the one of failures, before that of all."""
    found = gone(
        policy,
        entry("f", 42, failed=True),
        entry("p", 41),
        entry("t", 40, tags={"tenant": "acme"}),
        entry("n", 1),
    )
    assert found == expected


def test_a_recording_of_just_the_age_stays() -> None:
    """Older than 30 days is not 30 days."""
    assert gone(Policy(age_ns=30 * DAY_NS), entry("a", 30)) == ""


def test_of_several_tag_rules_the_longest_counts() -> None:
    """Who is kept for a year by one rule is not deleted by another."""
    rules = (TagRule("a", "1", DAY_NS), TagRule("b", "2", 9 * DAY_NS))
    assert gone(Policy(tag_rules=rules), entry("x", 5, tags={"a": "1", "b": "2"})) == ""


def test_what_can_not_be_read_is_kept_longest() -> None:
    """It might be a failure, or have a tag."""
    policy = Policy(age_ns=DAY_NS, failures_age_ns=9 * DAY_NS)
    assert gone(policy, entry("u", 5, unreadable="torn"), entry("v", 10, unreadable="torn")) == "v"
    rules = (TagRule("a", "1", 99 * DAY_NS),)
    assert gone(Policy(age_ns=DAY_NS, tag_rules=rules), entry("u", 50, unreadable="torn")) == ""
    assert gone(Policy(tag_rules=rules), entry("u", 500, unreadable="torn")) == ""


def test_by_count_of_each_route() -> None:
    """The newest of each route stay; failures are counted by themselves, tagged ones not at all."""
    entries = [entry(name, days) for days, name in enumerate("abc")]
    entries += [entry("x", 8, route="/other"), entry("y", 9, method="POST")]
    entries += [entry("f", 5, failed=True), entry("g", 6, failed=True)]
    entries += [entry("t", 7, tags={"k": "v"})]
    rules = (TagRule("k", "v", 99 * DAY_NS),)
    assert gone(Policy(per_route=2, tag_rules=rules), *entries) == "c"
    assert gone(Policy(failures_per_route=1, tag_rules=rules), *entries) == "g"


def test_by_size_failures_go_last() -> None:
    """The oldest make room first, failures after all others, tagged ones last."""
    entries = [
        entry("a", 4),
        entry("b", 1),
        entry("f", 9, failed=True),
        entry("t", 10, tags={"k": "v"}),
    ]
    rules = (TagRule("k", "v", 99 * DAY_NS),)
    for most, expected in ((40, ""), (39, "a"), (25, "ab"), (15, "fab"), (5, "tfab")):
        assert gone(Policy(bytes=most, tag_rules=rules), *entries) == expected


def test_what_is_marked_never_goes() -> None:
    """It is counted, and stays."""
    entries = [entry("a", 99), entry("b", 98), entry("c", 1)]
    policy = Policy(age_ns=DAY_NS // 2, per_route=1, bytes=1)
    assert gone(policy, *entries, kept="a") == "bc"


ENTRIES = st.lists(
    st.builds(
        lambda number, days, size, failed, tagged: entry(
            str(number),
            days,
            size_bytes=size,
            failed=failed,
            tags={"k": "v"} if tagged else {},
            route=f"/{number % 3}",
        ),
        st.integers(0, 10**6),
        st.integers(0, 60),
        st.integers(0, 100),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda one: one.path,
)
POLICIES = st.builds(
    Policy,
    age_ns=st.sampled_from([0, 10 * DAY_NS]),
    failures_age_ns=st.sampled_from([0, 5 * DAY_NS, 30 * DAY_NS]),
    tag_rules=st.sampled_from([(), (TagRule("k", "*", 20 * DAY_NS),)]),
    bytes=st.sampled_from([0, 50, 500]),
    per_route=st.sampled_from([0, 2]),
    failures_per_route=st.sampled_from([0, 1]),
)


@given(ENTRIES, POLICIES, st.sets(st.integers(0, 10**6), max_size=3))
def test_whatever_the_policy(entries: list[Entry], policy: Policy, marked: set[int]) -> None:
    """Nothing marked goes, nothing goes twice, and what stays is within the limits."""
    kept = {str(number) for number in marked} | {one.path for one in entries[:2]}
    found = choose(entries, policy, now_ns=NOW_NS, is_kept=kept.__contains__)
    paths = [one.path for one in found]
    assert len(set(paths)) == len(paths)
    assert kept.isdisjoint(paths)
    left = [one for one in entries if one.path not in paths]
    if policy.bytes and any(one.path not in kept for one in left):
        assert sum(one.size_bytes for one in left) <= policy.bytes
    if policy.age_ns and not policy.tag_rules and not policy.failures_age_ns:
        assert all(
            NOW_NS - one.modified_ns <= policy.age_ns for one in left if one.path not in kept
        )
    if not policy:
        assert not paths


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("age", "30"),
        ("age", "-1d"),
        ("age", "0d"),
        ("age", "thirty days"),
        ("age", "999999999w"),
        ("failures_age", "1y"),
        ("size", "lots"),
        ("size", "-5GB"),
        ("size", "0"),
        ("tags", ["tenant=acme"]),
        ("tags", ["tenant:30d"]),
        ("tags", ["=acme:30d"]),
        ("tags", ["tenant=:30d"]),
        ("tags", ["tenant=acme:soon"]),
    ],
)
def test_a_wrong_policy_is_refused(option: str, value: Any) -> None:
    """The error names the setting and what is allowed."""
    with pytest.raises(ConfigurationError, match="retention_"):
        policy_of(resolve(environ={}), **{option: value})


def test_options_take_the_place_of_settings() -> None:
    """And settings that no option names stay."""
    environ = {
        "RETRACE_RETENTION_AGE": "30d",
        "RETRACE_RETENTION_BYTES": "1GB",
        "RETRACE_RETENTION_TAGS": "tenant=a:b:2d, debug=*:1d, case=7:forever",
    }
    policy = policy_of(resolve(environ=environ), age="7d")
    assert (policy.age_ns, policy.bytes) == (7 * DAY_NS, 10**9)
    assert [str(rule) for rule in policy.tag_rules] == [
        "tenant=a:b:2d",
        "debug=*:1d",
        "case=7:forever",
    ]


@given(st.integers(1, 10**5), st.sampled_from(["s", "m", "h", "d"]))
def test_spans_come_back(number: int, unit: str) -> None:
    """What a span is said as means the same span."""
    span_ns = parse_span(f"{number}{unit}")
    assert span_ns is not None
    assert parse_span(span_words(span_ns)) == span_ns


@given(st.text())
def test_no_text_breaks_the_parsers(text: str) -> None:
    """A number, or None."""
    assert parse_span(text) is None or parse_span(text) >= 0  # type: ignore[operator]
    assert parse_size(text) is None or parse_size(text) >= 0  # type: ignore[operator]
