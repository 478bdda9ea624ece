"""OpenFeatureFlag, on the SDK's in-memory provider and on a real flag server process."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from openfeature import api
from openfeature.exception import GeneralError
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider import AbstractProvider
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from openfeature.provider.metadata import Metadata

from retrace_core import ConfigurationError, stats
from retrace_mw.deciders import OpenFeatureFlag
from tests.requested import asgi_request, wsgi_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openfeature.evaluation_context import EvaluationContext

    from retrace_mw import RequestView


@pytest.fixture(autouse=True)
def no_provider_stays() -> Iterator[None]:
    """Take the provider out after each test."""
    yield
    api.clear_providers()


def by_user(flag: InMemoryFlag[Any], context: EvaluationContext) -> FlagResolutionDetails[Any]:
    """Serve "full" to alice and to the gold plan, else "off"."""
    chosen = context.targeting_key == "alice" or context.attributes.get("plan") == "gold"
    variant = "full" if chosen else "off"
    return FlagResolutionDetails(flag.variants[variant], variant=variant)


def provider(**flags: Any) -> InMemoryProvider:
    """Return the SDK's in-memory provider with these flags, each of one value."""
    made: dict[str, Any] = {
        name: InMemoryFlag("only", {"only": value}) for name, value in flags.items()
    }
    made["targeted"] = InMemoryFlag(
        "off", {"off": "off", "full": "full"}, context_evaluator=by_user
    )
    return InMemoryProvider(made)


def verdict(decider: Any, request: RequestView) -> str:
    """Return what the decider says."""
    return str(decider(request).verdict)


def counted(reason: str) -> int:
    """Return how often the default has counted for this reason."""
    return stats().get(f"flag.{reason}", 0)


def test_users_and_attributes_are_targeted() -> None:
    """The targeting key and the attributes come from headers."""
    api.set_provider_and_wait(provider())
    decider = OpenFeatureFlag("targeted", context="header:x-user plan=x-plan")
    assert verdict(decider, wsgi_request(x_user="alice")) == "yes"
    assert verdict(decider, wsgi_request(x_user="bob")) == "no"
    assert verdict(decider, asgi_request(x_user="bob", x_plan="gold")) == "yes"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "yes"),
        (False, "no"),
        ("tail", "tail"),
        ({"verdict": "tail", "rate": 1.0}, "tail"),
        (1.0, "yes"),
    ],
)
def test_the_type_of_the_flag_is_found_out(value: Any, expected: str) -> None:
    """Boolean, string, object or number; the second request asks right away."""
    api.set_provider_and_wait(provider(f=value))
    decider = OpenFeatureFlag("f")
    assert verdict(decider, wsgi_request()) == expected
    known = decider._asked_as
    assert verdict(decider, wsgi_request()) == expected
    assert decider._asked_as == known


def test_a_domain_has_its_own_provider() -> None:
    """The application may have set several."""
    api.set_provider_and_wait(provider(f=False))
    api.set_provider_and_wait(provider(f=True), "operations")
    assert verdict(OpenFeatureFlag("f", domain="operations"), wsgi_request()) == "yes"
    assert verdict(OpenFeatureFlag("f"), wsgi_request()) == "no"


def test_whatever_fails_the_default_decides() -> None:
    """No provider, no such flag, no key, an unknown variation: counted."""

    def check(reason: str, decider: OpenFeatureFlag) -> None:
        before = counted(reason)
        assert verdict(decider, wsgi_request()) == "yes"
        assert counted(reason) == before + 1

    check("not_configured", OpenFeatureFlag("f", default="full"))
    api.set_provider_and_wait(provider(f="sometimes"))
    check("not_found", OpenFeatureFlag("nowhere", default="full"))
    check("no_key", OpenFeatureFlag("f", context="header:x-user", default="full"))
    check("unknown_variation", OpenFeatureFlag("f", default="full"))


class Slow(AbstractProvider):
    """A provider of a service that does not answer until it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def get_metadata(self) -> Metadata:
        """Return a name."""
        return Metadata("slow")

    def resolve_boolean_details(self, *_: Any, **__: Any) -> FlagResolutionDetails[bool]:
        """Wait, then return True."""
        self.go.wait(20)
        return FlagResolutionDetails(True)

    resolve_string_details = resolve_integer_details = resolve_boolean_details
    resolve_float_details = resolve_object_details = resolve_boolean_details  # type: ignore[assignment]


def test_a_remote_provider_may_take_so_long_and_no_longer() -> None:
    """Then the default counts; with every thread held up, nobody else waits at all."""
    slow = Slow()
    api.set_provider_and_wait(slow)
    decider: Any = OpenFeatureFlag("f", remote=True, timeout_s=0.02, default="tail")
    before_timeout, before_busy = counted("timeout"), counted("busy")

    async def ask() -> str:
        return str((await decider(asgi_request())).verdict)

    async def ask_often() -> list[str]:
        return [await ask() for _ in range(6)]

    assert asyncio.run(ask_often()) == ["tail"] * 6
    assert (counted("timeout") - before_timeout, counted("busy") - before_busy) == (4, 2)
    slow.go.set()
    decider._pool.executor.shutdown()
    decider._pool = None
    decider._timeout_s = 10
    assert asyncio.run(ask()) == "yes"


def test_a_provider_that_raises_means_the_default(caplog: pytest.LogCaptureFixture) -> None:
    """Its errors and its faults."""

    for error in (GeneralError("unreachable"), RuntimeError("a fault")):

        class Failing(Slow):
            fault = error

            def resolve_boolean_details(self, *_: Any, **__: Any) -> FlagResolutionDetails[bool]:
                raise self.fault

        api.set_provider_and_wait(Failing())
        before = counted("evaluation_failed")
        assert verdict(OpenFeatureFlag("f", default="full"), wsgi_request()) == "yes"
        assert counted("evaluation_failed") == before + 1
    assert "its default decides" in caplog.text


def test_wrong_options_are_refused_at_start() -> None:
    """A time that is none."""
    with pytest.raises(ConfigurationError, match="60 seconds"):
        OpenFeatureFlag("f", timeout_s=0)


def test_its_repr_makes_it_again() -> None:
    """With the options that are not the default."""
    text = "OpenFeatureFlag('f', context='header:x-user', domain='ops', remote=True, timeout_s=0.5)"
    assert repr(eval(text)) == text
