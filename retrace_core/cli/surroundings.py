"""Surroundings: what a replay runs in: a time limit, and standard output kept for the report."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from retrace_core.cli.leaving import leave

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stdout_kept", "time_limit"]

_UNUSABLE = 2


@contextmanager
def stdout_kept(kept: bool) -> Iterator[None]:
    """Send what the application prints to standard error, when ours is for a machine."""
    if not kept:
        yield
        return
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(ours, 1)
        os.close(ours)


def _where() -> list[str]:
    from retrace_core.replay.standstill import where

    with suppress(Exception):  # the process is in whatever state, and ends in any case
        return where()
    return []


@contextmanager
def time_limit(timeout_s: float | None) -> Iterator[None]:
    """End the process when the block takes longer."""
    if timeout_s is None:
        yield
        return

    def end() -> None:
        message = f"the replay took longer than {timeout_s:g} s; give it more with --timeout"
        try:
            click.echo("\n  ".join((f"retrace: {message}", *_where())), err=True)
        finally:  # whoever asked may be gone
            leave(_UNUSABLE)

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
