"""joblib: on replay no process is started, and what came of the work comes back."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from retrace_core import boundary
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BACKENDS = ("loky", "multiprocessing")


def draws(number: int, more: int = 0) -> tuple[int, float, int]:
    """Return what no other process would."""
    return number + more, random.random(), os.getpid()


def fails(number: int) -> None:
    """Raise an error with what only this process knows."""
    raise ValueError(f"{number} in {os.getpid()}")


@pytest.fixture(scope="module", autouse=True)
def _no_workers_after() -> Iterator[None]:
    """Processes of loky stay for some time."""
    yield
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def identical(recordings: Path, view: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Record a view; on replay nothing of joblib may reach for a process."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure

    def refuse(*_: object, **__: object) -> None:
        assert not boundary.in_replay(), "a replay has started processes"

    monkeypatch.setattr("joblib._parallel_backends.LokyBackend.configure", refuse)
    monkeypatch.setattr("joblib._parallel_backends.MultiprocessingBackend.configure", refuse)
    assert_identical(recording, app, times=2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_come_back(recordings: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the workers take at once, of what is made while they work."""

    def view() -> Any:
        work = (delayed(draws)(number, more=1) for number in range(9))
        return [Parallel(n_jobs=2, backend=backend)(work), random.random()]

    identical(recordings, view, monkeypatch)


@pytest.mark.parametrize("in_order", ["generator", "generator_unordered"])
def test_one_by_one(recordings: Path, in_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each comes as it is asked for, in its order or as they are done."""

    def view() -> Any:
        found = Parallel(n_jobs=2, return_as=in_order)(delayed(draws)(n) for n in range(5))
        return [[*one, random.random()] for one in found]

    identical(recordings, view, monkeypatch)


def test_workers_that_are_kept(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For several calls; and an error, and one job, which is done here."""

    def view() -> Any:
        with Parallel(n_jobs=2) as kept:
            found = [kept(delayed(draws)(n) for n in range(2)) for _ in range(2)]
        try:
            Parallel(n_jobs=2)([delayed(fails)(1)])
        except ValueError as error:
            found.append([str(error)])
        return [found, Parallel(n_jobs=1)([delayed(draws)(7)])]

    identical(recordings, view, monkeypatch)


def test_one_that_was_there_before(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an application has it in a module."""
    kept = Parallel(n_jobs=2)
    kept(delayed(draws)(n) for n in range(2))
    identical(recordings, lambda: kept(delayed(draws)(n) for n in range(4)), monkeypatch)
