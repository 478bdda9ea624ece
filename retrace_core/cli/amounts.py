"""Amounts: spans of time, sizes and tags as options write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from retrace_core.setting_rows.amount import parse_size, parse_span

__all__ = ["Size", "Span", "TagPair"]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType


class Span(_ParamType):
    """A span of time, in nanoseconds: "250ms", "1s", "30m", "12h", "30d", "4w"."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in nanoseconds."""
        if isinstance(value, int):
            return value
        found = parse_span(value)
        if not found:
            self.fail(f"{value!r} is no span of time: use 250ms, 1s, 30m, 12h or 30d", param, ctx)
        return found


class Size(_ParamType):
    """A size, in bytes: "4096", "10kB", "50GB", "1GiB"."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in bytes."""
        if isinstance(value, int):
            return value
        found = parse_size(value)
        if not found:
            self.fail(f"{value!r} is no size: use 4096, 10kB, 50GB or 1GiB", param, ctx)
        return found


class TagPair(_ParamType):
    """A tag, "user=42", as (name, value)."""

    name = "tag"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return its name and its value."""
        if isinstance(value, tuple):
            return str(value[0]), str(value[1])
        name, equals, wanted = value.partition("=")
        if not (name and equals and wanted):
            self.fail(f"{value!r} is no tag: use name=value, as in user=42", param, ctx)
        return name, wanted
