"""Toggle: recording is switched off and on while real workers serve, and no request fails."""

from __future__ import annotations

import pytest

from benchmarks.toggle import ALLOWED_S, SWITCHES, measure


@pytest.mark.parametrize("switch", SWITCHES)
def test_switching_under_load_fails_no_request(switch: str) -> None:
    """Two gunicorn workers of eight threads: both follow, within 5 s."""
    outcome = measure(switch, rate=60, settled_s=0.3)
    assert outcome.failed == []
    assert outcome.requests > 20
    assert max(outcome.off_s, outcome.on_s) <= ALLOWED_S
