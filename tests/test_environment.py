"""How the application is found that a recording is of."""

import gc
import itertools
import sys
from types import ModuleType

from retrace_core import environment


def app() -> None:
    """Stand for an application."""


def test_while_a_finalizer_imports() -> None:
    """Garbage that is collected during the search may import something."""
    numbers = itertools.count()
    wanted = True

    class Importing:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            name = f"late{next(numbers)}"
            sys.modules[name] = ModuleType(name)
            if wanted:
                Importing()

    thresholds = gc.get_threshold()
    try:
        Importing()
        gc.set_threshold(1)
        found, _ = environment.name_of_app(app)
    finally:
        gc.set_threshold(*thresholds)
        wanted = False
        gc.collect()
        for name in [one for one in sys.modules if one.startswith("late")]:
            del sys.modules[name]
    assert found == "tests.test_environment:app"
    assert next(numbers) > 1
