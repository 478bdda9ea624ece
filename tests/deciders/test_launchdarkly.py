"""LaunchDarklyFlag, on the SDK's own test data source, and without any flags at all."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import ldclient
import pytest
from ldclient import Config, Context, LDClient
from ldclient.integrations.test_data import TestData
from werkzeug.test import Client

from retrace_core import ConfigurationError, stats
from retrace_mw import Late, RetraceMiddleware, any_of, decide_late
from retrace_mw.deciders import LaunchDarklyFlag, Never
from retrace_mw.decision import awaits
from tests.requested import asgi_request, wsgi_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_mw import RequestView


@pytest.fixture
def data() -> TestData:
    """Return the SDK's test data source."""
    return TestData.data_source()


@pytest.fixture
def client(data: TestData) -> Iterator[LDClient]:
    """Return a client of the test data source."""
    with LDClient(Config("key", update_processor_class=data, send_events=False)) as made:
        yield made


def verdict(decider: Any, request: RequestView) -> str:
    """Return what the decider says."""
    return str(decider(request).verdict)


def counted(reason: str) -> int:
    """Return how often the default has counted for this reason."""
    return stats().get(f"flag.{reason}", 0)


def test_users_and_tenants_are_targeted(client: LDClient, data: TestData) -> None:
    """By key, by attribute, and by another kind of context; a change counts at once."""
    flag = (
        data.flag("record-request")
        .variations("off", "tail", "full")
        .variation_for_user("alice", 2)
        .variation_for_key("tenant", "acme", 1)
        .if_match("plan", "gold")
        .then_return(2)
        .fallthrough_variation(0)
    )
    data.update(flag)
    context = "header:x-user plan=x-plan, header:x-tenant as tenant"
    decider = LaunchDarklyFlag("record-request", context=context, client=client)
    assert verdict(decider, wsgi_request(x_user="alice")) == "yes"
    assert verdict(decider, wsgi_request(x_user="bob")) == "no"
    assert verdict(decider, wsgi_request(x_user="bob", x_tenant="acme")) == "tail"
    assert verdict(decider, asgi_request(x_user="bob", x_plan="gold")) == "yes"
    data.update(data.flag("record-request").fallthrough_variation(2))
    assert verdict(decider, wsgi_request(x_user="bob")) == "yes"


@pytest.mark.parametrize(
    ("value", "expected"), [(True, "yes"), ({"rate": 1.0, "verdict": "tail"}, "tail"), (0, "no")]
)
def test_variations_of_every_type(
    client: LDClient, data: TestData, value: Any, expected: str
) -> None:
    """Booleans, JSON and numbers, as well as text."""
    data.update(data.flag("f").variations(value).fallthrough_variation(0).on(True))
    assert verdict(LaunchDarklyFlag("f", client=client), wsgi_request()) == expected


def test_the_context_may_be_the_sdks_own(client: LDClient, data: TestData) -> None:
    """What a function returns as `ldclient.Context` is passed on as it is."""
    data.update(
        data.flag("f").variation_for_key("device", "phone", True).fallthrough_variation(False)
    )
    decider = LaunchDarklyFlag(
        "f", client=client, context=lambda _: Context.create("phone", "device")
    )
    assert verdict(decider, wsgi_request()) == "yes"


def test_an_async_context_function_makes_the_decider_async(
    client: LDClient, data: TestData
) -> None:
    """It is awaited; Late, which can't wait, refuses it."""
    data.update(data.flag("f").variation_for_user("alice", True).fallthrough_variation(False))

    async def user(request: RequestView) -> str:
        await asyncio.sleep(0)
        return request.header("x-user")

    decider = LaunchDarklyFlag("f", client=client, context=user)
    assert awaits(decider)
    assert awaits(any_of(Never(), decider))
    decision = asyncio.run(decider(asgi_request(x_user="alice")))  # type: ignore[arg-type]
    assert decision.verdict == "yes"
    with pytest.raises(ConfigurationError):
        Late(decider)


def failing(_: RequestView) -> str:
    """Fail, as a context function of the user's may."""
    raise KeyError("no such user")


def test_whatever_fails_the_default_decides(client: LDClient, data: TestData) -> None:
    """No key, a context function that raises, no such flag, an unknown variation: counted."""
    data.update(data.flag("odd").variations("sometimes").fallthrough_variation(0))
    cases = {
        "no_key": LaunchDarklyFlag("odd", client=client, context="header:x", default="full"),
        "context_failed": LaunchDarklyFlag("odd", client=client, context=failing, default="full"),
        "not_found": LaunchDarklyFlag("nowhere", client=client, default="full"),
        "unknown_variation": LaunchDarklyFlag("odd", client=client, default="full"),
    }
    for reason, decider in cases.items():
        before = counted(reason)
        assert verdict(decider, wsgi_request()) == "yes"
        assert counted(reason) == before + 1


def test_an_evaluator_that_raises_means_the_default() -> None:
    """Here a client whose store is broken in a way that the SDK does not catch."""

    class Broken:
        def is_initialized(self) -> bool:
            return True

        def variation_detail(self, *_: object) -> object:
            raise OSError("broken")

    before = counted("evaluation_failed")
    decider = LaunchDarklyFlag("f", client=Broken(), default="full")
    assert verdict(decider, wsgi_request()) == "yes"
    assert counted("evaluation_failed") == before + 1


@pytest.fixture
def silent_service() -> Iterator[str]:
    """Return the address of a service that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_unreachable_service_holds_nobody_up(silent_service: str) -> None:
    """A client that never got its flags: if a decision waited for it, this would take for ever."""
    config = Config("key", stream_uri=silent_service, base_uri=silent_service, send_events=False)
    with LDClient(config, start_wait=0) as client:
        decider = LaunchDarklyFlag("f", client=client, default="full")
        before = counted("not_ready")
        assert {verdict(decider, wsgi_request()) for _ in range(200)} == {"yes"}
        assert counted("not_ready") == before + 200


def test_without_configuration_the_default_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """`set_config` was never called."""
    ldclient._reset_client()
    monkeypatch.setattr(ldclient, "__config", None)
    before = counted("not_configured")
    assert verdict(LaunchDarklyFlag("f", default="full"), wsgi_request()) == "yes"
    assert counted("not_configured") == before + 1


def test_the_shared_client_is_started_aside(
    silent_service: str, data: TestData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Configured and not started: the first request does not wait for it, later ones have it."""
    ldclient._reset_client()
    monkeypatch.setattr(ldclient, "__config", None)
    data.update(data.flag("f").fallthrough_variation(True))
    ldclient.set_config(Config("key", update_processor_class=data, send_events=False))
    decider = LaunchDarklyFlag("f")
    try:
        before = counted("not_ready")
        assert verdict(decider, wsgi_request()) == "no"
        assert counted("not_ready") == before + 1
        assert decider._starting is not None
        decider._starting.join(10)
        assert verdict(decider, wsgi_request()) == "yes"
    finally:
        ldclient._reset_client()


def test_late_asks_with_what_the_application_knows(
    client: LDClient, data: TestData, recordings: Path
) -> None:
    """The user is known after authentication: recorded for alice, dropped for bob."""
    data.update(data.flag("f").variation_for_user("alice", True).fallthrough_variation(False))

    def app(environ: Any, start_response: Any) -> list[bytes]:
        decided = decide_late(user=environ["HTTP_X_TOKEN"].removeprefix("token-of-"))
        start_response("200 OK", [])
        return [decided.verdict.encode()]

    late = Late(LaunchDarklyFlag("f", client=client, context="facts:user"))
    wrapped = Client(RetraceMiddleware(app, decide=late, service="shop"))
    assert wrapped.get("/", headers={"X-Token": "token-of-bob"}, buffered=True).data == b"no"
    assert not recordings.exists() or not list(recordings.glob("*/*/*.bin"))
    assert wrapped.get("/", headers={"X-Token": "token-of-alice"}, buffered=True).data == b"yes"
    from retrace_core import load, writer

    assert writer.flush()
    (file,) = recordings.glob("*/*/*.bin")
    assert "flag f is True" in load(file).header.decision.reason
    events = [event.kind for _, event in load(file).timeline()]
    assert not [kind for kind in events if "ldclient" in kind], events


def test_its_repr_makes_it_again() -> None:
    """With the options that are not the default."""
    text = "LaunchDarklyFlag('f', context='header:x-user', default={'rate': 0.1})"
    assert repr(eval(text)) == text
    assert repr(LaunchDarklyFlag("f")) == "LaunchDarklyFlag('f')"
