"""numpy.random's module functions, which draw from one global generator.

`default_rng()` needs nothing: its seed comes by `secrets`, and is recorded there.

Hooks: the module functions, which are bound methods of a hidden generator; and that one itself,
which scikit-learn and SciPy take by its name. Read in numpy 2.4.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

# Not `from numpy import random`: this runs while numpy imports it, before it is its attribute.
random = importlib.import_module("numpy.random")
_mtrand: Any = importlib.import_module("numpy.random.mtrand")

_DRAWS = (
    "beta binomial bytes chisquare choice dirichlet exponential f gamma geometric gumbel"
    " hypergeometric laplace logistic lognormal logseries multinomial multivariate_normal"
    " negative_binomial noncentral_chisquare noncentral_f normal pareto permutation poisson"
    " power rand randint randn random random_integers random_sample ranf rayleigh sample"
    " standard_cauchy standard_exponential standard_gamma standard_normal standard_t"
    " triangular uniform vonmises wald weibull zipf"
).split()


def _nothing() -> Any:
    return None


def _drawing(name: str, draw: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(draw)
    def drawing(*args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return draw(*args, **kwargs)
        return call(lane, f"numpy.random.{name}", None, functools.partial(draw, *args, **kwargs))

    return drawing


def _hooked_shuffle(shuffle: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(shuffle)
    def shuffling(x: Any) -> None:
        lane = current()
        if lane is None:
            return shuffle(x)
        if lane.mode == REPLAY:
            x[:] = call(lane, "numpy.random.shuffle", None, _nothing)
            return None
        return call(lane, "numpy.random.shuffle", None, lambda: shuffle(x), lambda _: x)

    return shuffling


def _hooked_global(hidden: Any) -> Any:
    """Return a generator that does all by the hidden one, and whose draws are events."""
    hooks: dict[str, Callable[[Any], Any]] = {
        name: functools.partial(_drawing, name) for name in (*_DRAWS, "tomaxint")
    }
    hooks["shuffle"] = _hooked_shuffle
    methods: dict[str, Any] = {}
    for name in dir(random.RandomState):
        if not name.startswith("_"):
            method = getattr(hidden, name)
            methods[name] = staticmethod(hooks[name](method) if name in hooks else method)
    return type("RandomState", (random.RandomState,), methods)(hidden._bit_generator)


def _hooked_set_bit_generator(change: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(change)
    def changing(bitgen: Any) -> None:
        # It changes what has the name: that must be the one to which the functions belong.
        _mtrand._rand = random.get_state.__self__
        change(bitgen)

    return changing


BOUNDARY = Boundary(
    kind="numpy.random",
    supports="numpy>=1.24",
    hooks=(
        *(
            Patch(random, name, functools.partial(_drawing, name))
            for name in _DRAWS
            if hasattr(random, name)
        ),
        Patch(random, "shuffle", _hooked_shuffle),
        Patch(_mtrand, "_rand", _hooked_global),
        *(
            Patch(random, name, _hooked_set_bit_generator)
            for name in ("set_bit_generator",)
            if hasattr(random, name)
        ),
    ),
)
