"""The command `ship`: take what waits in a spool to a store, once or as a daemon."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import click

from retrace_core.backoff import Backoff
from retrace_core.cli.screen import note, print_json
from retrace_core.cli.seconds import Seconds
from retrace_core.cli.words import plural, size
from retrace_core.errors import ConfigurationError, RetraceError
from retrace_core.settings import resolve
from retrace_core.spooling import spool_folder
from retrace_core.store import open_store
from retrace_core.store.shipper import Pass, Shipper
from retrace_core.store.spool import Spool
from retrace_core.store.spool_watch import wakes

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["command"]


@click.command(
    name="ship",
    short_help="Take recordings from a spool to a store.",
    epilog="""\b
Examples:
  retrace ship --spool /spool --to s3://bucket/recordings
  retrace ship --once                       what this service's processes left behind
\b
Exit status: 0 all is shipped (or stopped by a signal), 1 with --once: something is left,
2 unusable: the spool, the URL, a store that refuses.
""",
)
@click.option("--spool", metavar="DIR", help="Where recordings wait; default: as the settings say.")
@click.option("--to", metavar="URL", help="The store; default: the setting RETRACE_RECORDING_PATH.")
@click.option("--once", is_flag=True, help="Ship what is there, and end.")
@click.option(
    "--interval",
    "interval_s",
    metavar="TIME",
    type=Seconds(0.05),
    default=5.0,
    help="Between looks, where nothing wakes it before; default 5s.",
)
@click.option(
    "--exit-time",
    "exit_s",
    metavar="TIME",
    type=Seconds(),
    default=10.0,
    help="How long to go on after SIGTERM; default 10s.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each pass that shipped.")
def command(
    spool: str | None, to: str | None, once: bool, interval_s: float, exit_s: float, as_json: bool
) -> int:
    """Take recordings from a spool to a store, and remove them once the store has them.

    Any number of these and of services may work on one spool: one ships at a time, and nothing
    is shipped twice. It ends by SIGTERM or SIGINT, after a last pass.
    """
    settings = resolve()
    url = to or settings.recording_path
    folder = spool or spool_folder(settings)
    if not folder:
        raise ConfigurationError("--spool", "", "the folder in which recordings wait")
    store = open_store(url, setting="--to" if to else "RETRACE_RECORDING_PATH")
    root = getattr(store, "root", "")
    if root and os.path.realpath(root) == os.path.realpath(folder):
        raise ConfigurationError("--to", url, "another place than the spool itself")
    if once and not os.path.isdir(folder):
        raise ConfigurationError("--spool", folder, "a folder that is there")
    shipper = Shipper(Spool(folder), store)
    shipper.spool.make()
    if once:
        return _once(shipper, as_json)
    return _Daemon(shipper, interval_s, exit_s, as_json).run()


def _once(shipper: Shipper, as_json: bool) -> int:
    done = shipper.ship()
    _show(done, shipper, as_json, always=True)
    if done.error is not None and done.shipped == 0:
        raise done.error
    return 1 if done.left or done.busy or done.error is not None else 0


class _Daemon:
    """Ships until a signal comes."""

    def __init__(self, shipper: Shipper, interval_s: float, exit_s: float, as_json: bool) -> None:
        self._shipper = shipper
        self._interval_s = interval_s
        self._exit_s = exit_s
        self._json = as_json
        self._stop = threading.Event()
        self._backoff = Backoff()
        self._not_before = 0.0

    def run(self) -> int:
        """Ship until a signal comes, then once more for the set time; the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        note(f"shipping from {self._shipper.spool.root} to {self._shipper.store.url}")
        for _ in wakes(self._shipper.spool, self._interval_s, self._stop):
            if self._stop.is_set():
                break
            if time.monotonic() >= self._not_before:
                self._ship()
        end = time.monotonic() + self._exit_s
        cut = threading.Timer(self._exit_s, self._interrupt)
        cut.daemon = True
        cut.start()
        done = self._shipper.ship(lambda: time.monotonic() > end)
        cut.cancel()
        _show(done, self._shipper, self._json)
        if done.left:
            note(f"{plural(done.left, 'file')} left in the spool for the next")
        return 0

    def _ship(self) -> None:
        try:
            done = self._shipper.ship(self._stop.is_set)
            error: RetraceError | None = done.error
        except RetraceError as raised:
            done, error = Pass(), raised
        if error is not None and not self._stop.is_set():
            wait_s = self._backoff.failed()
            self._not_before = time.monotonic() + wait_s
            note(f"{error} (again in {wait_s:.1f} s)")
        elif not done.busy:
            self._backoff.succeeded()
        _show(done, self._shipper, self._json)

    def _interrupt(self) -> None:
        interrupt: Any = getattr(self._shipper.store, "interrupt", None)
        if interrupt is not None:
            interrupt()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()


def _show(done: Pass, shipper: Shipper, as_json: bool, *, always: bool = False) -> None:
    if not (done.shipped or done.refused or always):
        return
    if as_json:
        print_json(
            {
                "shipped": done.shipped,
                "shipped_bytes": done.shipped_bytes,
                "refused": done.refused,
                "left_files": done.left,
                "busy": done.busy,
                "error": str(done.error) if done.error else "",
            }
        )
        return
    if done.busy:
        note("another shipper has this spool")
        return
    click.echo(
        f"shipped {plural(done.shipped, 'recording')} ({size(done.shipped_bytes)})"
        f" to {shipper.store.url}"
    )
    if done.refused:
        note(f"{plural(done.refused, 'recording')} put aside in {shipper.spool.root}/refused")
