"""numpy.random: what the global generator drew comes back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_draws_come_back(recordings: Path) -> None:
    """Single numbers, arrays, a choice, a shuffle in place, and a generator of one's own."""

    def view() -> dict[str, Any]:
        shuffled = numpy.arange(20)
        numpy.random.shuffle(shuffled)
        return {
            "one": numpy.random.rand(),
            "many": numpy.random.randint(0, 10**9, size=5).tolist(),
            "normal": numpy.random.normal(size=(2, 2)).tolist(),
            "choice": str(numpy.random.choice(["a", "b", "c"])),
            "shuffled": shuffled.tolist(),
            "own": numpy.random.default_rng().random(3).tolist(),
        }

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200
    assert_identical(recording, app)


@pytest.mark.parametrize("how", ["import numpy.random", "from numpy import random", "import numpy"])
def test_however_it_is_imported_it_is_hooked(how: str) -> None:
    """The boundary is in place after the application's own import, and without a fault."""
    code = (
        f"from retrace_core import installer, stats\ninstaller.install()\n{how}\n"
        "import numpy\nassert hasattr(numpy.random.rand, '__wrapped__')\n"
        "assert 'numpy.random' in installer.installed(), installer.failures()\n"
        "assert not [name for name in stats() if name.startswith('faults')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
