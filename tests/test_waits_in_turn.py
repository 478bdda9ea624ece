"""Whom of a request's threads a notification wakes goes on in the recorded order."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Work = list[Any]


def nap() -> None:
    """Take a while that differs from thread to thread."""
    time.sleep(random.random() / 200)


def together(*works: Callable[[], None]) -> None:
    """Do everything at once, each on a thread."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def event() -> Work:
    """All wait for one."""
    done: Work = []
    set_ = threading.Event()

    def wait(number: int) -> None:
        nap()
        set_.wait()
        done.append(number)

    def tell() -> None:
        nap()
        set_.set()

    together(tell, *(lambda n=n: wait(n) for n in range(5)))
    return done


def notify_all() -> Work:
    """All wait for a condition that holds for all of them at once."""
    done: Work = []
    holds: Work = []
    condition = threading.Condition()

    def wait(number: int) -> None:
        nap()
        with condition:
            condition.wait_for(lambda: holds)
            done.append(number)

    def tell() -> None:
        nap()
        with condition:
            holds.append(True)
            condition.notify_all()

    together(tell, *(lambda n=n: wait(n) for n in range(5)))
    return done


def consumers() -> Work:
    """Several take what one puts."""
    done: Work = []
    items: Work = []
    condition = threading.Condition()

    def take(number: int) -> None:
        for _ in range(2):
            with condition:
                while not items:
                    condition.wait()
                done.append([number, items.pop()])
            nap()

    def put() -> None:
        for number in range(6):
            nap()
            with condition:
                items.append(number)
                condition.notify()

    together(put, *(lambda n=n: take(n) for n in range(3)))
    return done


def semaphore() -> Work:
    """Two at a time."""
    done: Work = []
    two = threading.BoundedSemaphore(2)

    def work(number: int) -> None:
        nap()
        with two:
            done.append(number)
            nap()
            done.append(number)
        two.acquire()
        done.append(-number)
        two.release()

    together(*(lambda n=n: work(n) for n in range(6)))
    return done


def barrier() -> Work:
    """All are there before any goes on."""
    done: Work = []
    all_ = threading.Barrier(4)

    def work(number: int) -> None:
        nap()
        all_.wait()
        done.append(number)
        done.append([number, all_.wait()])

    together(*(lambda n=n: work(n) for n in range(4)))
    return done


def timers() -> Work:
    """Each does something at a time of its own."""
    done: Work = []
    timers = [threading.Timer(random.random() / 100, done.append, (n,)) for n in range(5)]
    for timer in timers:
        timer.start()
    for timer in timers:
        timer.join()
    return done


@pytest.mark.timeout(60)
@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("work", [event, notify_all, consumers, semaphore, barrier, timers])
def test_who_waits_goes_on_as_it_did(
    work: Callable[[], Work], attempt: int, recordings: Path
) -> None:
    """What they put together comes out the same, however long each takes."""
    app, recording = record_wsgi(recordings, work)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=4)


def test_a_notification_that_does_not_come_again(recordings: Path) -> None:
    """Who was woken by another request's thread goes on as it did, though that is not there."""
    condition, waits, done = threading.Condition(), threading.Event(), threading.Event()

    def view() -> Work:
        with condition:
            waits.set()
            condition.wait()
        done.wait()
        return [random.random()]

    def tell() -> None:
        waits.wait()
        with condition:
            condition.notify()
        done.set()

    thread = threading.Thread(target=tell)
    thread.start()
    app, recording = record_wsgi(recordings, view)
    thread.join()
    done.clear()
    assert_identical(recording, app, times=1)


def test_an_event_that_another_request_had_set_is_seen_to_be_set(recordings: Path) -> None:
    """As a `Timer` that it called off looks at it, and does nothing."""
    waits, called_off = threading.Event(), threading.Event()

    def view() -> Work:
        waits.set()
        in_time = called_off.wait(60)
        return [random.random(), in_time, called_off.is_set()]

    def call_off() -> None:
        waits.wait()
        called_off.set()

    thread = threading.Thread(target=call_off)
    thread.start()
    app, recording = record_wsgi(recordings, view)
    thread.join()
    called_off.clear()
    assert_identical(recording, app, times=1)
