"""Estimate: from rate and size of recordings to bytes, costs, and what a budget buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.capacity.prices import Cloud

__all__ = ["MEASURED_BYTES", "Cost", "Load", "Sizes", "cost", "sizes_of"]

MEASURED_BYTES = 1962
"""A checkout in an online shop, as `docs/performance.md` measured it."""
_HOURS = 730
_GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large recordings are, in bytes."""

    count: int
    """How many were looked at; 0: none, the mean is given."""
    mean: float
    median: int = 0
    p95: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is kept."""

    rps: float
    """Requests a second, of all processes together."""
    rate: float
    """The share of them that is kept."""
    mean_bytes: float
    per_pack: int
    """Recordings in one pack."""
    fetched: float
    """The share of recordings that is fetched again."""

    @property
    def per_second(self) -> float:
        """Recordings a second."""
        return self.rps * self.rate

    @property
    def per_month(self) -> float:
        """Recordings in a month."""
        return self.per_second * 3600 * _HOURS

    @property
    def bytes_per_hour(self) -> float:
        """What comes to the store in an hour."""
        return self.per_second * 3600 * self.mean_bytes

    def held_bytes(self, days: float) -> float:
        """Return what the store holds when recordings become so many days old."""
        return self.bytes_per_hour * 24 * days


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one cloud asks for in a month, once the store has filled up."""

    cloud: Cloud
    storage: float
    put_each: float
    """A PUT for each recording."""
    put_packed: float
    """A PUT for each pack."""
    fetching: float
    days_each: float | None
    """The retention that fits the budget with a PUT for each recording; None: there is none."""
    days_packed: float | None

    @property
    def each(self) -> float:
        """All together with a PUT for each recording."""
        return self.storage + self.put_each + self.fetching

    @property
    def packed(self) -> float:
        """All together with packs."""
        return self.storage + self.put_packed + self.fetching


def cost(cloud: Cloud, load: Load, *, days: float, budget: float | None = None) -> Cost:
    """Return what a cloud asks for in a month.

    Args:
        cloud: its prices.
        load: what is kept.
        days: how old recordings become.
        budget: in a month; what it buys is in the answer then.
    """
    put_each = load.per_month / 1000 * cloud.put_per_1000
    put_packed = put_each / load.per_pack
    fetched = load.per_month * load.fetched
    fetching = fetched / 1000 * cloud.get_per_1000
    fetching += fetched * load.mean_bytes / _GB * cloud.egress_per_gb
    day = load.held_bytes(1) / _GB * cloud.storage_per_gb_month

    def fits(put: float) -> float | None:
        if budget is None:
            return None
        left = budget - put - fetching
        return 0.0 if left <= 0 else left / day if day else float("inf")

    return Cost(
        cloud=cloud,
        storage=day * days,
        put_each=put_each,
        put_packed=put_packed,
        fetching=fetching,
        days_each=fits(put_each),
        days_packed=fits(put_packed),
    )


def sizes_of(sizes: Sequence[int]) -> Sizes:
    """Return what is to be known of the sizes of real recordings, one at least."""
    ordered = sorted(sizes)
    return Sizes(
        count=len(ordered),
        mean=sum(ordered) / len(ordered),
        median=ordered[len(ordered) // 2],
        p95=ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
        most=ordered[-1],
    )
