"""Packed documents: what an archive or a PDF says, whatever its parts were packed to."""

from __future__ import annotations

from retrace_core import pdf_document, zip_archive

__all__ = ["MARKS", "said"]

MARKS = (zip_archive.MARK, pdf_document.MARK)
"""What they begin with."""


def said(body: bytes, limit: int) -> bytes | None:
    """Return what it says, None for what is none.

    Args:
        body: begins with it.
        limit: of what is in a part of it, in bytes.
    """
    return zip_archive.said(body, limit) or pdf_document.said(body, limit)
