"""Whom a flag is evaluated for: each source, as a function and as text."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import flask
import pytest
from starlette.authentication import SimpleUser, UnauthenticatedUser

from retrace_core import ConfigurationError
from retrace_mw.flag_context import (
    FlagContext,
    context_of,
    context_source,
    from_each,
    from_facts,
    from_flask_g,
    from_header,
    from_session,
    from_starlette_user,
    from_state,
    from_trace,
)
from tests.requested import asgi_request, wsgi_request


def test_a_header_names_the_user_and_attributes() -> None:
    """The key and each attribute come from a header; a missing attribute is left out."""
    source = from_header("X-User", attributes={"plan": "x-plan", "region": "x-region"})
    for request in (
        wsgi_request(x_user="alice", x_plan="gold"),
        asgi_request(x_user="alice", x_plan="gold"),
    ):
        assert source(request) == FlagContext(key="alice", attributes={"plan": "gold"})
    assert source(wsgi_request()).key == ""


def test_starlette_user_counts_when_it_is_authenticated() -> None:
    """`request.user` of the authentication middleware; an anonymous one is nobody."""
    source = from_starlette_user()
    assert source(asgi_request(scope={"user": SimpleUser("alice")})).key == "alice"
    assert source(asgi_request(scope={"user": UnauthenticatedUser()})).key == ""
    assert source(asgi_request()).key == ""
    assert source(wsgi_request()).key == ""


def test_session_and_state_of_starlette() -> None:
    """Middleware that stands before ours has put them into the scope."""
    scope = {"session": {"user": 7}, "state": {"tenant": "acme"}}
    assert from_session("user")(asgi_request(scope=scope)).key == "7"
    assert from_state("tenant", kind="tenant")(asgi_request(scope=scope)).key == "acme"
    assert from_session("user")(asgi_request()).key == ""
    assert from_state("tenant")(wsgi_request()).key == ""


def test_flask_g_and_session_are_known_inside_the_request_only() -> None:
    """Before the application has its context there is no key, and no error."""
    app = flask.Flask("shop")
    app.secret_key = "k"
    assert from_flask_g("user_id")(wsgi_request()).key == ""
    assert from_session("user")(wsgi_request()).key == ""
    with app.test_request_context("/"):
        flask.g.user_id = UUID(int=1)
        flask.session["user"] = "alice"
        assert from_flask_g("user_id")(wsgi_request()).key == str(UUID(int=1))
        assert from_session("user")(wsgi_request()).key == "alice"


def test_facts_are_what_decide_late_was_told() -> None:
    """For deciders that are wrapped in Late."""
    request = wsgi_request()
    request.facts.update(user=42, plan="gold")
    found = from_facts("user", attributes={"plan": "plan"})(request)
    assert found == FlagContext(key="42", attributes={"plan": "gold"})


def test_several_kinds_stand_beside_each_other() -> None:
    """Flat, the further ones are attributes by the name of their kind."""
    source = from_each(
        from_header("x-user"),
        from_header("x-tenant", kind="tenant", attributes={"region": "x-region"}),
    )
    found = source(wsgi_request(x_user="alice", x_tenant="acme", x_region="eu"))
    assert (found.key, found.also[0].key) == ("alice", "acme")
    assert found.flat() == {"tenant": "acme", "tenant.region": "eu"}


@pytest.mark.parametrize(
    "text",
    [
        "trace",
        "starlette_user",
        "header:x-user",
        "header:x-tenant as tenant",
        "facts:user plan=plan",
        "flask_g:user_id",
        "state:user",
        "session:user plan=plan region=area as account",
        "header:x-user plan=x-plan, header:x-tenant as tenant",
    ],
)
def test_a_source_is_written_as_the_text_that_makes_it(text: str) -> None:
    """So that a decider's repr can be put into the TOML file."""
    assert repr(context_source(text)) == repr(text)


def test_the_functions_are_written_as_text_too() -> None:
    """`from_header("x-user")` is "header:x-user"."""
    assert (
        repr(from_header("x-user", attributes={"plan": "x-plan"})) == "'header:x-user plan=x-plan'"
    )
    assert repr(from_trace()) == "'trace'"
    assert repr(from_each(from_facts("u"), from_facts("t", kind="tenant"))) == (
        "'facts:u, facts:t as tenant'"
    )


@pytest.mark.parametrize(
    "text", ["", "header", "header:", "nobody:x", "trace:x", "header:x as", "header:x=y", "a b"]
)
def test_what_is_no_source_is_refused(text: str) -> None:
    """The error says what is allowed."""
    with pytest.raises(ConfigurationError, match="header:NAME"):
        context_source(text)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, FlagContext()),
        ("alice", FlagContext(key="alice")),
        (7, FlagContext(key="7")),
        ({"key": "alice", "plan": "gold"}, FlagContext(key="alice", attributes={"plan": "gold"})),
    ],
)
def test_a_function_may_answer_in_short(answer: Any, expected: FlagContext) -> None:
    """A key, a mapping, or None for nobody."""
    assert context_of(answer) == expected


@pytest.mark.parametrize("answer", [object(), True, b"alice", {"key": object()}])
def test_what_has_no_lasting_text_is_no_key(answer: Any) -> None:
    """The text of an object holds its address: each request would be another user."""
    with pytest.raises(TypeError, match="targeting key"):
        context_of(answer)
