"""Result: what came out of a replay, and the verdict in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_core.recording import Failure, Recording, Response
    from retrace_core.replay.comparison import Difference
    from retrace_core.replay.deviation import Deviation
    from retrace_core.replay.divergence import Divergence
    from retrace_core.replay.matching import Mode

__all__ = ["ReplayResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What came out of a replay."""

    recording: Recording
    differences: list[Difference]
    """What came out differently; empty when the outcome is identical."""
    divergence: Divergence | None
    """The first point where the code asked something else than was recorded."""
    response: Response | None
    failure: Failure | None
    notes: list[str] = field(default_factory=lambda: [])
    """What is worth knowing but made no difference, in words."""
    refused: list[str] = field(default_factory=lambda: [])
    """Live calls that the code tried and that were refused."""
    unused: int = 0
    """Recorded calls that the code did not make again."""
    events_served: int = 0
    flags: Mapping[str, Any] = field(default_factory=lambda: {})
    """The flags that were flipped, with their new values."""
    mode: Mode = "strict"
    """What was done with a call that was not the next recorded one."""
    live: tuple[str, ...] = ()
    """The kinds of calls that were allowed to be made live."""
    deviations: list[Deviation] = field(default_factory=lambda: [])
    """What was asked otherwise than recorded and went on: whose answer was given instead."""
    first_passed: Divergence | None = None
    """With flipped flags: the first recorded call that the code left out."""

    @property
    def identical(self) -> bool:
        """True when the same came out, every recorded call was made again, and nothing else."""
        return self.same_outcome and not (self.refused or self.unused or self.deviations)

    @property
    def same_outcome(self) -> bool:
        """True when the same response or exception came out, whatever was asked for it."""
        return not (self.differences or self.divergence)

    @property
    def exit_status(self) -> int:
        """0 when identical, else 1."""
        return 0 if self.identical else 1

    def terms(self) -> str:
        """Return in words under which mode it was run."""
        live = f", LIVE where not recorded: {', '.join(self.live)}" if self.live else ""
        return f"mode {self.mode}{live}"

    def summary(self) -> str:
        """Return the verdict in words, one line for each thing to say."""
        header = self.recording.header
        name = f"{header.service} {header.method} {header.path}"
        if self.identical:
            status = self.response.status if self.response else "no response"
            error = f", {self.failure.type} raised again" if self.failure else ""
            return f"identical: {name} -> {status}{error}, {self.events_served} answers served"
        lines = [f"{'same outcome, other calls' if self.same_outcome else 'divergent'}: {name}"]
        if self.mode != "strict" or self.live:
            lines.append(self.terms())
        lines += [one.summary() for one in self.deviations]
        if self.flags:
            lines.append("with " + ", ".join(f"{n} = {v!r}" for n, v in self.flags.items()))
        if self.first_passed is not None:
            lines.append(self.first_passed.summary())
        if self.divergence is not None:
            lines.append(self.divergence.summary())
        lines += [f"refused: {what}" for what in self.refused]
        lines += [
            f"{d.what}: recorded {d.recorded!r}, replayed {d.replayed!r}" for d in self.differences
        ]
        return "\n".join([*lines, *self.notes])
