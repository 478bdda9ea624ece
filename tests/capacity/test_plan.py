"""`retrace plan`: sums that can be done by hand, and prices that are checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.capacity import Load, cost, read_prices, sizes_of
from retrace_core.capacity.prices import OURS, Cloud
from retrace_core.errors import ConfigurationError
from tests.cli.conftest import inside

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inside"]

GB = 1 << 30
SIMPLE = Cloud(
    key="simple",
    name="Simple",
    storage_per_gb_month=1.0,
    put_per_1000=1.0,
    get_per_1000=0.0,
    egress_per_gb=0.0,
)


def load(**more: Any) -> Load:
    """Return one recording of a gigabyte a day, about."""
    fields = {"rps": 1 / 86400, "rate": 1.0, "mean_bytes": GB, "per_pack": 10, "fetched": 0.0}
    return Load(**{**fields, **more})


def test_costs_by_hand() -> None:
    """A gigabyte a day, kept for ten days, costs ten; a PUT each day of the month a thousandth."""
    found = cost(SIMPLE, load(), days=10)
    assert found.storage == pytest.approx(10)
    assert found.put_each == pytest.approx(730 / 24 / 1000)
    assert found.put_packed == pytest.approx(found.put_each / 10)
    assert found.each == pytest.approx(found.storage + found.put_each)
    assert found.days_each is None


def test_a_budget_buys_days() -> None:
    """What is left after the requests goes into storage."""
    assert cost(SIMPLE, load(), days=1, budget=5).days_each == pytest.approx(5, abs=0.1)
    many = load(rps=1000.0, mean_bytes=1.0)
    found = cost(SIMPLE, many, days=1, budget=300_000)
    assert found.days_each == 0
    assert found.days_packed is not None
    assert found.days_packed > 0


@given(
    st.floats(0.001, 1e5),
    st.floats(0, 1),
    st.floats(1, 1e7),
    st.floats(0.1, 1e3),
    st.floats(0, 1e6),
)
def test_days_of_a_budget_cost_the_budget(
    rps: float, rate: float, mean: float, days: float, budget: float
) -> None:
    """The retention that a budget buys costs just that budget."""
    asked = load(rps=rps, rate=rate, mean_bytes=mean, fetched=0.01)
    found = cost(SIMPLE, asked, days=days, budget=budget).days_packed
    assert found is not None
    if 0 < found < float("inf"):
        assert cost(SIMPLE, asked, days=found).packed == pytest.approx(budget)


def test_sizes_of_real_recordings() -> None:
    """Mean, median and percentile."""
    found = sizes_of([1, 2, 3, 94])
    assert (found.mean, found.median, found.p95, found.most) == (25, 3, 94, 94)


def test_the_worked_example(inside: Callable[..., Any]) -> None:
    """100 requests a second, 10 % kept, our measured size: what docs/capacity.md says."""
    plan = json.loads(inside("plan", "--rps", 100, "--rate", "10%", "--json").stdout)
    assert plan["recordings_per_second"] == pytest.approx(10)
    assert plan["bytes_per_hour"] == pytest.approx(10 * 3600 * 1962)
    assert plan["clouds"]["s3"]["put_each"] == pytest.approx(131.40)
    assert plan["clouds"]["s3"]["put_packed"] == pytest.approx(1.314)
    page = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text()
    told = inside("plan", "--rps", 100, "--rate", "10%").stdout
    assert told in page
    assert inside("plan", "--rps", 100, "--rate", "10%", "--budget", 5).stdout in page


def test_sizes_come_from_a_store(inside: Callable[..., Any], tmp_path: Path) -> None:
    """The mean of what is there, and how it was found."""
    for number, size in enumerate((1000, 3000)):
        folder = tmp_path / "recordings" / f"{number:032x}" / "shop"
        folder.mkdir(parents=True)
        (folder / "trace.bin").write_bytes(b"x" * size)
    plan = json.loads(
        inside("plan", "--rps", 1, "--rate", 1, "--from", "recordings", "--json").stdout
    )
    assert (plan["mean_bytes"], plan["looked_at"]) == (2000, 2)
    assert "2 recordings" in plan["assumed"][0]


def test_retention_is_the_setting(inside: Callable[..., Any]) -> None:
    """Where no option says otherwise."""
    asked = ("plan", "--rps", 1, "--rate", 1, "--json")
    days = json.loads(inside(*asked, env={"RETRACE_RETENTION_AGE": "7d"}).stdout)["retention_days"]
    assert days == 7
    assert json.loads(inside(*asked, "--retention", "36h").stdout)["retention_days"] == 1.5


def test_prices_may_be_the_users(inside: Callable[..., Any], tmp_path: Path) -> None:
    """A copy of the table, edited."""
    text = OURS.read_text().replace("[clouds.s3]", "[clouds.own]").replace("0.023", "0.0")
    (tmp_path / "mine.toml").write_text(text)
    done = inside("plan", "--rps", 1, "--rate", 1, "--prices", "mine.toml", "--json")
    assert json.loads(done.stdout)["clouds"]["own"]["storage"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no TOML",
        "clouds = 5",
        "[clouds]",
        "clouds.a = 7",
        '[clouds.a]\nname = "no prices"',
        OURS.read_text().replace("0.023", "-1"),
        OURS.read_text().replace("0.023", "nan"),
        OURS.read_text().replace("0.023", "true"),
        OURS.read_text().replace("0.023", "'cheap'"),
    ],
)
def test_wrong_prices_are_refused(tmp_path: Path, text: str) -> None:
    """The error names the file or the price."""
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError):
        read_prices(file)


@pytest.mark.parametrize(
    "options",
    [
        ["--rps", "100"],
        ["--rps", "0", "--rate", "0.1"],
        ["--rps", "-1", "--rate", "0.1"],
        ["--rps", "nan", "--rate", "0.1"],
        ["--rps", "100", "--rate", "110%"],
        ["--rps", "100", "--rate", "nan"],
        ["--rps", "100", "--rate", "often"],
        ["--rps", "100", "--rate", "0.1", "--from", "/nowhere"],
        ["--rps", "100", "--rate", "0.1", "--size", "huge"],
        ["--rps", "100", "--rate", "0.1", "--size", "1kB", "--from", "."],
        ["--rps", "100", "--rate", "0.1", "--budget", "-5"],
        ["--rps", "100", "--rate", "0.1", "--budget", "nan"],
        ["--rps", "100", "--rate", "0.1", "--prices", "none.toml"],
        ["--rps", "100", "--rate", "0.1", "--retention", "long"],
    ],
    ids=" ".join,
)
def test_bad_input_is_named(inside: Callable[..., Any], options: list[str]) -> None:
    """One line on standard error, and exit status 2."""
    done = inside("plan", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
