"""HTTP exchange: what all HTTP clients' boundaries share."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["exchange_key", "missing_headers"]

_USERINFO = re.compile(r"(?<=://)[^/?#@]*@")


def exchange_key(method: str, url: str, body: object = None) -> object:
    """Return what an exchange asks: "METHOD url", and the checksum of a body in memory.

    Args:
        method: as sent.
        url: absolute; user name and password in it are masked.
        body: bytes or text; a streamed body is not looked at.
    """
    asked = f"{method} {_USERINFO.sub('***@', url)}"
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes | bytearray) and body:
        return (asked, zlib.crc32(body))
    return asked


def missing_headers(
    headers: Iterable[tuple[str, str]], present: Callable[[str], bool]
) -> list[tuple[str, str]]:
    """Return the headers that a carrier does not have yet.

    What an instrumentation of the user's own has put there (OpenTelemetry's traceparent)
    stays as it is.

    Args:
        headers: the scope's outgoing ones.
        present: tells whether the carrier has a header; gets its name in lower case.
    """
    return [(name, value) for name, value in headers if not present(name.lower())]
