"""Redacted: what of a recording is masked, and how to get at what is sealed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.cli.words import plural

if TYPE_CHECKING:
    from retrace_core.recording import Recording

__all__ = ["masked_words", "seal_note"]

_NAMED = 5


def masked_words(recording: Recording) -> str:
    """Return how many places are masked, and by which rules, or ""."""
    redaction = recording.redaction
    if redaction is None:
        return ""
    rules = sorted(redaction.masked, key=lambda rule: -redaction.masked[rule])
    named = ", ".join(rules[:_NAMED]) + (", ..." if len(rules) > _NAMED else "")
    sealed = f", {redaction.sealed} of them sealed" if redaction.sealed else ""
    return f"{plural(sum(redaction.masked.values()), 'place')}: {named}{sealed}"


def seal_note(recording: Recording) -> str:
    """Return a remark on a recording whose true values are sealed, or ""."""
    if recording.redaction is None or not recording.redaction.sealed:
        return ""
    return (
        f"{plural(recording.redaction.sealed, 'place')} of it sealed: it runs with the masks;"
        " --identity FILE gives the true values to who has the key"
    )
