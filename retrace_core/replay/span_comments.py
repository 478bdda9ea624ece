"""Comments in SQL that name a tracer's span: drawn by the tracer for itself, and asked by nobody.

Instrumentations append them so that a database's log leads to the trace, in the form of
SQLCommenter: `/*...,traceparent='00-<trace>-<span>-01'*/`. A tracer's draws are not recorded.
"""

from __future__ import annotations

import re
from typing import overload

__all__ = ["without_spans"]

_TEXT = r"(?<=traceparent=')[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?=')"
_SPAN = re.compile(_TEXT)
_SPAN_BYTES = re.compile(_TEXT.encode())


@overload
def without_spans(said: str) -> str: ...
@overload
def without_spans(said: bytes) -> bytes: ...
def without_spans(said: str | bytes) -> str | bytes:
    """Return a statement without the names of spans; anything else as it is."""
    if isinstance(said, str):
        return _SPAN.sub("", said) if "traceparent='" in said else said
    return _SPAN_BYTES.sub(b"", said) if b"traceparent='" in said else said
