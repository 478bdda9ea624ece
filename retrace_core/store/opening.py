"""Opening: the store that a path or URL means."""

from __future__ import annotations

import re
import urllib.parse
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.store.directory import DirectoryStore

if TYPE_CHECKING:
    from retrace_core.store.protocol import Store

__all__ = ["ALLOWED", "check_url", "is_remote", "open_store", "scheme_of"]

ALLOWED = (
    "a folder, file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REMOTE = ("s3", "gs", "az")


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case; "" for the path of a folder."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def is_remote(url: str) -> bool:
    """Return True for the URL of a cloud's store."""
    return scheme_of(url) in _REMOTE


def check_url(url: str, setting: str, origin: str = "", shown: str = "") -> None:
    """Do nothing where a path or URL can mean a store; nothing is opened.

    Args:
        url: which.
        setting: what the user gave it as, for the error.
        origin: where it came from, for the error.
        shown: how the user wrote it, where that differs.

    Raises:
        ConfigurationError: it can't.
    """
    scheme = scheme_of(url)
    rest = url[len(scheme) + 3 :] if scheme else url
    right = scheme in ("", "file", *_REMOTE) and bool(rest) and "\0" not in url
    if right and scheme == "file":
        right = rest.startswith("/")
    elif right and scheme:
        bucket = rest.partition("/")[0]
        rest = rest.rstrip("/").removesuffix("/{date}")
        right = bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", bucket)) and not (
            set("?#\\{}") & set(rest) or {".", ".."} & set(rest.split("/"))
        )
    if not right:
        raise ConfigurationError(setting, shown or url, ALLOWED, origin)


def open_store(url: str, *, setting: str = "RETRACE_RECORDING_PATH") -> Store:
    """Return the store that a path or URL means; nothing is asked of it yet.

    Args:
        url: a folder's path, file:///folder, s3://bucket/prefix, gs://bucket/prefix or
            az://container/prefix; a cloud's with "/{date}" at its end has a folder for each day.
        setting: what the user gave it as, for the error.

    Raises:
        ConfigurationError: it has another scheme, names no bucket, or the library for it is
            not installed.
    """
    check_url(url, setting)
    scheme = scheme_of(url)
    if scheme in _REMOTE:
        from retrace_core.store.dated_store import DATE, DatedStore
        from retrace_core.store.object_store import ObjectStore
        from retrace_core.store.packed_store import PackedStore

        base = url.rstrip("/").removesuffix(DATE)
        store = PackedStore(ObjectStore(base))
        return store if base == url.rstrip("/") else DatedStore(store)
    if scheme == "file":
        return DirectoryStore(urllib.parse.unquote(url[len("file://") :]))
    return DirectoryStore(url)
