"""Encryption: to whom recordings are encrypted, and with which keys they are read (age).

A process that records knows public keys only: it can't read what it has written. The private
keys are in files named by `--identity` or RETRACE_IDENTITY, on the laptop.
"""

from __future__ import annotations

import functools
import importlib
import os
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError, LockedRecording, TornRecording, WrongKey

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "IDENTITY",
    "decrypt",
    "encrypting",
    "has_identities",
    "is_encrypted",
    "new_key",
]

IDENTITY = "RETRACE_IDENTITY"
"""The variable that names files of private keys, separated as PATH is."""
_MAGIC = b"age-encryption.org/"
_PUBLIC, _PRIVATE = "age1", "AGE-SECRET-KEY-"
_LARGEST_FILE = 1 << 20


def is_encrypted(data: bytes) -> bool:
    """Return True for what begins as a file of age does."""
    return data.startswith(_MAGIC)


def encrypting(keys: str, setting: str, origin: str = "") -> Callable[[bytes], bytes]:
    """Return a function that encrypts to public keys.

    Args:
        keys: "age1...", or the path of a file with one in each line; several with commas.
        setting: where they were given, for messages.
        origin: where its value came from.

    Raises:
        ConfigurationError: one is no public key, or the library for it is missing.
    """
    pyrage = _library(setting, keys, origin)
    found = [
        _recipient(pyrage, key, setting, origin)
        for part in keys.split(",")
        if part.strip()
        for key in _listed(part.strip(), _PUBLIC, setting, origin)
    ]
    if not found:
        raise ConfigurationError(setting, keys, "a public key (age1...) or a file of them", origin)
    return lambda data: bytes(pyrage.encrypt(data, found))


def has_identities() -> bool:
    """Return True when private keys were given."""
    return bool(os.environ.get(IDENTITY))


def decrypt(data: bytes, name: str) -> bytes:
    """Return what was encrypted.

    Args:
        data: as `is_encrypted` knows it.
        name: what to call it in messages.

    Raises:
        LockedRecording: no private key was given.
        WrongKey: none of those that were given opens it.
        TornRecording: it is damaged, or not there in full.
        ConfigurationError: a file of private keys can't be read, or has none.
    """
    given = os.environ.get(IDENTITY, "")
    if not given:
        raise LockedRecording(
            f"{name} is encrypted; name the file of your private key with --identity FILE"
            f" or {IDENTITY}"
        )
    pyrage = _library(IDENTITY, given, "environment")
    keys = _identities(given, tuple(map(_changed, given.split(os.pathsep))))
    try:
        return bytes(pyrage.decrypt(data, list(keys)))
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise WrongKey(
                f"{name} is encrypted to other keys than those in {given}; give the right one"
                " with --identity"
            ) from None
        raise TornRecording(
            f"{name} is encrypted, and damaged or not there in full ({error}); fetch it again"
        ) from None


def new_key() -> tuple[str, str]:
    """Return (private key, public key)."""
    made = _library("keygen", "", "").x25519.Identity.generate()
    return str(made), str(made.to_public())


@functools.lru_cache(maxsize=8)
def _identities(given: str, _: tuple[int, ...]) -> tuple[Any, ...]:
    pyrage = _library(IDENTITY, given, "environment")
    found: list[Any] = []
    for path in given.split(os.pathsep):
        for key in _listed(path, _PRIVATE, IDENTITY, "environment"):
            try:
                found.append(pyrage.x25519.Identity.from_str(key))
            except pyrage.IdentityError as error:
                raise ConfigurationError(
                    "identity", path, f"a file of private keys ({error})"
                ) from None
    return tuple(found)


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _recipient(pyrage: Any, key: str, setting: str, origin: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        raise ConfigurationError(setting, key, f"a public key, age1... ({error})", origin) from None


def _listed(text: str, begins: str, setting: str, origin: str) -> list[str]:
    """Return the keys that are meant: the text itself, or those in the file of that name."""
    if text.startswith(_PUBLIC) and not os.path.exists(text):
        return [text]
    allowed = "a file with a key in each line"
    shown = "identity" if begins == _PRIVATE else setting
    try:
        with open(text, encoding="utf-8") as file:
            lines = file.read(_LARGEST_FILE).splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise ConfigurationError(shown, text, f"{allowed} ({reason})", origin) from None
    keys = [line.strip() for line in lines if line.strip().startswith(begins)]
    if not keys:
        raise ConfigurationError(shown, text, f"{allowed}, {begins}... (none is there)", origin)
    return keys


def _library(setting: str, value: str, origin: str) -> Any:
    try:
        return importlib.import_module("pyrage")
    except ImportError:
        raise ConfigurationError(
            setting, value, "it with pyrage installed: pip install 'retrace-mw[encryption]'", origin
        ) from None
