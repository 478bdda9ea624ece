"""Surroundings: the variables, folder, locale and time zone that a process runs in.

They are noted in the boot tape, and restored by a replay, or compared where that can't be.
"""

from __future__ import annotations

import functools
import locale
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core.files.file_access import in_recorded_folders
from retrace_core.files.temporary_folder import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Surroundings", "find_out", "restored", "secret_values"]

_OWN = re.compile(
    r"(PATH|HOME|PWD|OLDPWD|SHELL|SHLVL|USER|LOGNAME|MAIL|TERM|DISPLAY|HOSTNAME|TMPDIR|_"
    r"|TEMP|TMP|EDITOR|PS1|VIRTUAL_ENV|CONDA_.*|PYENV_.*|PYTEST_.*|COV_.*|LD_.*|DYLD_.*|PYTHON.*"
    r"|RETRACE.*|DBUS_.*|PIP_.*|UV_.*|DEBUGINFOD.*|LESS.*|LS_COLORS"
    r"|XDG_(?!(CONFIG|DATA|CACHE|STATE)_HOME$).*"  # not these: where an application has its files
    r"|SSH_(AUTH_SOCK|AGENT_PID|ASKPASS.*|CLIENT|CONNECTION|ORIGINAL_COMMAND|TTY)"
    r"|GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|EXEC_PATH|EDITOR|SEQUENCE_EDITOR|PAGER|ASKPASS|SSH.*"
    r"|AUTHOR_.*|COMMITTER_.*|CONFIG.*|TRACE.*|PS1_.*|TERMINAL_PROMPT|OBJECT_DIRECTORY))"
)
"""Variables of the machine and of the person: not taken over from another one, but the folder of
the person is (`Surroundings.home`, also where it has no variable)."""
_ACTIVATED = "VIRTUAL_ENV"
"""Of the machine too, but code asks whether it is set: where it was, it names the one of here."""
_SECRET = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|(^|_)(KEYS?|PWD|PW|PASS|AUTH|SALT|PIN|CREDS?)($|_)|APIKEY"
    r"|ACCESS_KEY|SIGNING",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"_(HEADER|NAME|URL|URI|ENDPOINT|HOST|PORT|FILE|PATH|DIR|ALGORITHM|EXPIRES?|EXPIRY|EXPIRATION"
    r"|TTL|LIFETIME|AGE|SECONDS|MINUTES|HOURS|DAYS|TIMEOUT|LENGTH|SIZE|MIN|MAX|LIMIT|TYPE|MODE"
    r"|PROVIDER|BACKEND|CLASS|SCHEME|METHODS?|ENABLED?|DISABLED?|REQUIRED|ALLOWED|PREFIX|ISSUER"
    r"|AUDIENCE|REALM|SCOPES?|DOMAIN|FORMAT|VERSION|POLICY|HASHERS?|ROUNDS|ITERATIONS|TRANSPORT)$",
    re.IGNORECASE,
)
"""What a name ends with that says how secrets are handled, and none."""
_PUBLIC = re.compile(r"(^|_)PUB(LIC)?_?KEYS?($|_)", re.IGNORECASE)
_HIDDEN = re.compile(r"SECRET|PRIVATE|PASSW|PASSPHRASE|TOKEN", re.IGNORECASE)
_NO_SECRET = re.compile(
    r"\s*(-----BEGIN ([A-Z0-9]+ )*(PUBLIC KEY|CERTIFICATE)-----|LS0tLS1CRUdJTiBQVUJMSUMgS0VZ"
    r"|(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]+) AAAA)"
)
"""How a public key, or a certificate, begins in PEM, that in base64, and as OpenSSH writes one."""
_SWITCHES = frozenset(("", "0", "1", "true", "false", "yes", "no", "on", "off", "none"))
_USERINFO = re.compile(r"(?<=://)([^/@:\s]*):([^/@\s]+)@")
_LISTED = re.compile(r"[,;]\s*")
_VALUE_LIMIT = 8192
_getcwd = os.getcwd
"""As it is before something (blockbuster, say) forbids it while an event loop runs."""
_LEAST_MASKED = 8
"""Shorter values are left out: too much else is equal to them ("prod", "none")."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process runs in."""

    variables: dict[str, str] = {}
    """Environment variables, but those of the machine; passwords in URLs are masked."""
    masked: list[str] = []
    """Names of variables whose values look secret and were masked, or left out."""
    folder: str = ""
    temporary: str = ""
    """The folder for temporary files."""
    home: str = ""
    """The folder of the person whom it runs as."""
    umask: int = -1
    locale: str = ""
    arguments: list[str] = []


def _is_secret(name: str, value: str) -> bool:
    """Return True for a variable whose name looks secret, unless it is a switch or a public key."""
    if _SECRET.search(name) is None or _SETTING.search(name) is not None:
        return False
    if _NO_SECRET.match(value) is not None and "PRIVATE KEY" not in value:
        return False
    if _PUBLIC.search(name) is not None and _HIDDEN.search(name) is None:
        return False
    return value.lower() not in _SWITCHES


def secret_values() -> dict[bytes, str]:
    """Return the values of variables whose names look secret, and passwords in the others' URLs.

    What the command line sets counts as a variable of the option's name.
    """
    found: dict[bytes, str] = {}
    for name, value in (*os.environ.items(), *_given_options()):
        if len(value) < _LEAST_MASKED:
            continue
        if _is_secret(name, value) and not _OWN.fullmatch(name):
            for one in _each(value[:_VALUE_LIMIT]):
                found[one.encode("utf-8", "surrogateescape")] = name.lower()
        elif "://" in value:
            for match in _USERINFO.finditer(value):
                if len(match[2]) >= _LEAST_MASKED:
                    found[match[2].encode("utf-8", "surrogateescape")] = name.lower()
    return found


def _each(value: str) -> list[str]:
    """Return the values of a list, `API_KEYS=one,other`: code compares each by itself."""
    parts = [part for part in _LISTED.split(value) if part]
    return parts if all(len(part) >= _LEAST_MASKED for part in parts) else [value]


@functools.cache
def _given_options() -> tuple[tuple[str, str], ...]:
    return tuple(_options(sys.orig_argv))


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what a command line sets: `--api-key=X`, `--api-key X`, and what stands alone.

    What stands after `--no-auth` does, and what is a file here is no secret itself.
    """
    name = ""
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            name = name.replace("-", "_")
            if equals:
                yield name, value
                name = ""
        else:
            alone = not name or name.startswith("no_") or os.path.exists(argument)
            yield "argument" if alone else name, argument
            name = ""


def find_out(*, secrets: bool, masked_later: bool = False) -> Surroundings:
    """Return what this process runs in.

    Args:
        secrets: True includes the values of variables that look secret.
        masked_later: True includes them too, since they are masked before they are written.
    """
    variables: dict[str, str] = {}
    masked: list[str] = []
    for name, value in sorted(os.environ.items()):
        if _OWN.fullmatch(name) and name != _ACTIVATED:
            continue
        if _is_secret(name, value) and not secrets:
            masked.append(name)
            if masked_later and len(value) >= _LEAST_MASKED:
                variables[name] = value[:_VALUE_LIMIT]
        else:
            if not secrets:
                # A short one is known nowhere else: it is left out by where it stands.
                least = _LEAST_MASKED if masked_later else None
                value = _USERINFO.sub(functools.partial(_masked, least=least), value)
            variables[name] = value[:_VALUE_LIMIT]
    return Surroundings(
        variables=variables,
        masked=masked,
        folder=_getcwd(),
        temporary=temporary_folder(),
        home=os.path.expanduser("~"),
        umask=_umask(),
        locale=locale.setlocale(locale.LC_ALL),
        arguments=sys.argv[:32],
    )


def _masked(userinfo: re.Match[str], *, least: int | None) -> str:
    if least is not None and len(userinfo[2]) >= least:
        return userinfo[0]
    return f"{userinfo[1]}:masked@"


@contextmanager
def restored(recorded: Surroundings | None, folder: str) -> Iterator[list[str]]:
    """Run the block as if in recorded surroundings, and put back what was there.

    Args:
        recorded: what the recording process ran in; None changes nothing.
        folder: the application's folder here, to run in where the recorded one is missing.

    Yields:
        What could not be restored, in words.
    """
    there = recorded if recorded is not None else Surroundings()
    with in_recorded_folders(there.temporary, there.folder, there.home):
        if recorded is None:
            yield []
        else:
            with _set(recorded, folder) as notes:
                yield notes


@contextmanager
def _set(recorded: Surroundings, folder: str) -> Iterator[list[str]]:
    before, arguments = dict(os.environ), sys.argv
    home = os.getcwd()
    place = locale.setlocale(locale.LC_ALL)
    mask = os.umask(recorded.umask) if recorded.umask >= 0 else None
    if recorded.arguments:  # of the server: settings of the application may be among them
        sys.argv = list(recorded.arguments)
    try:
        yield [*_variables(recorded), *_folder(recorded, folder), *_locale(recorded)]
    finally:
        sys.argv = arguments
        os.environ.clear()
        os.environ.update(before)
        _set_time_zone()
        os.chdir(home)
        locale.setlocale(locale.LC_ALL, place)
        if mask is not None:
            os.umask(mask)


def _variables(recorded: Surroundings) -> Iterator[str]:
    # Those that it did not have stay: whoever replays may have set them to try something.
    os.environ.update(recorded.variables)
    if os.path.isabs(recorded.home):
        _stand_in_for_home(recorded.home)
    activated = recorded.variables.get(_ACTIVATED)
    if activated is not None and not os.path.isdir(activated):
        os.environ[_ACTIVATED] = sys.prefix
    _set_time_zone()
    for name in recorded.masked:
        if name not in os.environ:
            os.environ[name] = "masked"
            yield (
                f"variable {name} was not recorded, since it looks secret; set it, or record"
                " with record_secret_variables = true"
            )


def _stand_in_for_home(home: str) -> None:
    """Tell Python's code the recorded folder of the person: it is in paths, rows and answers.

    What is no Python keeps files there by itself, and so has the one of today.
    """
    today = os.environ.get("HOME")
    os.environ["HOME"] = home
    if today is None:
        os.unsetenv("HOME")
    else:
        os.putenv("HOME", today)


def _folder(recorded: Surroundings, folder: str) -> Iterator[str]:
    for place in (recorded.folder, folder):
        if place and os.path.isdir(place):
            os.chdir(place)
            if place != recorded.folder:
                yield f"it ran in {recorded.folder}, which is not there; it runs in {place} now"
            return


def _locale(recorded: Surroundings) -> Iterator[str]:
    try:
        locale.setlocale(locale.LC_ALL, recorded.locale or "C")
    except locale.Error:
        yield f"locale {recorded.locale} is not installed here: texts may sort or read otherwise"


def _set_time_zone() -> None:
    set_zone: Any = getattr(time, "tzset", None)  # not on Windows
    if set_zone is not None:
        set_zone()


def _umask() -> int:
    try:  # asking by os.umask would change it for a moment, for all threads
        status = Path("/proc/self/status").read_text()
    except OSError:
        return -1
    found = re.search(r"^Umask:\s*([0-7]+)$", status, re.MULTILINE)
    return int(found[1], 8) if found else -1
