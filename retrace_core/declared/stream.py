"""Declared stream: a generator as a boundary; each item is an event.

The first event has the kind of the boundary and what was asked; each later one says which item
it is of what, so that two streams side by side can't be taken for each other. What is sent or
thrown in is part of what is asked. On replay the generator's own code does not run.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt, attempt_async, running_replays
from retrace_core.checksum import checksum_of
from retrace_core.codec import UnknownRecordedException, encode
from retrace_core.declared.key import settled
from retrace_core.lanes import mask
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from retrace_core.declared.key import Asking
    from retrace_core.declared.switch import Declaration

__all__ = ["declared_async_stream", "declared_stream"]

Step = tuple[bool, Any]
"""Whether the generator ended, and the item, or what it returned."""


class _Stream:
    """One iteration: which step comes, and what it asks."""

    def __init__(self, declaration: Declaration, asked: Callable[[], object]) -> None:
        self.declaration = declaration.of_steps()
        self.kind = declaration.kind
        self._asked = asked
        self._check = ""
        self._steps = 0

    def key(self, *sent: object) -> object:
        """Return what the step asks."""
        number, self._steps = self._steps, self._steps + 1
        if number:
            return [self._check, number, *map(settled, sent)]
        key = self._asked()
        self._check = checksum_of(encode(key))
        return key


def declared_stream(
    declaration: Declaration, function: Callable[..., Any], asked: Asking
) -> Callable[..., Any]:
    """Return a generator function with each item of it recorded and replayed."""

    @functools.wraps(function)
    def streaming(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        if current() is None and not running_replays:
            return (yield from function(*args, **kwargs))
        made: list[Generator[Any, Any, Any]] = []
        stream = _Stream(declaration, lambda: asked(args, kwargs))

        def step(kind: str, move: Callable[..., Any], *sent: Any) -> Step:
            def live() -> Step:
                if not made:
                    made.append(function(*args, **kwargs))
                try:
                    return False, move(made[0], *sent)
                except StopIteration as end:
                    return True, end.value

            return stream.declaration.answer(kind, lambda: stream.key(*sent), live)

        ended, item = step(stream.kind, next)
        while not ended:
            try:
                sent = yield item
            except GeneratorExit:
                _close(stream.kind, made)
                raise
            except BaseException as error:  # noqa: BLE001  # thrown in: the generator's to handle
                try:
                    ended, item = step(f"{stream.kind}.throw", _throw, error)
                except BaseException as out:
                    raise _same(error, out) from None
            else:
                if sent is None:
                    ended, item = step(f"{stream.kind}.next", next)
                else:
                    ended, item = step(f"{stream.kind}.send", _send, sent)
        return item

    return streaming


def declared_async_stream(
    declaration: Declaration, function: Callable[..., Any], asked: Asking
) -> Callable[..., Any]:
    """Return an async generator function with each item of it recorded and replayed."""

    @functools.wraps(function)
    async def streaming(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        made: list[AsyncGenerator[Any, Any]] = []
        stream = _Stream(declaration, lambda: asked(args, kwargs))

        async def step(kind: str, move: Callable[..., Awaitable[Any]], *sent: Any) -> Step:
            async def live() -> Step:
                if not made:
                    made.append(function(*args, **kwargs))
                try:
                    return False, await move(made[0], *sent)
                except StopAsyncIteration:
                    return True, None

            if current() is None and not running_replays:
                return await live()
            return await stream.declaration.answer_async(kind, lambda: stream.key(*sent), live)

        ended, item = await step(stream.kind, anext)
        while not ended:
            try:
                sent = yield item
            except GeneratorExit:
                await _aclose(stream.kind, made)
                raise
            except BaseException as error:  # noqa: BLE001  # thrown in, as above
                try:
                    ended, item = await step(f"{stream.kind}.throw", _athrow, error)
                except BaseException as out:
                    raise _same(error, out) from None
            else:
                if sent is None:
                    ended, item = await step(f"{stream.kind}.next", anext)
                else:
                    ended, item = await step(f"{stream.kind}.send", _asend, sent)

    return streaming


def _send(made: Generator[Any, Any, Any], sent: Any) -> Any:
    return made.send(sent)


def _throw(made: Generator[Any, Any, Any], error: BaseException) -> Any:
    return made.throw(error)


def _asend(made: AsyncGenerator[Any, Any], sent: Any) -> Awaitable[Any]:
    return made.asend(sent)


def _athrow(made: AsyncGenerator[Any, Any], error: BaseException) -> Awaitable[Any]:
    return made.athrow(error)


def _same(thrown: BaseException, out: BaseException) -> BaseException:
    """Return the exception that was thrown in when it is the one that comes out.

    `contextlib` asks for the very object; one from a recording is made anew.
    """
    name = f"{type(thrown).__module__}.{type(thrown).__qualname__}"
    known = isinstance(out, UnknownRecordedException) and out.name == name
    same = known or (type(out) is type(thrown) and out.args == thrown.args)
    return thrown if same else out


def _close(kind: str, made: list[Generator[Any, Any, Any]]) -> None:
    def close() -> None:
        for one in made:
            one.close()

    lane = current()
    if lane is not None:
        attempt(lane, f"{kind}.close", None, close)
        return
    with mask():
        close()


async def _aclose(kind: str, made: list[AsyncGenerator[Any, Any]]) -> None:
    async def close() -> None:
        for one in made:
            await one.aclose()

    lane = current()
    if lane is not None:
        await attempt_async(lane, f"{kind}.close", None, close)
        return
    with mask():
        await close()
