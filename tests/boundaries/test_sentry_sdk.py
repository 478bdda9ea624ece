"""sentry_sdk: what it draws for itself is none of the application's draws."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING

import sentry_sdk

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_the_draws_of_a_trace_are_nobodys(recordings: Path) -> None:
    """A trace that begins within what is replayed only leaves the application its own draws."""
    traced: list[str] = []

    def view() -> str:
        for name in traced:
            with sentry_sdk.start_transaction(name=name) as transaction:
                transaction.to_traceparent()
        return f"{uuid.uuid4()} {random.randrange(10**9)} {uuid.uuid4()}"

    with sentry_sdk.isolation_scope():
        sentry_sdk.init(traces_sample_rate=1.0, default_integrations=False)
        app, recording = record_wsgi(recordings, view)
        traced += ["one", "two"]
        assert_identical(recording, app)
