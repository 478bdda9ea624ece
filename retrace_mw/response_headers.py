"""Response headers: how a client, or a browser, learns the name of the recording.

Source: W3C Server Timing; W3C Trace Context level 3 (draft), traceresponse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_mw.trace_headers import TRACE_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ResponseHeaders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHeaders:
    """Which headers a recorded response gets; an application's own stay as they are."""

    server_timing: bool = False
    """Add `Server-Timing: traceparent;desc="..."` beside any the application has."""
    traceresponse: bool = False
    """Add `traceresponse`, unless the application has one."""

    def missing(
        self, outgoing: Iterable[tuple[str, str]], name: str, present: Iterable[str]
    ) -> list[tuple[str, str]]:
        """Return the headers to add to a response.

        Args:
            outgoing: the headers of outgoing calls of the same request.
            name: of the trace.
            present: names of the headers that the response has, in any case.
        """
        there = {given.lower() for given in present}
        found = [] if TRACE_HEADER.lower() in there else [(TRACE_HEADER, name)]
        if self.server_timing or self.traceresponse:
            parent = dict(outgoing).get("traceparent", "")
            if self.server_timing and parent:
                found.append(("Server-Timing", f'traceparent;desc="{parent}"'))
            if self.traceresponse and parent and "traceresponse" not in there:
                found.append(("traceresponse", parent))
        return found
