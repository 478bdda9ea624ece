"""Capacity: how much recordings will be, and what keeping them costs.

estimate.py  from rate and size to bytes, costs and retention
prices.py    what clouds ask for, by a table that the user may replace
prices.toml  the table that comes along
"""

from __future__ import annotations

from retrace_core.capacity.estimate import MEASURED_BYTES, Cost, Load, Sizes, cost, sizes_of
from retrace_core.capacity.prices import Prices, read_prices

__all__ = ["MEASURED_BYTES", "Cost", "Load", "Prices", "Sizes", "cost", "read_prices", "sizes_of"]
