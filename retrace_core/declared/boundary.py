"""Declared: `boundary`, with which an application declares a boundary of its own."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from retrace_core.boundary import running_replays
from retrace_core.declared.key import asking, settled
from retrace_core.declared.stream import declared_async_stream, declared_stream
from retrace_core.declared.switch import Declaration
from retrace_core.errors import ConfigurationError
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core.declared.key import Asking

__all__ = ["AsyncCrossing", "Crossing", "DeclaredBoundary", "boundary"]

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]")


@overload
def boundary(function: F, /) -> F: ...
@overload
def boundary(
    kind: str = "",
    *,
    key: object = None,
    encode: Callable[[Any], object] | None = None,
    decode: Callable[[Any], Any] | None = None,
    errors: tuple[str | type[BaseException], ...] = (),
    free: bool = False,
) -> DeclaredBoundary: ...
def boundary(
    kind: Any = "",
    *,
    key: object = None,
    encode: Callable[[Any], object] | None = None,
    decode: Callable[[Any], Any] | None = None,
    errors: tuple[str | type[BaseException], ...] = (),
    free: bool = False,
) -> Any:
    """Declare that a function, or a block, asks something outside of the application's code.

    For what no boundary of a library covers: a client in C, a cache in the process's memory, a
    device. While a request is recorded, what it returns or raises is recorded; on replay that
    is given back, and it does not run. What it calls inside is part of it, and no event.

    As a decorator, `@boundary` or `@boundary(kind=..., ...)`, on functions, methods, class and
    static methods, coroutine functions, and generators of both kinds (each item is an event).
    As a context manager, for calls that are no function of their own:

        with boundary("pricing.fetch", key=sku) as crossing:
            price = crossing.answer(client.fetch, sku)

    and `async with`, where `answer` takes a coroutine function and is awaited.

    Args:
        kind: names the boundary in recordings, a constant; default: module and name of the
            function.
        key: what is asked, compared on replay. Of a decorator a function that gets the call's
            arguments, `self` included; default: all arguments by their names, without `self`.
            Of a block the value itself.
        encode: what it returned, or each item, to a value that can be recorded; default: as it is.
        decode: that value back to what it returned.
        errors: exception classes that replay may build again, with their subclasses, or names of
            modules whose exceptions it may; those of the function's own module always.
        free: it may be asked more or less often, and in another order, than it was recorded, as
            a cache is: found by its key, and run on replay where there is nothing recorded. Only
            for what stays inside the process.

    Raises:
        ConfigurationError: what is declared is no function, or an option does not fit.
    """
    declared = DeclaredBoundary(
        kind=kind if isinstance(kind, str) else "",
        key=key,
        encode=encode,
        decode=decode,
        errors=errors,
        free=free,
    )
    return declared if isinstance(kind, str) else declared(kind)


class DeclaredBoundary:
    """What `boundary` returns: a decorator, and a context manager, sync and async."""

    __slots__ = ("_decode", "_encode", "_errors", "_free", "_key", "_kind")

    def __init__(
        self,
        *,
        kind: str,
        key: object,
        encode: Callable[[Any], object] | None,
        decode: Callable[[Any], Any] | None,
        errors: tuple[str | type[BaseException], ...],
        free: bool,
    ) -> None:
        self._kind = kind
        self._key = key
        self._encode = encode
        self._decode = decode
        self._errors = _checked_errors(errors)
        self._free = free

    def __call__(self, function: F) -> F:
        """Return the function with its calls recorded and replayed."""
        if isinstance(function, classmethod | staticmethod):
            inner: Any = cast("Any", function).__func__
            return cast("F", type(function)(self(inner)))
        if not callable(function) or isinstance(function, type):
            raise ConfigurationError("boundary", function, "it on a function or method")
        if self._key is not None and not callable(self._key):
            raise ConfigurationError(
                "boundary(key=)", self._key, "a function of the call's arguments"
            )
        declaration = self._declare(self._kind or _kind_of(function), _home(function))
        asked = asking(declaration.kind, function, cast("Any", self._key))
        return cast("F", _wrapped(declaration, function, asked))

    def __enter__(self) -> Crossing:
        """Return what the block gets its answers by."""
        return Crossing(*self._block())

    def __exit__(self, *_: object) -> None:
        """Do nothing: each answer is an event of its own."""

    async def __aenter__(self) -> AsyncCrossing:
        """Return what the block gets its answers by."""
        return AsyncCrossing(*self._block())

    async def __aexit__(self, *_: object) -> None:
        """Do nothing, as `__exit__`."""

    def _block(self) -> tuple[Declaration, object]:
        if not self._kind:
            raise ConfigurationError("boundary(kind=)", "", "a name, which a block has not")
        if callable(self._key):
            raise ConfigurationError("boundary(key=)", self._key, "what is asked, in a block")
        return self._declare(self._kind, ""), self._key

    def _declare(self, kind: str, home: str) -> Declaration:
        declaration = Declaration(
            kind=kind, encode=self._encode, decode=self._decode, free=self._free
        )
        declaration.register((*self._errors, home) if home else self._errors)
        return declaration


class _Block:
    """What both kinds of block have in common."""

    __slots__ = ("_declaration", "_key")

    def __init__(self, declaration: Declaration, key: object) -> None:
        self._declaration = declaration
        self._key = key

    def _asked(self) -> object:
        # Never None: an event without a key is part of the answer to the one before it.
        return "" if self._key is None else settled(self._key)


class Crossing(_Block):
    """Gives a block its answers: live, recorded, or from the recording."""

    __slots__ = ()

    def answer(self, live: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `live(*args, **kwargs)` returns; on replay it is not called."""
        declared = self._declaration
        return declared.answer(declared.kind, self._asked, functools.partial(live, *args, **kwargs))


class AsyncCrossing(_Block):
    """The same in an `async with`."""

    __slots__ = ()

    async def answer(
        self, live: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `await live(*args, **kwargs)` returns; on replay it is not called."""
        declared = self._declaration
        return await declared.answer_async(
            declared.kind, self._asked, functools.partial(live, *args, **kwargs)
        )


def _wrapped(declaration: Declaration, function: Callable[..., Any], asked: Asking) -> Any:
    if inspect.isgeneratorfunction(function):
        return declared_stream(declaration, function, asked)
    if inspect.isasyncgenfunction(function):
        return declared_async_stream(declaration, function, asked)
    kind = declaration.kind
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asking_async(*args: Any, **kwargs: Any) -> Any:
            if current() is None and not running_replays:
                return await function(*args, **kwargs)
            live = functools.partial(function, *args, **kwargs)
            return await declaration.answer_async(kind, lambda: asked(args, kwargs), live)

        return asking_async

    @functools.wraps(function)
    def asking_once(*args: Any, **kwargs: Any) -> Any:
        if current() is None and not running_replays:
            return function(*args, **kwargs)
        live = functools.partial(function, *args, **kwargs)
        return declaration.answer(kind, lambda: asked(args, kwargs), live)

    return asking_once


def _kind_of(function: Any) -> str:
    function = getattr(function, "func", function)  # of a partial
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{_home(function)}.{name}"


def _home(function: Any) -> str:
    """Return the module of a function, also of one that runs as a script: replay imports it."""
    home = getattr(getattr(function, "func", function), "__module__", None) or "?"
    if home != "__main__":
        return str(home)
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    return os.path.splitext(os.path.basename(file))[0] if file else home


def _checked_errors(errors: Any) -> tuple[str | type[BaseException], ...]:
    given = errors if isinstance(errors, tuple) else (errors,)
    for one in given:
        if not isinstance(one, str) and not (
            isinstance(one, type) and issubclass(one, BaseException)
        ):
            raise ConfigurationError(
                "boundary(errors=)", one, "exception classes, or names of modules"
            )
    return given
