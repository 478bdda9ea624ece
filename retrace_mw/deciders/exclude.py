"""Exclude: what is never recorded, above the deciders: health checks, static files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import Decider, Decision, awaits, to_call
from retrace_mw.explanation import Explanation, explain, not_asked
from retrace_mw.glob import compile_globs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_mw.request import RequestView

__all__ = ["Exclude"]


class Exclude:
    """Asks a decider about all requests but those of some paths.

    Args:
        decider: asked about all others.
        paths: patterns of paths, "*" for any text: "/healthz", "/static/*".
        force: asked about the excluded ones; a "yes" of it overrules.
        but_first: those of the patterns of which the first request in a process is not left
            out. A service is asked for its health before all else, and keeps what it makes then.

    Raises:
        ConfigurationError: a pattern can't match a path.
    """

    __slots__ = (
        "_call",
        "_exact",
        "_matches",
        "_no",
        "_prefixes",
        "_unseen",
        "_unseen_exact",
        "decider",
        "force",
        "is_async",
        "paths",
    )

    def __init__(
        self,
        decider: Decider,
        paths: Iterable[str],
        *,
        force: Decider | None = None,
        but_first: Iterable[str] = (),
    ) -> None:
        self.decider = decider
        self.paths = tuple(paths)
        self.force = force
        self.is_async = awaits(decider)
        self._call = to_call(decider)
        for path in self.paths:
            if not path or path[0] not in "/*" or "?" in path:
                allowed = "patterns of paths that begin with / or *, as in /static/*"
                raise ConfigurationError("exclude", path, allowed)
        # Most are exact or end in a star, which takes less time than an expression.
        self._exact = frozenset(path for path in self.paths if "*" not in path)
        self._prefixes = tuple(path[:-1] for path in self.paths if path.find("*") == len(path) - 1)
        rest = [path for path in self.paths if "*" in path[:-1]]
        self._matches = compile_globs(rest).fullmatch if rest else None
        first = frozenset(but_first)
        self._unseen = {path: compile_globs([path]).fullmatch for path in first - self._exact}
        self._unseen_exact = set(first & self._exact)
        self._no = Decision("no", "the path is excluded", "Exclude")

    def __repr__(self) -> str:
        return f"Exclude({self.decider!r}, {list(self.paths)!r})"

    def __call__(self, request: RequestView) -> Any:
        """Return no for an excluded path, else what the decider says."""
        if not self._excludes(request.path) or self._is_first(request.path):
            return self._call(request)
        if self.force is not None:
            decision: Any = self.force(request)
            if decision.verdict == "yes":
                return decision
        return self._no

    def explain(self, request: RequestView) -> Explanation:
        """Return whether the path is excluded, and what the decider says if not."""
        if not self._excludes(request.path):
            return explain(self.decider, request)
        forced = () if self.force is None else (explain(self.force, request),)
        decision: Decision = self._no
        verdict, reason = decision.verdict, f"{decision.reason}: {request.path}"
        if forced and forced[0].verdict == "yes":
            verdict, reason = "yes", forced[0].reason
        return Explanation("Exclude", verdict, reason, (*forced, not_asked(self.decider)))

    def _is_first(self, path: str) -> bool:
        """Return True once for each pattern, in each process: a fork has a set of its own."""
        if path in self._unseen_exact:
            self._unseen_exact.discard(path)
            return True
        for pattern, matches in tuple(self._unseen.items()):
            if matches(path) is not None:
                return self._unseen.pop(pattern, None) is not None
        return False

    def _excludes(self, path: str) -> bool:
        if path in self._exact or path.startswith(self._prefixes):
            return True
        return self._matches is not None and self._matches(path) is not None
