"""Fidelity with services: many requests at once replay identically."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.fidelity_services import measure

if TYPE_CHECKING:
    from pathlib import Path


def test_all_of_many_requests_at_once_replay_identically(tmp_path: Path) -> None:
    """Fifty at once, all recorded; then every server ended and what it kept deleted."""
    found = measure(tmp_path, 150, 50, 2, "none")
    assert found.recorded == 151
    missed = [
        (one["path"], one.get("summary") or one.get("unusable"), one["file"])
        for one in found.verified["replays"]
        if not one["exact"]
    ]
    assert missed == []
    assert {200, 201, 500} <= set(found.answered)
