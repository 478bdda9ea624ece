"""Recorded against replayed: the report as a file, and beside each other on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHANGED = "SELECT name, price, 7 FROM items WHERE price > ?"


def test_report_as_json(shop: Callable[..., Any], tmp_path: Path) -> None:
    """Lines of the body that differ stand beside each other."""
    file = tmp_path / "report.json"
    done = shop("replay", "trace-buy/shop", "--report", file, env={"SHOP_EXTRA": "1"})
    assert done.returncode == 1
    pairs = json.loads(file.read_text())["side_by_side"]["Body"]
    assert {"recorded": None, "replayed": '  "extra": 1', "note": ""} in pairs


def test_report_as_html(shop: Callable[..., Any], tmp_path: Path) -> None:
    """One page with the mode and both statements, and nothing that it must fetch."""
    file = tmp_path / "report.html"
    shop(
        *("replay", "trace-buy/shop", "--mode", "tolerant", "--report", file),
        env={"SHOP_SQL": CHANGED},
    )
    page = file.read_text()
    assert "mode tolerant" in page
    assert "SELECT name, price, 7 FROM items WHERE price &gt; ?" in page
    assert "SELECT name, price FROM items WHERE price &gt; ?" in page
    assert not any(word in page for word in ("src=", "href=", "url(", "@import"))


def test_what_a_request_holds_is_no_markup(shop: Callable[..., Any], tmp_path: Path) -> None:
    """A statement with a tag in it is shown, and not obeyed."""
    file = tmp_path / "report.html"
    sql = "SELECT '<script>alert(1)</script>' FROM items WHERE price > ?"
    shop("replay", "trace-buy/shop", "--report", file, env={"SHOP_SQL": sql})
    assert "<script>" not in file.read_text()
    assert "&lt;script&gt;" in file.read_text()


def test_sensitive_headers_stay_masked(shop: Callable[..., Any], tmp_path: Path) -> None:
    """The files mask as the screen does."""
    for name in ("report.html", "report.json"):
        shop("replay", "trace-buy/shop", "--report", tmp_path / name, env={"SHOP_EXTRA": "1"})
        assert "s3cret" not in (tmp_path / name).read_text()


def test_a_report_of_no_known_form(shop: Callable[..., Any]) -> None:
    """It is refused before anything is replayed."""
    done = shop("replay", "trace-buy/shop", "--report", "report.pdf")
    assert done.returncode == 2
    assert "ends in .json or .html" in done.stderr


def test_tolerant_says_its_mode(shop: Callable[..., Any]) -> None:
    """The mode, what was done, and both statements are in the words of the verdict."""
    done = shop("replay", "trace-buy/shop", "--mode", "tolerant", env={"SHOP_SQL": CHANGED})
    assert done.returncode == 1
    assert "same outcome, other calls  shop  GET /buy" in done.stdout
    assert "mode tolerant" in done.stdout
    assert "the SELECT list changed" in done.stdout
    assert f"asked     sqlite3.execute  {CHANGED}" in done.stdout
