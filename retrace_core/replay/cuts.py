"""Cuts: what a recording misses because it reached a limit, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.recording import Recording

__all__ = ["cut_notes"]


def cut_notes(recording: Recording) -> Iterator[str]:
    """Yield a line for each part of a recording that was cut, and what follows from it."""
    request, response = recording.request, recording.response
    if recording.header.cut:
        yield (
            "the recording was cut at its size limit (RETRACE_RECORDING_LIMIT_BYTES): what the"
            " code asks after its last event has no answer, and shows as a divergence"
        )
    if request.body_cut:
        yield (
            f"the request body was cut: {_kept(request.body)} of {request.body_bytes} bytes were"
            " kept (RETRACE_BODY_LIMIT_BYTES), so that the replayed code saw less than it did"
        )
    if response is not None and response.body_cut:
        yield (
            f"the recorded response body was cut: only its first {_kept(response.body)} of"
            f" {response.body_bytes} bytes, and its length, were compared"
        )


def _kept(chunks: list[bytes]) -> int:
    return sum(map(len, chunks))
