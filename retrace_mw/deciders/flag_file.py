"""FileFlag: a flag from a file, for those without a flag service."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.stats import count
from retrace_mw.flag_decider import FlagDecider, Unanswered
from retrace_mw.flag_rules import Flag, read_flags
from retrace_mw.reload import FileWatch
from retrace_mw.variation import ALLOWED

if TYPE_CHECKING:
    from retrace_mw.decision import Decider
    from retrace_mw.flag_context import ContextSource, FlagContext
    from retrace_mw.request import RequestView

__all__ = ["FileFlag"]

_logger = logging.getLogger("retrace")


class FileFlag(FlagDecider):
    """Asks a flag of a TOML or JSON file, which is read again within a second of its change.

    A changed file with a mistake changes nothing: the last good one stays, which is logged
    and counted as "flag.file_rejected". Without a value the default counts, counted as
    "flag.<reason>": not_found, no_key, context_failed, unknown_variation.

    Args:
        flag: its name in the table `flags`; the form of the file is in `retrace_mw.flag_rules`.
        path: of the file.
        context: whom it is evaluated for, as for `LaunchDarklyFlag`.
        default: the value that counts without one: "no", "tail", "full", a rate ...
        tail: the decider that is asked when the flag says "tail"; default: kept is what failed.

    Raises:
        ConfigurationError: an argument is wrong, or the file is not there or has a mistake.
    """

    __slots__ = ("_flags", "_watch", "path")

    def __init__(
        self,
        flag: str,
        *,
        path: str | os.PathLike[str],
        context: ContextSource | str = "trace",
        default: object = "no",
        tail: Decider | None = None,
    ) -> None:
        super().__init__(flag, context=context, default=default, tail=tail)
        self.path = os.fspath(path)
        self._given = {"path": (self.path, ""), **self._given}
        self._watch = FileWatch([self.path])
        self._flags = self._read_file()

    def _read_file(self) -> dict[str, Flag]:
        flags = read_flags(self.path)
        flag = flags.get(self.flag)
        for variation in flag.variations() if flag is not None else ():
            if not self._variations.understands(variation):
                place = f"flags.{self.flag}: a variation"
                raise ConfigurationError(place, variation, ALLOWED, self.path)
        return flags

    def evaluate(self, request: RequestView, context: FlagContext) -> object:
        """Return the flag's value for a context."""
        if self._watch.changed():
            self._read_again()
        flag = self._flags.get(self.flag)
        if flag is None:
            raise Unanswered("not_found", f"{self.path} has no table flags.{self.flag}")
        if flag.needs_key and not context.key and not context.attributes:
            raise Unanswered("no_key", "the context source found no targeting key")
        return flag.value(context)

    def _read_again(self) -> None:
        try:
            self._flags = self._read_file()
        except ConfigurationError as error:
            count("flag.file_rejected")
            _logger.error("retrace: changed flags are not used: %s", error)
        else:
            count("flag.file_read")
