"""A lane hook is called in a lane, and is out of the way outside of one."""

from __future__ import annotations

import copy
import inspect
import sys
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import native
from retrace_core.lane_hook import lane_hook
from retrace_core.native import LANE, RECORD, Lane, ScopeState

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    native.IMPLEMENTATION != "c", reason="without C the hook itself is what is put in place"
)


@pytest.fixture
def in_lane() -> Iterator[None]:
    """Run the test in a lane of a recording."""
    native.arm(1)
    token = LANE.set(Lane(ScopeState(), RECORD))
    yield
    LANE.reset(token)
    native.arm(-1)


@pytest.fixture
def beside() -> Iterator[None]:
    """Run the test in no lane, while another request is recorded."""
    native.arm(1)
    yield
    native.arm(-1)


class Shop:
    """Has a method that is hooked."""

    def price(self, fruit: str, *, times: int = 1) -> str:
        """Return the price."""
        return f"{fruit} x {times}, asked by {sys._getframe(1).f_code.co_name}"


def _hooked(self: Any, fruit: str, *, times: int = 1) -> str:
    return f"hooked {fruit} x {times}, asked by {sys._getframe(1).f_code.co_name}"


def hooked_shop(*, anywhere: bool = False) -> Any:
    """Return a shop of a class whose method is hooked."""
    hooked = lane_hook(Shop.price, _hooked, anywhere=anywhere)
    return type("Shop", (Shop,), {"price": hooked})()


def test_outside_of_a_lane() -> None:
    """What is hooked is called, as if by the caller itself."""
    shop = hooked_shop()
    asked_by = f"asked by {test_outside_of_a_lane.__name__}"
    assert shop.price("pear") == f"pear x 1, {asked_by}"
    assert shop.price("pear", times=2) == f"pear x 2, {asked_by}"
    bound = shop.price
    assert bound("plum") == f"plum x 1, {asked_by}"


@pytest.mark.usefixtures("in_lane")
def test_in_a_lane() -> None:
    """The hook is called in its place."""
    shop = hooked_shop()
    asked_by = f"asked by {test_in_a_lane.__name__}"
    assert shop.price("pear", times=3) == f"hooked pear x 3, {asked_by}"
    assert type(shop).price(shop, "plum") == f"hooked plum x 1, {asked_by}"


@pytest.mark.usefixtures("beside")
def test_beside_a_recording() -> None:
    """Another request is not this one, save for hooks that have something to do anywhere."""
    assert hooked_shop().price("pear").startswith("pear")
    assert hooked_shop(anywhere=True).price("pear").startswith("hooked")


def test_errors() -> None:
    """Exceptions, and wrong arguments, come from what is hooked."""
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'fruit'"):
        hooked_shop().price()


def price(fruit: str) -> str:
    """Return the price."""
    return fruit


price = lane_hook(price, _hooked)  # as it stands in its module then


def test_looks_like_what_it_hooks() -> None:
    """It has the name and the signature of a function, and is copied as one."""
    hooked: Any = price
    hooked.colour = "green"
    assert (hooked.__name__, hooked.colour) == ("_hooked", "green")
    assert list(inspect.signature(hooked_shop().price).parameters) == ["fruit", "times"]
    assert copy.deepcopy(hooked) is hooked
    assert weakref.ref(hooked)() is hooked
