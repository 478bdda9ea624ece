"""Pointing: says of masked secrets that a replay has them anyway, and where it finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retrace_core.redaction.plain_texts import plain_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retrace_core.recording import Header, OfBoot, OfCode
    from retrace_core.redaction.in_boot import InBoot
    from retrace_core.redaction.in_code import InCode
    from retrace_core.redaction.replacing import Patch

__all__ = ["Pointing"]


class Pointing(NamedTuple):
    """What is known of the texts of this process."""

    in_code: InCode
    in_boot: InBoot

    def of(self, header: Header, patches: Sequence[Patch]) -> tuple[list[OfCode], list[OfBoot]]:
        """Return where those of a recording's secrets stand that do.

        Args:
            header: of the recording.
            patches: what was masked in it.
        """
        pairs = [pair for patch in patches for pair in plain_texts(patch.secret, patch.mask)]
        of_code = self.in_code.of(pairs, header.environment.app)
        known = {one.mask for one in of_code}
        return of_code, [one for one in self.in_boot.of(pairs) if one.mask not in known]

    def note_boot(self, header: Header, lanes: Iterable[tuple[str, bytes]]) -> None:
        """Take note of a file of the boot tape, as it is written.

        Args:
            header: of the file.
            lanes: id and encoded events of each.
        """
        self.in_boot.add(header.trace_id, header.span_id, lanes)
