"""How the application is found that a recording is of."""

import gc
import itertools
import sys
from types import ModuleType

import pytest

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


def test_the_outermost_application_gives_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what it wraps, though that was there before; nor what nobody could call."""

    class Pages:
        """What an application is made of, and none itself."""

    class Server:
        def __init__(self, app: object) -> None:
            self.app = app

        def __call__(self) -> None:
            """Serve."""

    shop = ModuleType("shop")
    shop.__file__ = "/srv/shop.py"
    shop.pages, shop.inner = Pages(), Server(None)  # type: ignore[attr-defined]
    shop.outer = Server(shop.inner)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shop", shop)
    assert environment.name_of_app(shop.outer)[0] == "shop:outer"
    assert environment.name_of_app(Server(shop.inner))[0] == "shop:inner"
    assert environment.name_of_app(Server(shop.pages))[0] != "shop:pages"
    assert environment.name_of_app(shop.pages)[0] == "shop:pages"  # as that of a task queue is
