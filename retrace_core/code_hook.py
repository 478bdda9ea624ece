"""Code hook: a function of Python's own that runs other code, whoever holds it.

Not the attribute is replaced but the code of the function, because it is imported by name
everywhere, or is held as a bound method.
"""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["CodeHook", "CodeHooks"]


class CodeHook:
    """Puts the code of one function in the place of another's, and takes it out again.

    Args:
        owner: module or class that has the function.
        stand_in: has the same name and parameters, and calls `_retrace_NAME`, which is a global
            of the other one's module while it is hooked.
        hook: takes a function with the original code, and returns what `_retrace_NAME` is.
    """

    live: Callable[..., Any]
    """While it is in place: the function as it was."""

    def __init__(
        self,
        owner: Any,
        stand_in: Callable[..., Any],
        hook: Callable[[Callable[..., Any]], Callable[..., Any]],
    ) -> None:
        self._owner, self._stand_in, self._hook = owner, stand_in, hook
        self._name = stand_in.__name__
        self._original: CodeType | None = None

    def install(self, _: ModuleType) -> None:
        """Put it in, unless it is in place, or the function is none of Python's."""
        function: Any = getattr(self._owner, self._name)
        if self._original is not None or not isinstance(function, FunctionType):
            return
        self._original = function.__code__
        own = function.__globals__
        self.live = FunctionType(self._original, own, self._name, function.__defaults__)
        own[f"_retrace_{self._name}"] = self._hook(self.live)
        function.__code__ = self._stand_in.__code__

    def remove(self) -> None:
        """Take it out, if it is in place."""
        function: Any = getattr(self._owner, self._name)
        if self._original is not None:
            function.__code__ = self._original
            del function.__globals__[f"_retrace_{self._name}"]
            self._original = None


class CodeHooks:
    """Several of them, put in and taken out together."""

    def __init__(self, *hooks: CodeHook) -> None:
        self._hooks = hooks

    def install(self, module: ModuleType) -> None:
        """Put them in, in their order."""
        for hook in self._hooks:
            hook.install(module)

    def remove(self) -> None:
        """Take them out."""
        for hook in self._hooks:
            hook.remove()
