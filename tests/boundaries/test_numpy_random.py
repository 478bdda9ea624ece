"""numpy.random: what the global generator drew comes back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from tests.recorded import identical_body, record_wsgi

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
    identical_body(recording, app)


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


def test_the_generator_that_libraries_take_by_its_name(recordings: Path) -> None:
    """As scikit-learn's and SciPy's `check_random_state(None)` do."""

    def view() -> dict[str, Any]:
        generator: Any = numpy.random.mtrand._rand  # type: ignore[attr-defined]
        shuffled = numpy.arange(20)
        generator.shuffle(shuffled)
        return {
            "is one": isinstance(generator, numpy.random.RandomState),
            "one": generator.random_sample(),
            "many": generator.randint(10**9, size=5).tolist(),
            "most": generator.tomaxint(),
            "shuffled": shuffled.tolist(),
            "between": numpy.random.standard_normal(),
        }

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


_BARE_OR_HOOKED = """
import sys
from numpy.random import randn  # before anything is hooked
import copy, pickle, numpy
if sys.argv[1] == "hooked":
    from retrace_core import installer
    installer.install()
    assert hasattr(numpy.random.mtrand._rand.randn, "__wrapped__"), installer.failures()
hidden = numpy.random.mtrand._rand
said = [randn(), hidden.randn(), numpy.random.randn()]
numpy.random.seed(7)  # one of two normal numbers is left over, and must be forgotten
said += [randn(), hidden.randn(), numpy.random.randn(), hidden.normal()]
state = numpy.random.get_state()
said += [hidden.rand(), pickle.loads(pickle.dumps(hidden)).rand(), copy.deepcopy(hidden).rand()]
hidden.set_state(state)
said += [hidden.rand(), numpy.random.randint(99), str(hidden)]
if hasattr(numpy.random, "set_bit_generator"):
    numpy.random.set_bit_generator(numpy.random.PCG64(5))
    said += [numpy.random.mtrand._rand.rand(), numpy.random.rand(), randn()]
print(said[3:])
"""


def test_it_draws_as_the_hidden_one_would() -> None:
    """With functions that were imported before, seeds, states, copies, other bit generators."""
    said = [
        subprocess.run(
            [sys.executable, "-c", _BARE_OR_HOOKED, how], capture_output=True, text=True, timeout=60
        )
        for how in ("bare", "hooked")
    ]
    assert said[0].returncode == 0, said[0].stderr
    assert said[0].stdout == said[1].stdout, said[1].stderr
