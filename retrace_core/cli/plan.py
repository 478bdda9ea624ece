"""The command `plan`: how much recordings will be, and what keeping them costs."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrace_core.capacity import MEASURED_BYTES, Load, Sizes, cost, read_prices, sizes_of
from retrace_core.cli.amounts import Size, Span
from retrace_core.cli.cataloged import opened_store
from retrace_core.cli.screen import Screen, print_json
from retrace_core.cli.words import plural, size
from retrace_core.errors import RecordingNotFound
from retrace_core.retention import policy_of
from retrace_core.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.capacity import Cost, Prices

__all__ = ["command"]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

_DAY_NS = 86400 * 10**9
_DAYS = 30.0
_MOST_LOOKED_AT = 100_000


class Share(_ParamType):
    """A share of all: "0.1" or "10%"."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return it as a number from 0 to 1."""
        if isinstance(value, float):
            return value
        text = value.removesuffix("%")
        try:
            number = float(text) / (100 if text != value else 1)
        except ValueError:
            number = math.nan
        if not 0 <= number <= 1:
            self.fail(f"{value!r} is no share: use 0.1 or 10%", param, ctx)
        return number


@click.command(
    name="plan",
    short_help="How much recordings will be, and what they cost.",
    epilog="""\b
Examples:
  retrace plan --rps 100 --rate 10%
  retrace plan --rps 2000 --rate 1% --from recordings --retention 14d
  retrace plan --rps 100 --rate 10% --budget 20 --prices mine.toml
""",
)
@click.option(
    "--rps",
    type=click.FloatRange(min=0, min_open=True, max=1e9),
    required=True,
    help="Requests a second, of all processes together.",
)
@click.option("--rate", metavar="SHARE", type=Share(), required=True, help="Kept of them: 10%.")
@click.option(
    "--from",
    "source",
    metavar="STORE",
    help="Take the sizes of the recordings in this folder or URL.",
)
@click.option("--size", "given_size", metavar="SIZE", type=Size(), help="Or of this size each.")
@click.option(
    "--retention",
    metavar="AGE",
    type=Span(),
    help="How old they become; default: RETRACE_RETENTION_AGE, else 30d.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, max=1e12),
    help="A month, in the currency of the prices: how long may they be kept?",
)
@click.option(
    "--per-pack",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="Recordings in a pack.",
)
@click.option(
    "--fetched",
    metavar="SHARE",
    type=Share(),
    default=0.001,
    show_default=True,
    help="Of the recordings that somebody fetches.",
)
@click.option(
    "--prices",
    "price_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A table of prices instead of ours.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    rps: float,
    rate: float,
    source: str | None,
    given_size: int | None,
    retention: int | None,
    budget: float | None,
    per_pack: int,
    fetched: float,
    price_file: Path | None,
    as_json: bool,
) -> int:
    """Estimate bytes an hour, what a month costs in each cloud, and what a budget buys.

    Without --from and --size a recording has the size that we measured, of a checkout in an online
    shop: take your own. The prices are a table with a date; --prices takes a copy that you edited.
    """
    if math.isnan(rps) or math.isnan(budget or 0):
        raise click.UsageError("--rps and --budget are numbers, and nan is none")
    if source is not None and given_size is not None:
        raise click.UsageError("give --from or --size, not both")
    sizes = _sizes(source) if source is not None else Sizes(0, given_size or MEASURED_BYTES)
    prices = read_prices(price_file) if price_file else read_prices()
    age_ns = retention or policy_of(resolve()).age_ns or int(_DAYS * _DAY_NS)
    days = age_ns / _DAY_NS
    load = Load(rps=rps, rate=rate, mean_bytes=sizes.mean, per_pack=per_pack, fetched=fetched)
    costs = [cost(cloud, load, days=days, budget=budget) for cloud in prices.clouds]
    assumed = [*_assumed(sizes, load, source, given_size), *prices.assumptions]
    if as_json:
        print_json(_document(sizes, load, days, prices, costs, assumed))
        return 0
    _show(load, days, prices, costs, budget)
    screen = Screen()
    screen.heading("Assumed")
    for one in assumed:
        screen.line(f"  {one}")
    return 0


def _sizes(source: str) -> Sizes:
    store = opened_store(source)
    found = [one.size_bytes for one in itertools.islice(store.list(), _MOST_LOOKED_AT)]
    if not found:
        raise RecordingNotFound(f"{store.url} holds no recordings; give --size, or another --from")
    return sizes_of(found)


def _assumed(sizes: Sizes, load: Load, source: str | None, given_size: int | None) -> Iterator[str]:
    if source is not None:
        yield (
            f"{plural(sizes.count, 'recording')} of {source}: mean {size(round(sizes.mean))},"
            f" median {size(sizes.median)}, 95 of 100 up to {size(sizes.p95)}, most"
            f" {size(sizes.most)}"
        )
    elif given_size is None:
        yield f"a recording has {MEASURED_BYTES:,} bytes, our checkout; --from takes yours"
    yield "traffic is the same at every hour; what retries and boot tapes add is left out"
    yield f"a pack holds {load.per_pack} recordings; packs come at high rates only"
    yield f"{load.fetched:.3%} of the recordings are fetched, over the internet"


def _show(load: Load, days: float, prices: Prices, costs: list[Cost], budget: float | None) -> None:
    screen = Screen()
    screen.pairs(
        [
            (
                "kept",
                f"{load.per_second:g} recordings a second, {load.per_month / 1e6:.1f} million"
                " a month",
            ),
            (
                "comes in",
                f"{size(round(load.bytes_per_hour))} an hour,"
                f" {size(round(load.held_bytes(1)))} a day",
            ),
            ("is held", f"{size(round(load.held_bytes(days)))} with a retention of {days:g} days"),
        ],
        indent="",
    )
    screen.heading(f"A month, in {prices.currency}, by prices of {prices.date}")
    columns = ["", "STORAGE", "PUT EACH", "PUT IN PACKS", "FETCHING", "TOTAL EACH", "IN PACKS"]
    if budget is not None:
        columns += ["DAYS EACH", "DAYS IN PACKS"]
    screen.table(columns, [_row(one, budget) for one in costs], folding=("",))
    if budget is not None:
        screen.line(
            f"DAYS: the retention that {budget:g} {prices.currency} a month buys; 0: not even the"
            " requests, without any storage"
        )


def _row(one: Cost, budget: float | None) -> list[str]:
    row = [
        one.cloud.name,
        *(
            f"{amount:,.2f}"
            for amount in (
                one.storage,
                one.put_each,
                one.put_packed,
                one.fetching,
                one.each,
                one.packed,
            )
        ),
    ]
    if budget is not None:
        row += [f"{days:,.0f}" for days in (one.days_each, one.days_packed) if days is not None]
    return row


def _document(
    sizes: Sizes, load: Load, days: float, prices: Prices, costs: list[Cost], assumed: list[str]
) -> dict[str, Any]:
    def finite(number: float | None) -> float | None:
        return number if number is None or math.isfinite(number) else None

    return {
        "recordings_per_second": load.per_second,
        "recordings_per_month": load.per_month,
        "mean_bytes": sizes.mean,
        "looked_at": sizes.count,
        "bytes_per_hour": load.bytes_per_hour,
        "retention_days": days,
        "held_bytes": load.held_bytes(days),
        "currency": prices.currency,
        "prices_of": prices.date,
        "clouds": {
            one.cloud.key: {
                "storage": one.storage,
                "put_each": one.put_each,
                "put_packed": one.put_packed,
                "fetching": one.fetching,
                "total_each": one.each,
                "total_packed": one.packed,
                "days_each": finite(one.days_each),
                "days_packed": finite(one.days_packed),
            }
            for one in costs
        },
        "assumed": assumed,
    }
