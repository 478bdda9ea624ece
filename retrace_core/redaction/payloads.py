"""Payloads: what tokens say is masked in turn, packed or not; and JSON and pickles in base64."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from retrace_core.redaction.pickled_texts import is_pickle
from retrace_core.redaction.repacking import repack_token
from retrace_core.redaction.replacements import Replacement
from retrace_core.redaction.replacing import chosen

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.redaction.replacing import Care
    from retrace_core.redaction.secret_set import SecretSet

__all__ = ["mask_payloads"]


def mask_payloads(
    found: SecretSet, look_into: Callable[[bytes, SecretSet], None], care: Care
) -> list[bytes]:
    """Add what stands for the payloads of tokens that have secrets in them.

    Args:
        found: the tokens, and the secrets so far; grows by those that tokens say.
        look_into: adds the secrets in a text.
        care: where ordinary words are replaced.

    Returns:
        What stands for secrets in those that are compressed.
    """
    inner: list[bytes] = []
    for _, says, _ in found.says:  # it may grow by what is within
        look_into(says, found)
    for payload, says, rule in reversed(found.says):
        masked = bytearray(says)
        texts = tuple(found.replacements)
        for place, text, now in chosen(says, 0, texts, found.replacements, care):
            masked[place : place + len(text)] = now.text
        if masked != says:
            usual = b"+" in payload or b"/" in payload or is_pickle(says)
            altchars = b"+/" if usual else b"-_"
            now_written = base64.b64encode(masked, altchars).rstrip(b"=")
            found.replacements[payload] = Replacement(now_written, rule)
    for payload, says, rule in found.says_packed:
        look_into(says, found)
        texts = tuple(found.replacements)
        picked = list(chosen(says, 0, texts, found.replacements, care))
        if picked:
            masks, written = repack_token(payload, says, picked)
            inner += masks
            found.replacements[payload] = Replacement(written, rule)
    return inner
