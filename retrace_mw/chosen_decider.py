"""Chosen decider: the one in force, from what code and settings say, and what has no effect."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_core.setting_rows.decision_settings import HEALTH
from retrace_mw.deciders import SampleRate, TraceHeader
from retrace_mw.deciders.exclude import Exclude
from retrace_mw.deciders.force import ForceToken
from retrace_mw.deciders.rules import Rules
from retrace_mw.decision import Decider, any_of, checked_decider
from retrace_mw.expression import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.settings import Settings

__all__ = ["Choice", "choose", "parts_of"]

_logger = logging.getLogger("retrace")

_DECIDING = ("decide", "rules", "sample_rate", "trace_header_per_s")
"""The settings that only a decider made of settings asks."""
_FORCING = ("force_secret", "unsigned_force_per_s")
_BASIS = (*_DECIDING, *_FORCING, "exclude", "service", "force_token_per_s")


@dataclass(frozen=True, slots=True)
class Choice:
    """The decider in force, and what it was made of."""

    decider: Decider
    basis: tuple[object, ...]
    """Equal bases make equal deciders."""
    idle: tuple[str, ...] = ()
    """Settings that were given and have no effect."""


def choose(settings: Settings, decide: Decider | None, before: Choice | None = None) -> Choice:
    """Return the decider in force.

    `decide` given in code goes before the setting `decide`, and that before the decider made
    of `rules` and `sample_rate`. Above each of them is `exclude`.

    Args:
        settings: the settings.
        decide: the decider given in code, if one is.
        before: the choice that this one replaces; of equal settings its decider stays, with
            what it remembers.

    Raises:
        ConfigurationError: a setting is wrong, or two of one origin contradict each other.
    """
    basis = (*(getattr(settings, name) for name in _BASIS), _is_usual_rate(settings), decide)
    if before is not None and before.basis == basis:
        return before
    if decide is not None:
        checked_decider("decide", decide)
    chosen, used, winner = decide, frozenset[str](), "decide in code"
    origin = "argument"
    if decide is None and settings.decide:
        parsed = parse(settings.decide, settings)
        chosen, used = parsed.decider, parsed.used
        winner, origin = f"decide={settings.decide!r}", settings.origin("decide")
    idle: tuple[str, ...] = ()
    if chosen is None:
        chosen = default_decider(settings)
        tokens = [one for one in parts_of(chosen) if isinstance(one, ForceToken)]
    else:
        tokens = [one for one in parts_of(chosen) if isinstance(one, ForceToken)]
        names = [name for name in _DECIDING[decide is None :] if name not in used]
        idle = _idle(settings, winner, origin, [*names, *([] if tokens else _FORCING)])
    for token in tokens:
        token.service = token.service or settings.service
    force = tokens[0] if tokens else None
    decider: Any = chosen
    if settings.exclude:
        but_first = HEALTH if settings.origin("exclude") == "default" else ()
        decider = Exclude(chosen, settings.exclude, force=force, but_first=but_first)
    if idle and (before is None or before.idle != idle):
        _logger.warning("retrace: %s has no effect beside %s", ", ".join(idle), winner)
    return Choice(decider, basis, idle)


def default_decider(settings: Settings) -> Decider:
    """Return the decider for those who give none.

    Any with X-Trace-ID, or a force token when there is a secret; else what the rules say; and
    where none of them matches the sample rate. A rate that nobody has set leaves out what the
    caller says it does not record; one of the user's own is meant as it is.
    """
    otherwise: Decider = SampleRate(settings.sample_rate, heed_no=_is_usual_rate(settings))
    last = Rules(settings.rules, otherwise=otherwise) if settings.rules else otherwise
    force = _force_token(settings)
    header = TraceHeader(per_s=settings.trace_header_per_s)
    return any_of(header, last) if force is None else any_of(header, force, last)


def _is_usual_rate(settings: Settings) -> bool:
    return settings.origin("sample_rate") == "default"


def _force_token(settings: Settings) -> ForceToken | None:
    if not settings.force_secret and not settings.unsigned_force_per_s:
        return None
    return ForceToken(
        secret=settings.force_secret,
        service=settings.service,
        per_s=settings.force_token_per_s,
        unsigned_per_s=settings.unsigned_force_per_s,
    )


def _idle(settings: Settings, winner: str, origin: str, names: Any) -> tuple[str, ...]:
    """Return the settings among `names` that were given in vain.

    Two of one hand contradict each other, and that is an error; an image, say, that sets
    RETRACE_SAMPLE_RATE for all services is only worth a warning.
    """
    kind = origin.partition(" ")[0]
    idle = [name for name in names if settings.origin(name) != "default"]
    for name in idle:
        if settings.origin(name).partition(" ")[0] == kind:
            allowed = f"it inside of decide, or leave it out: {winner} does not ask it"
            value = "(hidden)" if name == "force_secret" else getattr(settings, name)
            raise ConfigurationError(name, value, allowed, settings.origin(name))
    return tuple(idle)


def parts_of(decider: Any) -> Iterator[Any]:
    """Return a decider and all that it is made of."""
    yield decider
    inner = [getattr(decider, name, None) for name in ("decider", "otherwise", "force")]
    for one in (*getattr(decider, "deciders", ()), *inner):
        if one is not None:
            yield from parts_of(one)
