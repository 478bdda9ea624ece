"""Every exception that Retrace raises, in one tree.

    RetraceError
    ├── ConfigurationError        a setting is wrong: which one, its value, what is allowed
    ├── GreenThreadsRefused       gevent or eventlet run as threads: nothing is recorded
    ├── RecordingError            a trace file can't be used
    │   ├── ForeignFile           it is no trace file at all
    │   ├── TornRecording         it ends early or is damaged: readable up to where it says
    │   ├── NewerVersion          a newer Retrace wrote it
    │   ├── LockedRecording       it is encrypted, and no key was given
    │   │   └── WrongKey          none of the keys given opens it
    │   └── RecordingNotFound     there is none of that name
    ├── StoreError                a store can't be reached, read or written
    │   ├── NotStored             there is nothing under that path
    │   ├── StoreUnavailable      it can't be reached now, or is full: trying again may help
    │   ├── StoreRefused          it says no: credentials, permissions, no such bucket
    │   ├── StoreCannot           this kind of store has no way to do that
    │   └── DamagedPack           a pack in it can't be used: cut, corrupted, or foreign
    ├── CatalogError              the catalog of a store can't be used
    └── ReplayError               a replay could not be run
        ├── AppNotLoadable        the application can't be imported
        ├── WrongApp              the recording belongs to another application
        ├── FlagNotAsked          a flag that is to be flipped was never asked
        └── LiveCallRefused       the replayed code reached for the live world

The text of each is one line that says what, where, and what to do. The command line
prints that line and exits with status 2.
"""

from __future__ import annotations

__all__ = [
    "AppNotLoadable",
    "CatalogError",
    "ConfigurationError",
    "DamagedPack",
    "FlagNotAsked",
    "ForeignFile",
    "GreenThreadsRefused",
    "LiveCallRefused",
    "LockedRecording",
    "NewerVersion",
    "NotStored",
    "RecordingError",
    "RecordingNotFound",
    "ReplayError",
    "RetraceError",
    "StoreCannot",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "TornRecording",
    "WrongApp",
    "WrongKey",
]


class RetraceError(Exception):
    """The root of all errors that Retrace raises on purpose."""


class ConfigurationError(RetraceError):
    """A setting has a value that is not allowed.

    Args:
        setting: the name of the setting, as the user wrote it.
        value: what was given.
        allowed: what would be right, in words.
        origin: where the value came from ("environment", "argument", a file name).
    """

    def __init__(self, setting: str, value: object, allowed: str, origin: str = "") -> None:
        source = f" (from {origin})" if origin else ""
        super().__init__(f"{setting}={value!r}{source} is not allowed: use {allowed}")
        self.setting = setting
        self.value = value
        self.allowed = allowed
        self.origin = origin


class GreenThreadsRefused(RetraceError):
    """Nothing can be recorded soundly, because gevent or eventlet run as the threads of Python.

    Args:
        name: which of them.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has put its green threads in place of Python's, and what they ask can't be"
            " told apart soundly; the application runs as it would without. Serve it by threads"
            " (gunicorn -k gthread --threads 8), or by ASGI, to record it"
        )


class RecordingError(RetraceError):
    """A trace file can't be used."""


class ForeignFile(RecordingError):
    """The file does not begin as a trace file does."""


class TornRecording(RecordingError):
    """The trace file ends early or is damaged.

    Args:
        message: what is wrong, and what to do.
        offset_bytes: where the first unreadable frame begins.
        frames: how many whole frames come before it.
    """

    def __init__(self, message: str, *, offset_bytes: int = 0, frames: int = 0) -> None:
        super().__init__(message)
        self.offset_bytes = offset_bytes
        self.frames = frames


class NewerVersion(RecordingError):
    """A newer Retrace wrote the trace file."""


class LockedRecording(RecordingError):
    """The recording is encrypted, and no private key was given."""


class WrongKey(LockedRecording):
    """None of the private keys that were given opens the recording, or its seal."""


class RecordingNotFound(RecordingError):
    """There is no recording of that name, path or trace id."""


class StoreError(RetraceError):
    """A store can't be reached, read or written."""


class NotStored(StoreError):
    """There is nothing in the store under that path."""


class StoreUnavailable(StoreError):
    """The store can't be reached now, is overloaded or full: the same may succeed later."""


class StoreRefused(StoreError):
    """The store says no, and will again: wrong credentials, no permission, no such bucket."""


class StoreCannot(StoreError):
    """This kind of store has no way to do what was asked."""


class DamagedPack(StoreError):
    """A pack of recordings is cut, corrupted, or none at all; nothing of it was changed."""


class CatalogError(RetraceError):
    """The catalog of a store can't be reached, or is of something else."""


class ReplayError(RetraceError):
    """A replay could not be run."""


class AppNotLoadable(ReplayError):
    """The application that should be replayed can't be imported."""


class WrongApp(ReplayError):
    """The recording was made by another application than the one given."""


class FlagNotAsked(ReplayError):
    """A flag that is to be flipped was never asked in the recording.

    Args:
        flag: its name.
        asked: the names of those that were.
    """

    def __init__(self, flag: str, asked: list[str]) -> None:
        listed = ", ".join(sorted(asked))
        hint = f"asked were: {listed}" if asked else "no flag was asked at all"
        super().__init__(f"flag {flag!r} was never asked in this recording; {hint}")
        self.flag = flag
        self.asked = asked


class NotOnTape(ReplayError):
    """The process asked for something that its boot tape has no answer to.

    Args:
        kind: which call, for instance "psycopg.execute".
        asked: what was asked, in words.
    """

    def __init__(self, kind: str, asked: str) -> None:
        super().__init__(
            f"{kind} {asked} is not on the boot tape, and nothing live may be touched during"
            " replay; record again with the process started by `retrace run`"
        )
        self.kind = kind
        self.asked = asked


class LiveCallRefused(ReplayError):
    """The replayed code reached for the live world: a socket, a process, a file to write.

    Args:
        operation: what was tried ("socket.connect", "subprocess.Popen", ...).
        target: to what, in words.
    """

    # Both have defaults, for libraries that raise the class of what they caught once more.
    def __init__(self, operation: str = "a call", target: str = "somewhere") -> None:
        super().__init__(
            f"{operation} to {target} refused: nothing live may be touched during replay; "
            "declare the client as a boundary, or record again with it hooked"
        )
        self.operation = operation
        self.target = target
