"""The command `retrace`: one file for each of its commands, nothing but arguments and printing.

Other packages add commands by the entry-point group "retrace.commands": the entry's name is
the command's, its value a `click.Command`.

Exit status: 0 as asked for, 1 divergent (or, for doctor, problems found), 2 unusable input,
130 interrupted. What goes wrong is one line on standard error.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any, NoReturn

import click

from retrace_core.cli.leaving import leave
from retrace_core.cli.screen import visible
from retrace_core.errors import RetraceError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "main", "retrace"]

ENTRY_POINTS = "retrace.commands"

COMMANDS = {
    "ls": "retrace_core.cli.ls",
    "find": "retrace_core.cli.search",
    "show": "retrace_core.cli.show",
    "replay": "retrace_core.cli.replay",
    "verify": "retrace_core.cli.verify",
    "open": "retrace_core.cli.open_editor",
    "export": "retrace_core.cli.export",
    "fetch": "retrace_core.cli.fetch",
    "ship": "retrace_core.cli.ship",
    "scan": "retrace_core.cli.scan",
    "keygen": "retrace_core.cli.keygen",
    "rekey": "retrace_core.cli.rekey",
    "catalog": "retrace_core.cli.catalog",
    "prune": "retrace_core.cli.prune",
    "erase": "retrace_core.cli.erase",
    "keep": "retrace_core.cli.keep",
    "lifecycle": "retrace_core.cli.lifecycle",
    "share": "retrace_core.cli.share",
    "audit": "retrace_core.cli.audit_log",
    "plan": "retrace_core.cli.plan",
    "doctor": "retrace_core.cli.doctor",
    "config": "retrace_core.cli.config",
}
"""Name of each command -> the module whose `command` it is, in the order of the help."""

_UNUSABLE = 2
_BROKEN_PIPE = 141
_INTERRUPTED = 130


class _Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return ours in order, then those of other packages."""
        return [*COMMANDS, *sorted(set(_foreign()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, or None."""
        if cmd_name in COMMANDS:
            found: Any = importlib.import_module(COMMANDS[cmd_name]).command
        elif cmd_name in _foreign():
            found = _foreign()[cmd_name].load()
        else:
            return None
        return found if isinstance(found, click.Command) else None


def _foreign() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=ENTRY_POINTS)}


@click.command(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  retrace ls --since 1h --status 5xx    which requests failed in the last hour
  retrace show 6a5b04                   what one of them asked, and was answered
  retrace replay 6a5b04                 run it again, here, on the recorded answers
  retrace verify recordings             run all of them again, as tests
  retrace doctor                        why are there no recordings?
\b
Completion (one of these, also in the start-up file of your shell):
  eval "$(_RETRACE_COMPLETE=bash_source retrace)"
  eval "$(_RETRACE_COMPLETE=zsh_source retrace)"
  _RETRACE_COMPLETE=fish_source retrace | source
""",
)
@click.version_option(package_name="retrace-mw", prog_name="retrace")
@click.pass_context
def retrace(ctx: click.Context) -> None:
    """Record requests of a Python web service, and replay them with the world gone."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit status.

    Args:
        arguments: default: those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character gets an escape, and no exception.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    status = run(sys.argv[1:] if arguments is None else arguments)
    if "retrace_core.replay.application" in sys.modules:
        # The replayed application is in this process: neither its threads nor what it has
        # registered for the exit may run on into the live world.
        leave(status)
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit status; errors are printed as one line."""
    try:
        if "_RETRACE_COMPLETE" in os.environ:
            retrace.main(args=list(arguments), prog_name="retrace")
        with retrace.make_context("retrace", list(arguments)) as context:
            outcome: object = retrace.invoke(context)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _complain("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        _forget_output()
        return _BROKEN_PIPE
    except click.ClickException as error:
        usage = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        hint = f"; see {usage} --help" if usage else ""
        message = " ".join(error.format_message().split()).rstrip(".")
        return _complain(message + hint, _UNUSABLE)
    except RetraceError as error:
        return _complain(str(error), _UNUSABLE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", _UNUSABLE)


def _complain(text: str, status: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(f"retrace: {visible(text.strip())}", err=True)
        sys.stderr.flush()
    return status


def _forget_output() -> None:
    """Send what is still buffered nowhere, so that flushing at exit does not fail again."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
