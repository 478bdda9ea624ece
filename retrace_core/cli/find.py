"""Find: which trace files an argument RECORDING means."""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from retrace_core.cli.remote import complete_in_store, find_in_store, find_url
from retrace_core.encryption import IDENTITY
from retrace_core.errors import RecordingError, RecordingNotFound, RetraceError
from retrace_core.ids import names_trace, to_trace_id
from retrace_core.settings import resolve
from retrace_core.store import DirectoryStore, is_remote, open_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from click.shell_completion import CompletionItem

__all__ = ["complete_recording", "find", "find_all", "recording_argument", "recordings_option"]

F = TypeVar("F", bound=Callable[..., Any])

_PREFIX = 6
"""A trace id may be shortened to so many characters."""

RECORDING_HELP = """RECORDING is the path or URL of a trace file, the folder of a trace, a trace
id or the beginning of one (6 characters or more), or TRACE/SERVICE."""


def recordings_folder(given: str | None) -> str:
    """Return the folder or URL to look in: as given, else as the settings say.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    place = given or resolve().recording_path
    store = open_store(place, setting="--recordings" if given else "RETRACE_RECORDING_PATH")
    return place if is_remote(place) else store.url


def find(text: str, recordings: str | None = None) -> list[Path]:
    """Return the trace files that `text` means, at least one, in order of their names.

    Args:
        text: a path, a trace id, the beginning of one, or TRACE/SERVICE.
        recordings: the folder to look trace ids up in; default: as the settings say.

    Raises:
        RecordingNotFound: there is none, or several traces begin so.
        RecordingError: it is there and can't be read.
    """
    if is_remote(text):
        return find_url(text)
    try:
        mode = os.stat(text).st_mode if text else 0
    except (FileNotFoundError, NotADirectoryError, ValueError):
        mode = 0
    except OSError as error:
        raise RecordingError(
            f"{text} can't be read ({error.strerror}); check its permissions"
        ) from None
    if stat.S_ISDIR(mode):
        found = _in_folder(Path(text))
        # "6a5b..." may be a trace and, by chance, an unrelated folder here as well.
        return found or _look_up(text, recordings, f"folder {text} holds no trace.bin, and ")
    if mode and not stat.S_ISREG(mode):
        raise RecordingError(f"{text} is no regular file; give the path of a trace.bin")
    return [Path(text)] if mode else _look_up(text, recordings)


def find_all(texts: Iterable[str], recordings: str | None = None) -> list[Path]:
    """Return the trace files that all of `texts` mean, each once; raises as `find`."""
    return list(dict.fromkeys(path for text in texts for path in find(text, recordings)))


def _in_folder(folder: Path) -> list[Path]:
    here = sorted(folder.glob("trace*.bin"))
    return here or sorted(folder.glob("*/trace*.bin"))


def _look_up(text: str, recordings: str | None, before: str = "") -> list[Path]:
    root = recordings_folder(recordings)
    asked, _, rest = text.strip("/").partition("/")
    service, _, name = rest.partition("/")
    if is_remote(root):
        return find_in_store(root, asked, service, name, before)
    try:
        folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    except OSError as error:
        raise RecordingNotFound(
            f"{before}there is no recording {text!r}: neither a file of that name, nor can"
            f" {root} be searched ({error.strerror}); give --recordings DIR"
        ) from None
    trace = _trace(asked, text, folders, root, before)
    paths = [
        Path(root, stored.path)
        for stored in DirectoryStore(root).list(folder=trace, service=service)
        if name in ("", stored.path.rsplit("/", 1)[-1])
    ]
    if not paths:
        there = sorted({stored.service for stored in DirectoryStore(root).list(folder=trace)})
        has = f"it has {', '.join(there)}" if there else "it is empty"
        raise RecordingNotFound(
            f"{before}trace {trace} in {root} has no recording {rest or 'at all'!r}: {has};"
            " see retrace ls"
        )
    return sorted(paths)


def _trace(asked: str, text: str, folders: list[str], root: str, before: str) -> str:
    """Return the folder that a trace id, or the beginning of one, means."""
    if asked in folders:
        return asked
    begins = [name for name in folders if name.startswith(asked)]
    begins = begins or [name for name in folders if to_trace_id(name).startswith(asked)]
    if len(asked) >= _PREFIX and len(begins) == 1:
        return begins[0]
    missing = f"{before}there is no recording {text!r}"
    if asked and begins:
        if len(asked) < _PREFIX:
            raise RecordingNotFound(
                f"{missing}: give {_PREFIX} characters of the trace id or more;"
                f" {begins[0]} begins so"
            )
        raise RecordingNotFound(
            f"{missing}: {len(begins)} traces begin so ({', '.join(begins[:3])}, ...);"
            " give more of the id"
        )
    beginnings = {name[: len(asked)]: name for name in folders}
    near = difflib.get_close_matches(asked, beginnings, n=3, cutoff=0.7)
    meant = " or ".join(beginnings[one] for one in near)
    advice = f"did you mean {meant}?" if near else "retrace ls lists what there is"
    raise RecordingNotFound(
        f"{missing}: no file of that name, and none of the {len(folders)} traces in {root}"
        f" begins so; {advice}"
    )


def complete_recording(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the traces, or services of a trace, that begin so; failing that, files."""
    from click.shell_completion import CompletionItem

    trace, slash, _service = incomplete.partition("/")
    names: set[str] = set()
    with contextlib.suppress(RetraceError, OSError):
        root = recordings_folder(ctx.params.get("recordings"))
        if is_remote(root):
            names = complete_in_store(root, trace, whole=bool(slash))
        elif slash:
            names = {f"{trace}/{one.service}" for one in DirectoryStore(root).list(folder=trace)}
        else:
            names = set(filter(names_trace, os.listdir(root)))
    items = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
    # bash forgets the others as soon as one of them is "a file".
    return items or [CompletionItem(incomplete, type="file")]


def recording_argument(*, several: bool = False) -> Callable[[F], F]:
    """Return the decorator that adds the argument RECORDING to a command.

    Args:
        several: it may be given more than once; the parameter is then a tuple.
    """
    return click.argument(
        "recording",
        metavar="RECORDING..." if several else "RECORDING",
        nargs=-1 if several else 1,
        shell_complete=complete_recording,
    )


def identity_option(command: F) -> F:
    """Add the option --identity: the private keys that encrypted recordings are read with."""
    return click.option(
        "--identity",
        metavar="FILE",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False),
        expose_value=False,
        callback=_use_identities,
        help="Private key of encrypted or sealed recordings; else RETRACE_IDENTITY names it.",
    )(command)


def _use_identities(_: click.Context, __: click.Parameter, files: tuple[str, ...]) -> None:
    if files:  # in the environment, so that the processes of replays have it too
        os.environ[IDENTITY] = os.pathsep.join(map(os.path.abspath, files))


def recordings_option(command: F) -> F:
    """Add the options --recordings and --identity to a command."""
    given = click.option(
        "--recordings",
        metavar="DIR|URL",
        help="Where recordings are kept; default: the setting RETRACE_RECORDING_PATH.",
    )
    return given(identity_option(command))
