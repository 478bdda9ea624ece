"""Declaration: one boundary of an application's own, and the live/record/replay switch for it.

It differs from `boundary.call` where replay has no answer: the sandbox can't see what a client
in C does, so the live call is refused here, and not left to fail below.
"""

from __future__ import annotations

import copy
import dataclasses
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from retrace_core import codec
from retrace_core.boundary import Decode, Encode, call_async, in_replay, replays_run
from retrace_core.codec import Opaque
from retrace_core.errors import LiveCallRefused
from retrace_core.lanes import Lane, mask
from retrace_core.live_call import AskLive, ask_live, ask_live_async
from retrace_core.native import REPLAY, current
from retrace_core.recording import FREE_OF_ORDER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["PLAIN", "Declaration", "declared_errors", "declared_kinds", "holds_opaque"]

T = TypeVar("T")

PLAIN = frozenset((str, bytes, int, float, bool, type(None)))
"""Types that are recorded as they are, and that nobody can change."""
_MOST = 4096
"""How many kinds, and how many types of outcomes, are remembered: kinds should be constants."""

_logger = logging.getLogger("retrace")
_kinds: set[str] = set()
_errors: set[str | type[BaseException]] = set()
_checked: set[tuple[str, type]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What was declared; `answer` and `answer_async` are the switch."""

    kind: str
    encode: Encode | None = None
    decode: Decode | None = None
    free: bool = False

    def register(self, errors: tuple[str | type[BaseException], ...]) -> None:
        """Have replay know its kind, and the exceptions that it may build again."""
        if len(_kinds) < _MOST:
            _kinds.add(self.kind)
        if len(_errors) < _MOST:
            _errors.update(errors)

    def answer(self, kind: str, asked: Callable[[], object], live: Callable[[], T]) -> T:
        """Return what `live` returns, recorded; or, on replay, what was recorded.

        Args:
            kind: of the event: the declaration's, or one that begins with it.
            asked: gives the key; called where something is recorded or replayed.
            live: the call itself.

        Raises:
            BaseException: what `live` raises, or raised when it was recorded.
        """
        lane = current()
        if lane is None:
            self._refuse(kind)
            return live()
        if lane.mode != REPLAY:
            return lane.call(self._named(kind), asked(), self._kept, live)
        owner, key = cast("Lane", lane), asked()
        if self.free:
            found, kept = owner.scope.free_answer(owner, self._named(kind), key)
            if found and not holds_opaque(kept):
                return cast("T", self._restored(kept))
            with mask():
                return live()
        try:
            kept = owner.scope.answer(owner, kind, key)
        except AskLive:
            return ask_live(live)
        return cast("T", self._given(owner, kind, key, kept))

    async def answer_async(
        self, kind: str, asked: Callable[[], object], live: Callable[[], Awaitable[T]]
    ) -> T:
        """Do what `answer` does for a call that is awaited."""
        lane = current()
        if lane is None:
            self._refuse(kind)
            return await live()
        if lane.mode != REPLAY:
            return await call_async(lane, self._named(kind), asked(), live, self._kept)
        owner, key = cast("Lane", lane), asked()
        if self.free:
            found, kept = owner.scope.free_answer(owner, self._named(kind), key)
            if found and not holds_opaque(kept):
                return cast("T", self._restored(kept))
            with mask():
                return await live()
        try:
            kept = await owner.scope.answer_async(owner, kind, key)
        except AskLive:
            return await ask_live_async(live)
        return cast("T", self._given(owner, kind, key, kept))

    def of_steps(self) -> Declaration:
        """Return the same one for outcomes that are pairs: whether it ended, and with what."""
        return dataclasses.replace(
            self,
            encode=lambda pair: (pair[0], self._kept(pair[1])),
            decode=lambda pair: (pair[0], self._restored(pair[1])),
        )

    def _named(self, kind: str) -> str:
        return FREE_OF_ORDER + kind if self.free else kind

    def _refuse(self, kind: str) -> None:
        """Raise where a replay runs but nothing answers here: a stray thread, the start-up."""
        if not self.free and replays_run() and in_replay():
            raise LiveCallRefused(kind, "the live world, by a declared boundary,")

    def _kept(self, outcome: Any) -> object:
        kept = outcome if self.encode is None else self.encode(outcome)
        known = (self.kind, type(kept))
        if type(kept) not in PLAIN and known not in _checked and len(_checked) < _MOST:
            _checked.add(known)
            with mask():
                self._check(kept)
        return kept

    def _check(self, kept: object) -> None:
        """Say once for each type of outcome that it will not come back as it was."""
        back = codec.decode(codec.encode(kept))
        if holds_opaque(back):
            trouble = "can't be recorded, so that replay will end there"
        elif type(back) is not type(kept):
            trouble = f"comes back from a recording as {type(back).__name__}"
        else:
            return
        _logger.warning(
            "retrace: what %s returns, %s.%s, %s; declare encode= and decode= for it",
            self.kind,
            type(kept).__module__,
            type(kept).__qualname__,
            trouble,
        )

    def _given(self, lane: Lane, kind: str, key: object, kept: Any) -> Any:
        if holds_opaque(kept):
            raise lane.scope.diverge(
                lane,
                kind,
                key,
                "what it returned could not be recorded; declare encode= and decode= for it, and"
                " record again",
            )
        return self._restored(kept)

    def _restored(self, kept: Any) -> Any:
        if self.decode is not None:
            return self.decode(kept)
        # The application may change it, and not the recording.
        return kept if type(kept) in PLAIN else copy.deepcopy(kept)


def holds_opaque(value: Any) -> bool:
    """Return True for a decoded value of which a part could not be recorded."""
    kind = type(value)
    if kind in PLAIN:
        return False
    if kind is dict:
        return any(holds_opaque(one) for pair in value.items() for one in pair)
    if kind in (list, tuple, set, frozenset):
        return any(map(holds_opaque, value))
    return kind is Opaque


def declared_kinds() -> frozenset[str]:
    """Return the kinds of all declared boundaries of this process."""
    return frozenset(_kinds)


def declared_errors() -> dict[str, type[BaseException]]:
    """Return full name -> exception class that replay may build, of declared boundaries."""
    return {
        f"{cls.__module__}.{cls.__qualname__}": cls for item in _errors for cls in _classes(item)
    }


def _classes(item: str | type[BaseException]) -> Iterator[type[BaseException]]:
    if not isinstance(item, str):
        yield item
        for cls in item.__subclasses__():
            yield from _classes(cls)
        return
    module = sys.modules.get(item)
    for value in list(vars(module).values()) if module is not None else ():
        # Not `isinstance`: that would wake lazy objects up.
        if issubclass(type(value), type) and issubclass(value, BaseException):
            yield value
