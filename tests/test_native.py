"""Lanes, the typed encoder and the clock hooks, in C and in Python."""

from __future__ import annotations

import datetime
import functools
import gc
import importlib
import random
import time
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import _fallback, codec, native
from retrace_core.codec import Opaque, decode, decode_stream
from retrace_core.exempt import policy

if TYPE_CHECKING:
    from collections.abc import Iterator

_fallback.set_encode_fallback(codec._encode_other)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.datetimes()
    | st.datetimes(timezones=st.just(datetime.UTC))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.complex_numbers(allow_nan=False)
)
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner), max_leaves=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(HASHABLE, inner)
        | st.frozensets(HASHABLE)
        | st.sets(HASHABLE)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    """Encoding and decoding gives an equal value of the same type."""
    back = decode(native.encode(value))
    assert back == value
    assert type(back) is type(value)


@given(VALUES)
def test_the_fallback_writes_what_the_extension_writes(value: Any) -> None:
    """Recordings of both implementations are read alike."""
    assert decode(_fallback.encode(value)) == decode(native.encode(value))


class _Nasty:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize("encode", [native.encode, _fallback.encode])
def test_what_cannot_be_encoded_becomes_opaque(encode: Any) -> None:
    """Hostile objects never raise."""
    assert isinstance(decode(encode(object())), Opaque)
    assert isinstance(decode(encode(_Nasty())), Opaque)
    loop: list[Any] = []
    loop.append(loop)
    assert isinstance(decode(encode(loop)), list)


def test_lone_surrogates_survive() -> None:
    """Text that is no valid Unicode comes back as it was."""
    assert decode(native.encode(["\ud800x", {"\udfff": 1}])) == ["\ud800x", {"\udfff": 1}]


def test_subclasses_are_encoded_as_their_base() -> None:
    """A subclass of str or int comes back as str or int."""

    class Name(str):
        __slots__ = ()

    back = decode(native.encode(Name("x")))
    assert back == "x"
    assert type(back) is str
    assert decode(native.encode(Decimal("1.50"))) == Decimal("1.50")
    assert decode(native.encode(uuid.UUID(int=7))) == uuid.UUID(int=7)


@pytest.fixture(params=["c", "python"])
def implementation(request: pytest.FixtureRequest) -> Any:
    """Return one implementation after the other."""
    return native if request.param == "c" else _fallback


def test_hard_events_are_numbered_over_all_lanes(implementation: Any) -> None:
    """Two lanes of one scope share the order of completions."""
    state = implementation.ScopeState()
    first, second = (implementation.Lane(state, implementation.RECORD) for _ in range(2))
    numbers = [lane.record("k", i, 0, None, 0) for i, lane in enumerate((first, second) * 100)]
    assert numbers == list(range(1, 201))
    events = list(decode_stream(first.data(), first.events))
    assert [event[0] for event in events] == list(range(1, 200, 2))
    assert [event[3] for event in events] == list(range(0, 200, 2))


def test_a_recording_over_its_limit_is_cut(implementation: Any) -> None:
    """An event that does not fit is refused, and everything after it."""
    state = implementation.ScopeState(100)
    lane = implementation.Lane(state, implementation.RECORD)
    assert lane.record("k", None, 0, b"x" * 50, 0) == 1
    assert lane.record("k", None, 0, b"x" * 50, 0) == 0
    assert lane.record("k", None, 0, None, 0) == 0
    assert state.cut
    assert len(list(decode_stream(lane.data(), lane.events))) == 1


@pytest.fixture
def lane() -> Iterator[native.Lane]:
    """Open a scope with the clock hooks installed, and the lane that records."""
    state = native.ScopeState()
    found = native.Lane(state, native.RECORD)
    native.set_policy(policy)
    native.install_clock_hooks()
    native.arm(1)
    token = native.LANE.set(found)
    yield found
    native.LANE.reset(token)
    native.arm(-1)
    native.remove_clock_hooks()


now = time.time


class _Holder:
    clock = staticmethod(time.time)


REFERENCES: dict[str, Any] = {
    "attribute": lambda: time.time(),
    "imported name": lambda: now(),
    "default argument": lambda clock=time.time: clock(),
    "class attribute": lambda: _Holder.clock(),
    "partial": functools.partial(time.time),
    "closure": (lambda clock: lambda: clock())(time.time),
    "dict value": lambda: {"t": now}["t"](),
    "datetime": lambda: datetime.datetime.now(),
    "subclass": lambda: type("D", (datetime.datetime,), {}).now(),
    "utc": lambda: datetime.datetime.now(datetime.UTC),
    "today": lambda: datetime.date.today(),
    "localtime": lambda: time.localtime(),
    "strftime": lambda: time.strftime("%H"),
    "uuid1": lambda: uuid.uuid1(),
    "uuid4": lambda: uuid.uuid4(),
    "random": lambda: random.random(),
    "own generator": lambda: random.Random(1).random(),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback misses some of them")
def test_hooks_cover_every_kind_of_reference(lane: native.Lane, name: str) -> None:
    """A reference taken before the hooks were installed is recorded as well."""
    REFERENCES[name]()
    assert lane.events == 1


def test_an_argument_is_no_read_of_the_clock(lane: native.Lane) -> None:
    """Formatting a given time asks nobody."""
    time.gmtime(0)
    time.strftime("%H", time.gmtime(0))
    assert lane.events == 0


def test_finalizers_run_by_the_collector_are_nobodys(lane: native.Lane) -> None:
    """What the garbage collector calls is no event."""

    class Cyclic:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            time.time()

    for _ in range(100):
        Cyclic()
    gc.collect()
    assert lane.events == 0


def test_an_import_inside_a_request_is_nobodys(
    lane: native.Lane, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that reads a clock as it is imported leaves no event."""
    (tmp_path / "lazily_imported.py").write_text(
        "import time\ndef read(): return time.time()\nAT = read()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("lazily_imported")
    assert lane.events == 0
    module.read()
    assert lane.events == 1


def test_hooks_are_silent_without_a_scope() -> None:
    """Installed hooks change nothing for a request that is not recorded."""
    native.install_clock_hooks()
    try:
        assert abs(time.time() - datetime.datetime.now().timestamp()) < 5
    finally:
        native.remove_clock_hooks()


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback says what it misses")
def test_every_hook_fits_this_python() -> None:
    """A release of CPython that changes a calling convention is noticed here."""
    native.install_clock_hooks()
    try:
        assert {
            kind for kind, status in native.hook_status().items() if status != "hooked"
        } == set()
    finally:
        native.remove_clock_hooks()
