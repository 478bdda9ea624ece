"""`boundary`: an application's own functions and blocks are recorded, and not run on replay."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import retrace_core
from retrace_core import ConfigurationError, boundary, codec, replay
from retrace_core.boundary import Boundary, Hook
from retrace_core.declared.key import settled
from retrace_core.recording import Event
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator
    from pathlib import Path

    from retrace_core import Recording

lived: list[object] = []
"""What the live world was asked; a client in C would leave no other trace."""


@pytest.fixture(autouse=True)
def nothing_lived() -> None:
    """Forget what earlier tests asked."""
    lived.clear()


class UnknownSku(Exception):
    """A class of the application's, with an `__init__` of its own."""

    def __init__(self, sku: str, *, shop: str) -> None:
        super().__init__(f"{sku} at {shop}")
        self.sku = sku


def events(recording: Recording) -> list[tuple[str, Any, Any]]:
    """Return kind, key and value of what is no clock read."""
    return [
        (one.kind.rpartition(".<locals>.")[2], one.key, one.value)
        for lane in recording.lanes
        for one in lane.events
        if isinstance(one, Event) and not one.kind.startswith(("asgi.", "lane."))
    ]


def body(recording: Recording) -> str:
    """Return what was answered."""
    assert recording.response is not None
    return b"".join(recording.response.body).decode()


def replays_without_living(recording: Recording, app: Any) -> None:
    """Replay twice: identical, and nothing ran that reaches the world."""
    lived.clear()
    assert_identical(recording, app, times=2)
    assert lived == []


def test_the_module_and_the_function_have_one_name() -> None:
    """Boundaries of other distributions go on importing from the module."""
    assert retrace_core.boundary is boundary
    assert retrace_core.Boundary is Boundary
    assert retrace_core.Hook is Hook


@boundary
def price(sku: str, currency: str = "EUR") -> dict[str, Any]:
    """Ask a client in C, say."""
    lived.append(sku)
    return {"sku": sku, "price": 3 + len(lived), "in": (currency,)}


def test_a_function(recordings: Path) -> None:
    """The answer comes from the recording; arguments are bound to their names."""
    app, recording = record_wsgi(recordings, lambda: [price("a"), price("a", currency="USD")])
    assert events(recording) == [
        (
            "tests.test_declared.price",
            {"sku": "a", "currency": "EUR"},
            {"sku": "a", "price": 4, "in": ("EUR",)},
        ),
        (
            "tests.test_declared.price",
            {"sku": "a", "currency": "USD"},
            {"sku": "a", "price": 5, "in": ("USD",)},
        ),
    ]
    replays_without_living(recording, app)


def test_outside_of_a_recording_it_is_the_function() -> None:
    """Same answer, same name, same signature."""
    assert price("a")["price"] == 4
    assert price.__name__ == "price"
    assert list(inspect.signature(price).parameters) == ["sku", "currency"]


def test_what_the_application_changes_is_not_the_recording(recordings: Path) -> None:
    """An answer that is changed later comes unchanged a second time."""

    def view() -> str:
        first = price("a")
        first["in"] = first["in"] * 2
        return repr(first)

    app, recording = record_wsgi(recordings, view)
    replays_without_living(recording, app)


def test_methods_of_all_kinds(recordings: Path) -> None:
    """`self` and `cls` are no part of the key; either order of decorators will do."""

    class Client:
        @boundary(kind="client.ask")
        def ask(self, sku: str) -> str:
            lived.append(sku)
            return sku.upper()

        @boundary(kind="client.of_class")
        @classmethod
        def of_class(cls, sku: str) -> str:
            lived.append(sku)
            return cls.__name__ + sku

        @classmethod
        @boundary(kind="client.of_class_too")
        def of_class_too(cls, sku: str) -> str:
            lived.append(sku)
            return cls.__name__ + sku

        @boundary(kind="client.static")
        @staticmethod
        def static(sku: str) -> str:
            lived.append(sku)
            return sku * 2

    def view() -> list[str]:
        client = Client()
        return [client.ask("a"), Client.of_class("b"), client.of_class_too("c"), client.static("d")]

    app, recording = record_wsgi(recordings, view)
    assert [(kind, key) for kind, key, _ in events(recording)] == [
        ("client.ask", {"sku": "a"}),
        ("client.of_class", {"sku": "b"}),
        ("client.of_class_too", {"sku": "c"}),
        ("client.static", {"sku": "d"}),
    ]
    replays_without_living(recording, app)


def test_a_function_in_c_without_a_signature(recordings: Path) -> None:
    """Its arguments stand in the key by their places."""
    smallest = boundary(kind="c.min")(min)
    app, recording = record_wsgi(recordings, lambda: [smallest(3, 2), smallest([5, 4])])
    assert events(recording) == [("c.min", [[3, 2], {}], 2), ("c.min", [[[5, 4]], {}], 4)]
    replays_without_living(recording, app)


def test_an_error_of_the_applications_own_comes_back(recordings: Path) -> None:
    """Of the function's own module without saying so; without its `__init__` being called."""

    @boundary(kind="ask")
    def ask(sku: str) -> str:
        lived.append(sku)
        raise UnknownSku(sku, shop="here")

    def view() -> str:
        try:
            return ask("a")
        except UnknownSku as error:
            return f"no {error.sku}: {error}"

    app, recording = record_wsgi(recordings, view)
    assert body(recording) == "no a: a at here"
    replays_without_living(recording, app)


def test_a_subclass_of_a_declared_error_comes_back(recordings: Path) -> None:
    """Whoever allows a class allows what derives from it."""

    class Elsewhere(LookupError):
        __module__ = "another.module"

    class Deeper(Elsewhere):
        __module__ = "another.module"

    @boundary(kind="ask", errors=(Elsewhere,))
    def ask() -> str:
        lived.append("ask")
        raise Deeper("x")

    def view() -> str:
        try:
            return ask()
        except Deeper as error:
            return repr(error)

    app, recording = record_wsgi(recordings, view)
    assert body(recording) == "Deeper('x')"
    replays_without_living(recording, app)


def test_a_key_and_a_codec_of_ones_own(recordings: Path) -> None:
    """The key leaves out what differs between two runs; the codec builds the object again."""

    class Price:
        def __init__(self, cents: int) -> None:
            self.cents = cents

    @boundary(
        kind="ask",
        key=lambda sku, deadline: sku,
        encode=lambda price: price.cents,
        decode=Price,
    )
    def ask(sku: str, deadline: object) -> Price:
        lived.append(sku)
        return Price(len(sku) * 100)

    app, recording = record_wsgi(recordings, lambda: str(ask("abc", object()).cents))
    assert events(recording) == [("ask", "abc", 300)]
    replays_without_living(recording, app)


def test_another_question_is_a_divergence(recordings: Path) -> None:
    """An answer is never given to another question."""
    asked = ["a"]
    app, recording = record_wsgi(recordings, lambda: price(asked[0]))
    asked[0] = "b"
    lived.clear()
    result = replay(recording, app)
    assert result.divergence is not None
    assert result.divergence.asked_key == {"sku": "b", "currency": "EUR"}
    assert result.divergence.where is not None
    assert result.divergence.where.file == __file__
    assert lived == []


class Colour(enum.IntEnum):
    """Comes back as an int."""

    RED = 1


class Basket:
    """Has an address in its repr."""


@dataclasses.dataclass
class Order:
    """Has its fields in its repr."""

    number: int


def test_arguments_that_cant_be_recorded_stand_by_their_repr(recordings: Path) -> None:
    """Without addresses, so that they are the same on replay; the recording stays whole."""

    @boundary(kind="ask")
    def ask(*things: object) -> int:
        lived.append(things)
        return 1

    app, recording = record_wsgi(recordings, lambda: str(ask(Basket(), Order(3), [Basket()])))
    assert events(recording)[0][1] == {
        "things": (
            "<tests.test_declared.Basket <tests.test_declared.Basket object>>",
            "<tests.test_declared.Order Order(number=3)>",
            ["<tests.test_declared.Basket <tests.test_declared.Basket object>>"],
        )
    }
    assert not recording.header.tainted
    replays_without_living(recording, app)


def test_an_outcome_that_cant_be_recorded_ends_the_replay_and_is_told(
    recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The request is not harmed, the log says what to do, and so does the replay."""

    @boundary(kind="ask.basket")
    def ask() -> Basket:
        lived.append("ask")
        return Basket()

    def view() -> str:
        try:
            return type(ask()).__name__
        except Exception:  # noqa: BLE001  # an application that takes anything for a failure
            return "failed"

    app, recording = record_wsgi(recordings, lambda: view() + view())
    assert body(recording) == "BasketBasket"
    assert recording.header.tainted
    told = [one.getMessage() for one in caplog.records if "ask.basket" in one.getMessage()]
    assert len(told) == 1
    assert "declare encode= and decode=" in told[0]
    lived.clear()
    result = replay(recording, app)
    assert result.divergence is not None
    assert "declare encode= and decode=" in result.summary()
    assert lived == []


def test_an_outcome_that_comes_back_as_another_type_is_told(
    recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A named tuple comes back as a tuple."""

    class Point(NamedTuple):
        x: int

    @boundary(kind="ask.point")
    def ask() -> Point:
        return Point(1)

    record_wsgi(recordings, lambda: str(ask().x))
    assert "comes back from a recording as tuple" in caplog.text


@pytest.mark.faults_expected
def test_a_key_function_that_fails_harms_nobody(recordings: Path) -> None:
    """The request goes on, and the recording replays."""

    @boundary(kind="ask", key=lambda sku: sku.nothing)
    def ask(sku: str) -> str:
        lived.append(sku)
        return sku

    app, recording = record_wsgi(recordings, lambda: ask("a"))
    assert events(recording) == [("ask", "<no key: AttributeError>", "a")]
    replays_without_living(recording, app)


@pytest.mark.faults_expected
def test_an_encode_that_fails_ends_the_recording_and_not_the_request(recordings: Path) -> None:
    """A missing event would replay wrong, so the recording says that it is cut."""

    def encode(_: object) -> object:
        raise RuntimeError("no")

    @boundary(kind="ask", encode=encode)
    def ask() -> str:
        return "x"

    _, recording = record_wsgi(recordings, ask)
    assert body(recording) == "x"
    assert recording.header.cut


def test_arguments_that_do_not_fit_raise_as_ever(recordings: Path) -> None:
    """The TypeError is the function's own."""

    def view() -> str:
        try:
            return str(price())  # type: ignore[call-arg]
        except TypeError as error:
            return str(error)

    app, recording = record_wsgi(recordings, view)
    assert "missing 1 required positional argument" in body(recording)
    replays_without_living(recording, app)


def test_what_it_calls_inside_is_part_of_it(recordings: Path) -> None:
    """No event of a boundary below, and none of a clock."""
    import time

    @boundary(kind="outer")
    def outer() -> str:
        return f"{price('a')['sku']} {time.time() > 0}"

    app, recording = record_wsgi(recordings, outer)
    assert [kind for kind, _, _ in events(recording)] == ["outer"]
    replays_without_living(recording, app)


# -- asynchronous


def test_a_coroutine_function(recordings: Path) -> None:
    """Several at once come back in the order in which they completed."""

    @boundary(kind="ask")
    async def ask(number: int) -> int:
        lived.append(number)
        await asyncio.sleep(0.01 * (3 - number))
        return number

    async def handler() -> list[int]:
        done: list[int] = []

        async def one(number: int) -> None:
            done.append(await ask(number))

        await asyncio.gather(*(one(number) for number in range(3)))
        return done

    app, recording = record_asgi(recordings, handler)
    assert body(recording) == "[2,1,0]"
    replays_without_living(recording, app)


def test_a_call_that_was_cancelled_is_cancelled(recordings: Path) -> None:
    """A timeout that struck while recording strikes again."""

    @boundary(kind="ask")
    async def ask() -> str:
        lived.append("ask")
        await asyncio.sleep(60)
        return "never"

    async def handler() -> str:
        try:
            async with asyncio.timeout(0.05):
                return await ask()
        except TimeoutError:
            return "late"

    app, recording = record_asgi(recordings, handler)
    assert body(recording) == '"late"'
    replays_without_living(recording, app)


# -- generators


@boundary(kind="feed")
def feed(count: int, *, fails_at: int = -1) -> Generator[object, object, str]:
    """Yield numbers, and what is sent or thrown in; return a word."""
    lived.append("began")
    for number in range(count):
        if number == fails_at:
            raise UnknownSku(str(number), shop="feed")
        try:
            sent = yield number
        except LookupError as error:
            yield repr(error)
        else:
            if sent is not None:
                yield [sent]
    return "end"


def whole(stream: Generator[object, object, str]) -> object:
    """Return all items and what was returned."""

    def outer() -> Generator[object, object, None]:
        yield (yield from stream)

    return list(outer())


def interleaved() -> object:
    """Two streams side by side."""
    return list(zip(feed(2), feed(3), strict=False))


def dropped_half_way() -> object:
    """The rest is never asked for."""
    for item in feed(10):
        if item == 2:
            break
    return "left"


def spoken_to() -> object:
    """Send, throw, and go on."""
    stream = feed(3)
    said = [next(stream), stream.send("hi"), next(stream), stream.throw(LookupError("x"))]
    return [*said, *stream]


def failing() -> object:
    """An exception in the midst."""
    items: list[object] = []
    try:
        items.extend(iter_into(items))
    except UnknownSku as error:
        items.append(str(error))
    return items


def iter_into(items: list[object]) -> Iterator[object]:
    """Append each item as it comes."""
    for item in feed(4, fails_at=2):
        items.append(item)
    return iter(())


@pytest.mark.parametrize(
    ("use", "answer"),
    [
        (lambda: whole(feed(2)), "[0, 1, 'end']"),
        (lambda: whole(feed(0)), "['end']"),
        (interleaved, "[(0, 0), (1, 1)]"),
        (dropped_half_way, "'left'"),
        (spoken_to, "[0, ['hi'], 1, \"LookupError('x')\", 2]"),
        (failing, "[0, 1, '2 at feed']"),
    ],
    ids=["whole", "empty", "interleaved", "dropped", "spoken to", "failing"],
)
def test_a_generator_item_by_item(recordings: Path, use: Callable[[], object], answer: str) -> None:
    """Its own code does not run on replay."""
    app, recording = record_wsgi(recordings, lambda: repr(use()))
    assert body(recording) == answer
    replays_without_living(recording, app)


def test_a_generator_is_one_to_the_frameworks() -> None:
    """FastAPI, for one, asks."""
    assert inspect.isgeneratorfunction(feed)
    assert list(feed(2)) == [0, 1]


def test_a_declared_context_manager(recordings: Path) -> None:
    """`contextlib` throws the block's exception in, and wants that very object back."""

    @contextlib.contextmanager
    @boundary(kind="session")
    def session(name: str) -> Iterator[str]:
        lived.append(name)
        yield name.upper()

    def view() -> str:
        try:
            with session("a") as opened:
                raise UnknownSku(opened, shop="block")
        except UnknownSku as error:
            return error.sku

    app, recording = record_wsgi(recordings, view)
    assert body(recording) == "A"
    replays_without_living(recording, app)


def test_an_async_generator(recordings: Path) -> None:
    """Items, an item sent, one thrown, an early end."""

    @boundary(kind="ticks")
    async def ticks(count: int) -> AsyncGenerator[object, object]:
        lived.append(count)
        for number in range(count):
            await asyncio.sleep(0)
            try:
                sent = yield number
            except LookupError:
                yield "thrown"
            else:
                if sent is not None:
                    yield [sent]

    async def handler() -> list[object]:
        found: list[object] = [one async for one in ticks(2)]
        stream = ticks(5)
        found += [await anext(stream), await stream.asend("hi"), await anext(stream)]
        found.append(await stream.athrow(LookupError()))
        await stream.aclose()
        return found

    app, recording = record_asgi(recordings, handler)
    assert body(recording) == '[0,1,0,["hi"],1,"thrown"]'
    replays_without_living(recording, app)


# -- blocks


def test_a_block(recordings: Path) -> None:
    """Its answer comes from the recording; an exception is raised where it was."""

    def fetch(sku: str) -> str:
        lived.append(sku)
        if sku == "x":
            raise UnknownSku(sku, shop="block")
        return sku * 2

    def view() -> str:
        with boundary("pricing.fetch", key="ab", errors=(UnknownSku,)) as crossing:
            first = crossing.answer(fetch, "ab")
        with boundary("pricing.fetch", key="x") as crossing:
            try:
                crossing.answer(lambda: fetch("x"))
            except UnknownSku as error:
                return f"{first} {error.sku}"
        return "?"

    app, recording = record_wsgi(recordings, view)
    assert body(recording) == "abab x"
    assert [(kind, key) for kind, key, _ in events(recording)] == [
        ("pricing.fetch", "ab"),
        ("pricing.fetch", "x"),
    ]
    replays_without_living(recording, app)


def test_an_async_block(recordings: Path) -> None:
    """The same, awaited."""

    async def fetch(sku: str) -> str:
        lived.append(sku)
        await asyncio.sleep(0)
        return sku * 2

    async def handler() -> str:
        async with boundary("pricing.fetch") as crossing:
            return await crossing.answer(fetch, "ab")

    app, recording = record_asgi(recordings, handler)
    assert events(recording) == [("pricing.fetch", "", "abab")]
    replays_without_living(recording, app)


# -- caches


def test_a_cache_may_be_asked_more_often_than_recorded(recordings: Path) -> None:
    """Each answer is found by its key; one that was not recorded comes of the cache itself."""
    cache: dict[str, object] = {"warm": 1}
    order = ["warm", "cold"]

    @boundary(kind="cache.get", free=True)
    def get(name: str) -> object:
        return cache.get(name)

    def view() -> str:
        found = {name: get(name) for name in order}
        return repr([found["warm"], found["cold"]])

    app, recording = record_wsgi(recordings, view)
    assert events(recording)[0][0] == "free.cache.get"
    cache.clear()
    order[:] = ["cold", "other", "warm"]
    assert_identical(recording, app)


def test_a_cache_serves_what_cant_be_recorded(recordings: Path) -> None:
    """An object that the replayed request itself put there is found there."""
    cache: dict[str, Basket] = {}

    @boundary(kind="cache.get", free=True)
    def get(name: str) -> Basket | None:
        return cache.get(name)

    def view() -> str:
        cache["b"] = Basket()
        return type(get("b")).__name__

    app, recording = record_wsgi(recordings, view)
    cache.clear()
    assert_identical(recording, app)


# -- what is refused


@pytest.mark.parametrize(
    "declare",
    [
        lambda: boundary(int),
        lambda: boundary(kind="x")(3),
        lambda: boundary(kind="x", key="no function")(price),
        lambda: boundary(kind="x", errors=(3,)),  # type: ignore[arg-type]
        lambda: boundary().__enter__(),
        lambda: boundary("x", key=len).__enter__(),
    ],
)
def test_what_does_not_fit_is_refused_at_once(declare: Callable[[], object]) -> None:
    """With the option's name, and what is allowed."""
    with pytest.raises(ConfigurationError, match="boundary"):
        declare()


def test_where_nothing_answers_the_live_call_is_refused(recordings: Path) -> None:
    """A thread of the process's own: what a client in C asks, no sandbox could see."""
    import threading

    refused: list[str] = []

    def stray() -> None:
        try:
            price("stray")
        except retrace_core.LiveCallRefused as error:
            refused.append(str(error))

    app, recording = record_wsgi(recordings, lambda: "ok")
    from retrace_core.boundary import replay_began

    replay_began(1)
    try:
        thread = threading.Thread(target=stray)
        thread.start()
        thread.join()
    finally:
        replay_began(-1)
    assert len(refused) == 1
    assert lived == []
    assert_identical(recording, app, times=1)


def test_a_declared_kind_can_be_asked_live_on_a_miss(recordings: Path) -> None:
    """`--live-on-miss` knows it."""
    asked = ["a"]
    app, recording = record_wsgi(recordings, lambda: price(asked[0])["sku"])
    asked[0] = "b"
    result = replay(recording, app, live_on_miss=["tests.test_declared.price"])
    assert lived == ["a", "b"]
    assert result.response is not None
    assert result.response.body == [b"b"]


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.builds(Basket),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=20,
)


@given(_values)
def test_a_key_is_settled(value: object) -> None:
    """Whatever is asked, its key can be recorded, and is the same when it is made again."""
    once = settled(value)
    assert codec.encode(once) == codec.encode(settled(value))
    assert codec.decode(codec.encode(once)) == once
