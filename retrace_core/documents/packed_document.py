"""Packed documents: what an archive, a PDF or a pack says, whatever its parts were packed to."""

from __future__ import annotations

from retrace_core.documents import git_pack, pdf_document, zip_archive

__all__ = ["MARKS", "begins", "said"]

MARKS = (zip_archive.MARK, pdf_document.MARK, git_pack.MARK)
"""What they begin with."""


def said(body: bytes, limit: int) -> bytes | None:
    """Return what it says, None for what is none.

    Args:
        body: begins with it.
        limit: of what is in a part of it, in bytes.
    """
    found = zip_archive.said(body, limit) or pdf_document.said(body, limit)
    return found or git_pack.said(body, limit)


def begins(body: bytes) -> bool:
    """Return True for a body that is one, or has one in packets."""
    return body.startswith(MARKS) or bool(git_pack.spans_in_packets(body))
