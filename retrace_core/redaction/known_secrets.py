"""Known secrets: those of a process that nothing tells to be any in the recording that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.redaction.boot_digests import BootDigests
from retrace_core.redaction.boot_keys import BootKeys
from retrace_core.redaction.lately_found import LatelyFound
from retrace_core.redaction.secret_set import BOOT_DIGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.redaction.secret_set import SecretSet

__all__ = ["KnownSecrets"]


class KnownSecrets:
    """Those that its start-up had, and those that its recordings had lately."""

    def __init__(self) -> None:
        self._digests, self._keys = BootDigests(), BootKeys()
        self._lately = LatelyFound()

    def look(self, found: SecretSet, *texts: bytes, boot: bool) -> None:
        """Add to what was found in a recording what is known already.

        Args:
            found: in the recording.
            texts: it, and what is packed in it.
            boot: True for a file of a boot tape; what was found in it by its looks is kept.
        """
        if boot:
            self._digests.add(found.stored)
            self._keys.add(found.added)
        for digest in self._digests.in_any(*texts):
            found.add_digest(digest, BOOT_DIGEST)
        for value, rule in self._keys.in_any(*texts):
            found.add(value, rule)
        self._lately.look(found, *texts)

    def keep(self, found: SecretSet, digests: Sequence[bytes], *, boot: bool) -> None:
        """Keep what a recording had.

        Args:
            found: in it.
            digests: of what had a secret in it.
            boot: True for a file of a boot tape.
        """
        if boot:
            self._digests.add(digests)
        else:
            self._lately.keep(found, digests)
