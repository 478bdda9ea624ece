"""In force: the encoding of drafts that the settings ask for: masked, sealed, encrypted."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.encryption import encrypting
from retrace_core.errors import ConfigurationError
from retrace_core.redaction.concealing import Concealing
from retrace_core.redaction.detectors import DETECTORS
from retrace_core.redaction.in_boot import InBoot
from retrace_core.redaction.in_code import InCode
from retrace_core.redaction.json_path import ALLOWED, parse
from retrace_core.redaction.known_secrets import KnownSecrets
from retrace_core.redaction.names import Names
from retrace_core.redaction.pointing import Pointing
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.surroundings import secret_values
from retrace_core.trace_file import dump_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_core.redaction.json_path import JsonPath
    from retrace_core.settings import Settings
    from retrace_core.trace_file import Draft

__all__ = ["encoding", "redactor"]

_OWN_KEY = os.urandom(32)
"""Pseudonyms of this process, and of its forks, where no key is given: it is never written."""
_known_secrets = KnownSecrets()
_in_code, _in_boot = InCode(), InBoot()
"""They stay known when settings change."""


def encoding(settings: Settings) -> Callable[[Iterable[Draft]], list[bytes]]:
    """Return what makes drafts the bytes of files.

    Raises:
        ConfigurationError: a rule is wrong.
    """
    dump: Callable[[Iterable[Draft]], list[bytes]] = dump_all
    if settings.redact:
        dump = functools.partial(dump_all, conceal=_concealing(settings))
    if not settings.encrypt_to:
        return dump
    encrypt = encrypting(settings.encrypt_to, "encrypt_to", settings.origin("encrypt_to"))
    return lambda drafts: [encrypt(data) for data in dump(drafts)]


def _concealing(settings: Settings) -> Concealing:
    seal = None
    if settings.seal_to:
        seal = encrypting(settings.seal_to, "seal_to", settings.origin("seal_to"))
    given = settings.redact_for_good
    for_good = frozenset((*given, *(name.lower() for name in given)))
    pointing = Pointing(_in_code, _in_boot) if settings.redact_point_to_code else None
    return Concealing(redactor(settings), seal=seal, for_good=for_good, pointing=pointing)


def redactor(settings: Settings) -> Redactor:
    """Return what finds and masks secrets, by the rules of the settings.

    Raises:
        ConfigurationError: a rule is wrong.
    """
    names = Names(settings.redact_names, settings.redact_keep)
    key = settings.redact_key.encode() or _OWN_KEY
    for name in settings.redact_detectors:
        if name not in DETECTORS:
            allowed = f"any of {', '.join(DETECTORS)}"
            raise ConfigurationError(
                "redact_detectors", name, allowed, settings.origin("redact_detectors")
            )
    consent = secret_values() if settings.record_secret_variables else {}
    return Redactor(
        names,
        Forms(Pseudonyms(key), names),
        detectors=settings.redact_detectors,
        patterns=_patterns(settings),
        paths=_paths(settings),
        known=dict if consent else _KnownValues(),
        allowed=frozenset(consent),
        folders=_folders(),
        known_secrets=_known_secrets,
    )


def _folders() -> frozenset[bytes]:
    """Return the working folder: PWD is no password where a server hands its variables on."""
    given = [os.environ.get("PWD", ""), os.environ.get("OLDPWD", "")]
    with contextlib.suppress(OSError):  # it may have been removed
        given.append(os.getcwd())
    return frozenset(os.fsencode(folder) for folder in given if len(folder) > 1)


class _KnownValues:
    """The values of the secret variables of this process, looked up once a second."""

    def __init__(self) -> None:
        self._due_ns = 0
        self._values: dict[bytes, str] = {}

    def __call__(self) -> dict[bytes, str]:
        """Return value -> name of the variable."""
        now_ns = native.now_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + 1_000_000_000
            self._values = secret_values()
        return self._values


def _paths(settings: Settings) -> list[JsonPath]:
    found: list[JsonPath] = []
    for text in settings.redact_paths:
        try:
            found.append(parse(text))
        except ValueError as error:
            origin = settings.origin("redact_paths")
            allowed = f"{ALLOWED} ({error})"
            raise ConfigurationError("redact_paths", text, allowed, origin) from None
    return found


def _patterns(settings: Settings) -> dict[str, re.Pattern[bytes]]:
    found: dict[str, re.Pattern[bytes]] = {}
    for number, text in enumerate(settings.redact_patterns, 1):
        origin = settings.origin("redact_patterns")
        try:
            pattern = re.compile(text.encode())
        except re.error as error:
            raise ConfigurationError(
                "redact_patterns", text, f"a regular expression ({error})", origin
            ) from None
        if pattern.match(b""):
            raise ConfigurationError(
                "redact_patterns", text, "a regular expression that does not match nothing", origin
            )
        found[f"pattern {number}"] = pattern
    return found
