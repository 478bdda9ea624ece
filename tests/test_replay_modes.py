"""Strict, tolerant, live on miss: what a replay does with code that has changed."""

from __future__ import annotations

import functools
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any

import flask
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrace_core import ReplayError, replay
from tests.http_origin import Origin, origin
from tests.recorded import record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retrace_core import Recording, ReplayResult

READS = [f"SELECT {n}, 'row' FROM items WHERE id = ?" for n in range(6)]
WRITE = "UPDATE items SET price = price + 1 WHERE id = ?"


class Shop:
    """An application whose code can change: a list of statements, run one after another."""

    def __init__(self, folder: Path, database: Path, statements: list[str]) -> None:
        self.database = database
        self.statements = statements
        self.answers: list[Any] = []
        with sqlite3.connect(database) as connection:
            connection.execute("CREATE TABLE items (id, price)")
            connection.execute("INSERT INTO items VALUES (1, 10)")
        connection.close()
        self.app, self.recording = record_wsgi(folder, self.view)
        database.unlink()

    def view(self) -> Any:
        """Answer with what each statement gave."""
        self.answers = []
        connection = sqlite3.connect(self.database)
        for statement in self.statements:
            rows = connection.execute(statement, (1,)).fetchall()
            self.answers.append([list(row) for row in rows])
        connection.close()
        return {"answers": self.answers}

    def replayed(self, statements: list[str], mode: Any = "tolerant") -> ReplayResult:
        """Replay with other statements."""
        self.statements = statements
        return replay(self.recording, self.app, mode=mode)


@pytest.fixture
def shop(recordings: Path, tmp_path: Path) -> Callable[[list[str]], Shop]:
    """A function that records a shop that runs these statements."""
    return functools.partial(Shop, recordings, tmp_path / "shop.db")


def hows(result: ReplayResult) -> list[str]:
    """Return how the calls that were not as recorded were answered."""
    return [one.how for one in result.deviations]


def test_unchanged_code_is_identical_in_both_modes(shop: Callable[..., Shop]) -> None:
    """Where nothing has changed the modes are one."""
    made = shop([READS[0], WRITE, READS[0]])
    for mode in ("strict", "tolerant"):
        result = made.replayed([READS[0], WRITE, READS[0]], mode)
        assert result.identical, result.summary()
        assert (result.mode, result.deviations) == (mode, [])


def test_strict_ends_at_the_first_other_call(shop: Callable[..., Shop]) -> None:
    """The default gives no answer to what was not the next recorded call."""
    result = shop(READS[:2]).replayed([READS[1], READS[0]], "strict")
    assert result.divergence is not None
    assert result.deviations == []


def test_reads_change_places(shop: Callable[..., Shop]) -> None:
    """Each read gets its own rows in another order, and the order is said."""
    made = shop(READS[:3])
    result = made.replayed([READS[2], READS[0], READS[1]])
    assert [rows[0][0] for rows in made.answers] == [2, 0, 1]
    assert hows(result) == ["reordered"]
    assert (result.divergence, result.unused) == (None, 0)
    assert not result.identical


def test_no_read_moves_over_a_write(shop: Callable[..., Shop]) -> None:
    """What is read after a write is not given before it without saying what was left out."""
    made = shop([READS[0], WRITE, READS[1]])
    result = made.replayed([READS[1], READS[0], WRITE])
    assert "reordered" not in hows(result)
    assert hows(result).count("left out") == 2


def test_a_call_that_is_left_out_is_passed_over(shop: Callable[..., Shop]) -> None:
    """It is named, and counted as unused."""
    made = shop([READS[0], WRITE, READS[1]])
    result = made.replayed([READS[0], READS[1]])
    assert hows(result) == ["left out"]
    assert result.unused == 2  # the statement and its fetch
    assert [rows[0][0] for rows in made.answers] == [0, 1]


def test_changed_select_list_is_a_difference(shop: Callable[..., Shop]) -> None:
    """The recorded rows are given, and both statements are named."""
    made = shop([READS[0]])
    changed = READS[0].replace("'row'", "'row', price")
    result = made.replayed([changed])
    assert hows(result) == ["changed"]
    words = result.deviations[0].summary()
    assert changed in words
    assert READS[0] in words


def test_a_new_call_is_answered_by_the_nearest_and_both_are_named(
    shop: Callable[..., Shop],
) -> None:
    """The warning has what was asked, and whose answer it got; the others keep theirs."""
    made = shop(READS[:2])
    new = "SELECT 9 FROM stock WHERE id = ?"
    result = made.replayed([READS[0], new, READS[1]])
    assert hows(result) == ["nearest"]
    words = result.summary()
    assert "WARNING" in words
    assert new in words
    assert [made.answers[place][0][0] for place in (0, 2)] == [0, 1]
    assert not result.identical


def test_the_same_read_once_more(shop: Callable[..., Shop]) -> None:
    """A read that is repeated without a write in between gets the same rows again."""
    made = shop([READS[0], READS[1], WRITE, READS[0]])
    result = made.replayed([READS[0], READS[0], READS[1], WRITE, READS[0]])
    assert hows(result) == ["repeated"]
    assert result.unused == 0


def test_nothing_of_the_kind_ends_the_replay(shop: Callable[..., Shop]) -> None:
    """Tolerant makes up nothing: without any recorded call of the kind it diverges."""
    result = shop([]).replayed([READS[0]])
    assert result.divergence is not None
    assert "no call of this kind was recorded" in result.divergence.summary()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that reads and writes."""
    folder = tmp_path_factory.mktemp("mixed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETRACE", "1")
        patch.setenv("RETRACE_SAMPLE_RATE", "1")
        patch.setenv("RETRACE_RECORDING_PATH", str(folder / "recordings"))
        statements = [READS[0], READS[1], WRITE, READS[0], READS[2], READS[3]]
        return Shop(folder / "recordings", folder / "shop.db", statements)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(statements=st.lists(st.sampled_from([*READS, WRITE]), max_size=9))
def test_no_answer_of_another_call_goes_unsaid(mixed: Shop, statements: list[str]) -> None:
    """Whatever the code has become: rows of another statement are named as such, each time.

    A row says which statement it is of, so that a wrong answer shows.
    """
    result = mixed.replayed(statements)
    said = [one for one in result.deviations if one.how in ("nearest", "changed")]
    given = [
        (statement, rows)
        for statement, rows in zip(statements, mixed.answers, strict=False)
        if statement != WRITE
    ]
    wrong = [
        statement
        for statement, rows in given
        if [row[0] for row in rows] != [READS.index(statement)]
    ]
    named = Counter(one.asked[0] for one in said)
    assert Counter(wrong) - named == Counter()
    if statements != [READS[0], READS[1], WRITE, READS[0], READS[2], READS[3]]:
        assert not result.identical


def record_call(folder: Path, url: list[str]) -> tuple[Any, Recording]:
    """Record a view that asks a URL, which can be changed afterwards."""

    def view() -> Any:
        with httpx.Client() as client:
            return client.get(url[0]).text

    return record_wsgi(folder, view)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the origin was asked for, as it goes."""
    paths: list[str] = []
    answer = Origin.do_GET

    def counting(self: Origin) -> None:
        paths.append(self.path)
        answer(self)

    monkeypatch.setattr(Origin, "do_GET", counting)
    return paths


@pytest.fixture
def base() -> Iterator[str]:
    """The address of a real server."""
    with origin() as (address, _):
        yield address


def test_live_on_miss_asks_the_real_world(recordings: Path, base: str, asked: list[str]) -> None:
    """Only what has no recorded answer is asked, and the result says so loudly."""
    url = [f"{base}/json"]
    app, recording = record_call(recordings, url)
    assert replay(recording, app, live_on_miss=["httpx"]).identical
    assert asked == ["/json"]
    url[0] = f"{base}/json?new=1"
    result = replay(recording, app, live_on_miss=["httpx"])
    assert asked == ["/json", "/json?new=1"]
    assert hows(result) == ["live"]
    assert "LIVE" in result.summary()
    assert result.response is not None
    assert result.response.status == 200
    assert not result.identical


def test_live_on_miss_of_an_asynchronous_client(
    recordings: Path, base: str, asked: list[str]
) -> None:
    """The name is looked up and the connection made on the event loop, for this call alone."""
    url = [f"{base}/json"]

    async def handler() -> Any:
        async with httpx.AsyncClient() as client:
            return (await client.get(url[0])).text

    app, recording = record_asgi(recordings, handler)
    url[0] = f"{base.replace('127.0.0.1', 'localhost')}/json?new=1"
    result = replay(recording, app, mode="tolerant", live_on_miss=["httpx.request"])
    assert asked == ["/json", "/json?new=1"]
    assert "live" in hows(result)
    assert result.refused == []


@pytest.mark.parametrize("mode", ["strict", "tolerant"])
def test_without_it_nothing_is_asked(
    recordings: Path, base: str, asked: list[str], mode: Any
) -> None:
    """Neither mode reaches the world by itself."""
    url = [f"{base}/json"]
    app, recording = record_call(recordings, url)
    url[0] = f"{base}/json?new=1"
    assert not replay(recording, app, mode=mode).identical
    assert asked == ["/json"]


@pytest.mark.parametrize("kind", ["sqlite3", "sqlite3.execute", "htpx"])
def test_what_cannot_be_live_is_refused(shop: Callable[..., Shop], kind: str) -> None:
    """A boundary whose connection is a stub, and a misspelt one, are named before all else."""
    made = shop([READS[0]])
    with pytest.raises(ReplayError, match=f"live on miss is not possible for '{kind}'"):
        replay(made.recording, made.app, live_on_miss=[kind])


def test_a_mode_that_is_none(recordings: Path) -> None:
    """It is refused with what is allowed."""
    app, recording = record_wsgi(recordings, lambda: "hello")
    assert isinstance(app, flask.Flask)
    with pytest.raises(ReplayError, match="use strict or tolerant"):
        replay(recording, app, mode="lax")  # type: ignore[arg-type]
