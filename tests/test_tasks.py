"""One task as a recording: what it holds, how it comes back, and what may not harm the worker."""

from __future__ import annotations

import datetime
import inspect
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import rq
from celery import Celery, exceptions
from celery.app import trace
from celery.worker.consumer import consumer
from hypothesis import given
from hypothesis import strategies as st
from rq import timeouts
from rq.worker import Worker

from retrace_core import Recording, failsafe, load, replay
from retrace_core.codec import decode, encode
from retrace_core.errors import AppNotLoadable, ReplayError, WrongApp
from retrace_core.task_call import TaskCall, call_of, request_of, same_value
from retrace_mw import Decision, RequestView
from retrace_mw import rq as rq_workers
from retrace_mw.celery import install
from tests.recorded import assert_identical, only_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
FOLDER_OF_THE_TRACE = {"headers": {"X-Trace-ID": "one"}}


@pytest.fixture(autouse=True)
def celery_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what `install` replaces."""
    monkeypatch.setattr(trace, "build_tracer", trace.build_tracer)
    monkeypatch.setattr(consumer, "build_tracer", consumer.build_tracer)
    yield
    failsafe._not_ours = ()


def make_app(function: Callable[..., Any], **options: Any) -> Celery:
    """Return an application with one task, recorded."""
    app = Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)

    def work(*args: Any) -> Any:
        return function(*args)

    app.task(name="work", shared=False, **options)(work)
    app.finalize()
    install(app)
    return app


def run_task(app: Celery, *args: Any, headers: dict[str, str] | None = None) -> Any:
    """Do what a worker does with a message; return what comes out for Celery."""
    task: Any = app.tasks["work"]
    tracer = trace.build_tracer("work", task, app.loader, "host", app=app)
    request = {"id": "an-id", "delivery_info": {}, "retries": 0, "headers": headers or {}}
    return tracer("an-id", args, {}, request)


def record(folder: Path, app: Celery, *args: Any) -> Recording:
    """Run the task once; return its recording."""
    run_task(app, *args)
    return only_recording(folder)


def value_of(recording: Recording) -> Any:
    """Return what the task returned."""
    assert recording.response is not None
    return decode(b"".join(recording.response.body))


def test_what_the_function_returns_comes_back(recordings: Path) -> None:
    """Chance is of the recording, and so is what it was called with."""
    app = make_app(lambda number: (number, random.random()))
    recording = record(recordings, app, 7)
    number, draw = value_of(recording)
    assert number == 7
    assert 0 <= draw < 1
    assert_identical(recording, app)


def test_changed_code_is_told(recordings: Path) -> None:
    """Another value is a difference, another exception too."""
    recording = record(recordings, make_app(lambda number: number + 1), 7)
    changed = replay(recording, make_app(lambda number: number + 2))
    assert [one.what for one in changed.differences] == ["body"]
    assert changed.exit_status == 1
    broken = replay(recording, make_app(lambda number: number / 0))
    assert [one.what for one in broken.differences] == ["exception", "response"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [(exceptions.Ignore, 204), (exceptions.Reject, 409)],
    ids=["ignore", "reject"],
)
def test_a_task_that_says_what_is_to_become_of_it(
    kind: type[Exception], status: int, recordings: Path
) -> None:
    """That is an end and no failure."""

    def work() -> None:
        raise kind("not now")

    app = make_app(work)
    recording = record(recordings, app)
    assert (recording.header.status, recording.header.error) == (status, "")
    assert_identical(recording, app)


def test_an_object_is_compared_by_its_type(recordings: Path) -> None:
    """Its repr has an address in it."""
    app = make_app(lambda: [object(), {"a": object()}], ignore_result=True)
    assert_identical(record(recordings, app), app)


def test_an_argument_that_was_not_recorded_is_refused(recordings: Path) -> None:
    """The error names its type, and says what to do."""
    app = make_app(lambda path: str(path))
    recording = record(recordings, app, Path("/somewhere"))
    with pytest.raises(ReplayError, match=r"work is a pathlib.*send plain values"):
        replay(recording, app)


def test_the_wrong_application_is_told(recordings: Path) -> None:
    """No Celery application, and one that lacks the task."""
    recording = record(recordings, make_app(lambda: None))
    with pytest.raises(WrongApp, match="no Celery application"):
        replay(recording, object())
    with pytest.raises(AppNotLoadable, match="has no task 'work'"):
        replay(recording, Celery("other", set_as_current=False))


def test_a_decider_sees_method_name_and_headers(recordings: Path) -> None:
    """A task is a request as far as deciders go."""
    seen: list[tuple[str, str, str]] = []

    def decide(request: RequestView) -> Decision:
        seen.append((request.method, request.path, request.header("x-tenant")))
        return Decision("yes" if request.header("x-tenant") == "acme" else "no")

    app = make_app(lambda: None)
    install(app, decide=decide)
    run_task(app, headers={"x-tenant": "noisy"})
    run_task(app, headers={"x-tenant": "acme"})
    assert seen == [("TASK", "work", "noisy"), ("TASK", "work", "acme")]
    assert ("x-tenant", "acme") in only_recording(recordings).request.headers


@pytest.mark.faults_expected
def test_a_decider_that_fails_does_not_harm_the_task(recordings: Path) -> None:
    """It runs, unrecorded."""
    ran: list[int] = []

    def decide(request: RequestView) -> Decision:
        raise RuntimeError(request.path)

    app = make_app(ran.append)
    install(app, decide=decide)
    run_task(app, 7)
    assert ran == [7]
    assert not list(recordings.rglob("*.bin"))


def test_called_as_a_function_or_eagerly_a_task_is_not_recorded(recordings: Path) -> None:
    """It is of the code that calls it."""
    app = make_app(lambda number: 2 * number)
    task: Any = app.tasks["work"]
    assert task(7) == 14
    assert task.apply((7,)).get() == 14
    assert not list(recordings.rglob("*.bin"))


@pytest.mark.faults_expected
@pytest.mark.parametrize("kind", [exceptions.SoftTimeLimitExceeded, timeouts.JobTimeoutException])
def test_a_time_limit_is_no_fault_of_ours(kind: type[Exception]) -> None:
    """It may strike while a line of ours runs, and must end the task all the same."""
    failsafe.let_through(kind)
    with pytest.raises(kind), failsafe.gate("anything"):
        raise kind("too long")


def test_a_job_of_a_stranger_calls_no_function_of_pythons(recordings: Path) -> None:
    """Neither by its own name, nor by that of a module that imports it."""
    recording = record(recordings, make_app(lambda: None))
    for name in ("os.system", "shutil.rmtree", "tests.test_tasks.subprocess.run", "rq.job.uuid4"):
        request, body = request_of(TaskCall(queue="rq", name=name, id="x", args=("/nowhere",)))
        changed = msgspec.structs.replace(request, body=[body])
        hostile = msgspec.structs.replace(recording, request=changed)
        with pytest.raises(AppNotLoadable, match="is not of the application"):
            replay(hostile, object())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(args=st.lists(VALUES, max_size=3), kwargs=st.dictionaries(st.text(), VALUES, max_size=3))
def test_a_call_comes_back(args: list[Any], kwargs: dict[str, Any]) -> None:
    """Arguments and context are what they were."""
    call = TaskCall(
        queue="rq", name="f", id="1", args=tuple(args), kwargs=kwargs, context={"kept": args}
    )
    request, body = request_of(call)
    again = call_of(msgspec.structs.replace(request, body=[body]))
    assert (again.args, again.kwargs, again.context) == (tuple(args), kwargs, {"kept": args})


@given(VALUES, VALUES)
def test_values_are_the_same_when_they_are_equal(one: Any, other: Any) -> None:
    """And the same as themselves."""
    assert same_value(encode(one), encode(one))
    assert same_value(encode(one), encode(other)) == (one == other)


def test_sets_are_the_same_in_any_order() -> None:
    """The hash seed may differ."""
    assert same_value(encode({"a": {1, 2}}), b"\x81\xa1a" + encode({2, 1}))
    assert not same_value(encode([Decimal(1)]), encode([datetime.date(2026, 1, 1)]))


def test_the_commands_tell_of_tasks(recordings: Path) -> None:
    """`ls` has its end in words; `show` its arguments and what it returned."""
    record(recordings, make_app(lambda number: {"twice": 2 * number}), 7)
    listed = _retrace("ls", "--recordings", str(recordings))
    assert "TASK work" in listed
    assert "returned" in listed
    (path,) = recordings.rglob("*.bin")
    shown = _retrace("show", str(path))
    assert "TASK work of celery, id an-id" in shown
    assert '"args": [\n      7\n    ]' in shown
    assert '"twice": 14' in shown
    assert '"value"' in _retrace("show", str(path), "--json")
    assert load(path).header.service == "shop-worker"


def _retrace(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_celerys_tracer_has_the_function_in_its_closure() -> None:
    """The hook point: a release that calls it otherwise fails here, and records nothing."""
    app = make_app(lambda: None)
    original = inspect.unwrap(trace.build_tracer)
    tracer = original("work", app.tasks["work"], app.loader, "host", app=app)
    assert "fun" in tracer.__code__.co_freevars
    assert "build_tracer(" in inspect.getsource(consumer.Consumer.update_strategies)
    assert callable(trace.task_has_custom)
    assert callable(trace._install_stack_protection)


def test_rqs_worker_performs_where_it_is_hooked() -> None:
    """The hook points: `perform_job` calls `Job.perform`, and a work horse calls `perform_job`."""
    assert "job.perform()" in inspect.getsource(inspect.unwrap(Worker.perform_job))
    assert "self.perform_job(" in inspect.getsource(Worker.main_work_horse)
    assert "_is_horse = True" in inspect.getsource(Worker.main_work_horse)
    assert isinstance(inspect.getattr_static(Worker, "is_horse"), property)
    assert callable(rq.job.Job.perform)


def test_a_worker_of_rq_1_is_hooked_in_its_two_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """There `work` was of its base class, and `perform_job` of its own."""

    class BaseWorker:
        def work(self) -> None: ...

    class OldWorker(BaseWorker):
        def perform_job(self) -> None: ...

    monkeypatch.setattr("rq.worker.Worker", OldWorker)
    assert rq_workers._owner_of("work") is BaseWorker
    assert rq_workers._owner_of("perform_job") is OldWorker
