"""Leaving: ends a process in which an application was replayed, at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from retrace_core.errors import RetraceError
from retrace_core.files.temporary_folder import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["leave", "leave_with"]

_UNUSABLE = 2


def leave(status: int) -> NoReturn:
    """End the process without running the application's threads and exit handlers on.

    Args:
        status: exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    scratch = temporary_folder()
    if os.path.basename(scratch).startswith("retrace-scratch-"):
        shutil.rmtree(scratch, ignore_errors=True)
    os._exit(status)


def leave_with(last: Callable[[], int]) -> NoReturn:
    """Do one thing more, and end the process with the exit status that it returns.

    It is done within the application's code, which must not get hold of an error of ours.

    Args:
        last: what is to be done.
    """
    status = _UNUSABLE
    try:
        status = last()
    except RetraceError as error:
        click.echo(f"retrace: {error}", err=True)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it ends here
        click.echo(f"retrace: {type(error).__name__}: {error}", err=True)
    leave(status)
