"""Force tokens: only what we signed, for us, in time, has a request recorded."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from retrace_core import ConfigurationError, load, stats, writer
from retrace_mw import RequestView, RetraceMiddleware
from retrace_mw.deciders import ForceToken
from retrace_mw.force_token import SKEW_S, check, mint

SECRET, OTHER = "a" * 32, "b" * 40
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True) | st.just("*")


def token(**given: Any) -> str:
    """Return a token of shop's, good for a minute from 1000 on."""
    known = {"secret": SECRET, "service": "shop", "lifetime_s": 60, "now_s": 1000}
    return mint(**{**known, **given})


def request(force: str | None = None, *, asgi: bool = True) -> RequestView:
    """Return a request that carries X-Retrace-Force, or none."""
    if asgi:
        headers = [] if force is None else [(b"x-retrace-force", force.encode("latin-1"))]
        return RequestView({"type": "http", "path": "/", "headers": headers}, asgi=True)
    environ = {} if force is None else {"HTTP_X_RETRACE_FORCE": force}
    return RequestView(environ, asgi=False)


@pytest.mark.parametrize(
    ("given", "service", "now_s", "state"),
    [
        (token(), "shop", 1000, "valid"),
        (token(service="*"), "anything", 1000, "valid"),
        (token(), "shop", 1060 + SKEW_S, "valid"),
        (token(), "shop", 1061 + SKEW_S, "expired"),
        (token(), "store", 1000, "other_service"),
        (token(secret=OTHER), "shop", 1000, "forged"),
        (token().replace("shop", "*"), "shop", 1000, "forged"),
        (token().replace(":1060:", ":9999999999:"), "shop", 1000, "forged"),
        (token()[:-1], "shop", 1000, "forged"),
        ("", "shop", 1000, "malformed"),
        ("1:shop:x:y", "shop", 1000, "malformed"),
        ("2" + token()[1:], "shop", 1000, "malformed"),
        ("1:" + "s" * 300 + ":1060:x", "shop", 1000, "malformed"),
        ("1:shop:1060:\xe4", "shop", 1000, "malformed"),
    ],
)
def test_a_token_is_checked(given: str, service: str, now_s: float, state: str) -> None:
    """Signature first, then expiry, then service."""
    assert check(given, (SECRET,), service=service, now_s=now_s) == state


@given(NAMES, st.integers(1, 7 * 86_400), st.floats(0, 4e9))
def test_a_minted_token_is_valid_at_once(service: str, lifetime_s: int, now_s: float) -> None:
    """For each service and lifetime that is allowed."""
    given = mint(SECRET, service=service, lifetime_s=lifetime_s, now_s=now_s)
    assert check(given, (OTHER, SECRET), service=service, now_s=now_s) == "valid"
    assert given.isascii() and " " not in given and "," not in given


@given(st.text(max_size=220))
def test_any_text_is_judged(given: str) -> None:
    """A stranger's header never raises, and is never valid."""
    assert check(given, (SECRET,), service="shop", now_s=1000) in ("malformed", "forged")


@given(st.integers(0, 200), st.sampled_from(string.printable))
def test_a_token_with_one_other_character_is_not_valid(place: int, character: str) -> None:
    """Wherever it is."""
    good = token()
    place %= len(good)
    changed = good[:place] + character + good[place + 1 :]
    if changed != good:
        assert check(changed, (SECRET,), service="shop", now_s=1000) != "valid"


def test_a_secret_is_changed_without_a_gap() -> None:
    """Old and new are both accepted; the first one signs."""
    force = ForceToken(secret=f"{OTHER}, {SECRET}", service="shop", clock=lambda: 1000)
    assert force(request(token())).verdict == "yes"
    assert force(request(token(secret=OTHER))).verdict == "yes"


@pytest.mark.parametrize("service", ["a b", "", "../x", "**"])
def test_a_token_for_no_service_is_refused(service: str) -> None:
    """The name must be one."""
    with pytest.raises(ConfigurationError, match="service"):
        token(service=service)


@pytest.mark.parametrize("lifetime_s", [0, -1, 8 * 86_400, float("inf"), float("nan")])
def test_a_token_lives_for_a_week_at_most(lifetime_s: float) -> None:
    """A token that never ends is a password."""
    with pytest.raises(ConfigurationError, match="7 days"):
        token(lifetime_s=lifetime_s)


@pytest.mark.parametrize("asgi", [True, False])
@pytest.mark.parametrize(
    ("given", "counted"),
    [
        (token(secret=OTHER), "forged"),
        (token(lifetime_s=1, now_s=0), "expired"),
        (token(service="store"), "other_service"),
        ("x", "malformed"),
    ],
)
def test_a_bad_token_counts_by_reason_and_as_none(asgi: bool, given: str, counted: str) -> None:
    """The request goes on as if it carried no token."""
    force = ForceToken(secret=SECRET, service="shop", clock=lambda: 1000)
    before = stats().get(f"suppressed.force_{counted}", 0)
    assert force(request(given, asgi=asgi)).verdict == "no"
    assert stats()[f"suppressed.force_{counted}"] == before + 1
    assert force(request(None, asgi=asgi)).reason == "no X-Retrace-Force"


def test_valid_tokens_have_a_rate_too() -> None:
    """One that leaked does not fill the disk."""
    force = ForceToken(secret=SECRET, service="shop", per_s=0.5, clock=lambda: 1000)
    assert [force(request(token())).verdict for _ in range(3)] == ["yes", "no", "no"]
    assert stats()["suppressed.force_over_rate"] >= 2


@pytest.mark.parametrize(("per_s", "verdict"), [(0.0, "no"), (1.0, "yes")])
def test_an_unsigned_force_is_refused_unless_allowed(per_s: float, verdict: str) -> None:
    """Whoever can send a request can send this header."""
    force = ForceToken(secret=SECRET, service="shop", unsigned_per_s=per_s)
    assert force(request("1")).verdict == verdict
    assert force.peek(request("1")).verdict == verdict
    assert force(request("1")).reason.startswith("X-Retrace-Force without a signature")


def test_looking_uses_up_nothing() -> None:
    """`peek` says what a call would, any number of times."""
    force = ForceToken(secret=SECRET, service="shop", per_s=0.5, clock=lambda: 1000)
    assert {force.peek(request(token())).verdict for _ in range(5)} == {"yes"}
    assert force(request(token())).verdict == "yes"
    assert force.peek(request(token())).verdict == "no"


@pytest.mark.parametrize("secret", ["short", f"{SECRET},short", ","])
def test_a_short_secret_is_refused_and_not_shown(secret: str) -> None:
    """32 characters each."""
    with pytest.raises(ConfigurationError, match="32 characters") as caught:
        ForceToken(secret=secret)
    assert "short" not in str(caught.value)


def test_without_a_secret_there_is_no_force_token() -> None:
    """It would accept nothing."""
    with pytest.raises(ConfigurationError, match="RETRACE_FORCE_SECRET"):
        ForceToken()


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """A WSGI application."""
    start_response("200 OK", [])
    return [b"hello"]


@pytest.mark.parametrize("path", ["/", "/health"])
def test_a_forced_request_is_recorded_whatever_else_says_no(
    recordings: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Also on a path that is excluded; the secret alone switches it on."""
    import time

    monkeypatch.setenv("RETRACE_FORCE_SECRET", SECRET)
    monkeypatch.setenv("RETRACE_SAMPLE_RATE", "0")
    client = Client(RetraceMiddleware(hello, service="shop"))
    headers = {"X-Retrace-Force": token(now_s=time.time())}
    client.get(path, buffered=True)
    client.get(path, headers=headers, buffered=True)
    assert writer.flush()
    (file,) = recordings.glob("*/*/trace.bin")
    assert load(file).header.decision.decider == "ForceToken"


def test_a_service_without_a_name_is_the_one_its_recordings_have(
    recordings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token names the folder that one sees."""
    import time

    import flask

    monkeypatch.setenv("RETRACE_FORCE_SECRET", SECRET)
    monkeypatch.setenv("RETRACE_SAMPLE_RATE", "0")
    app = flask.Flask("corner.store")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    headers = {"X-Retrace-Force": token(service="corner.store", now_s=time.time())}
    app.test_client().get("/", headers=headers, buffered=True)
    assert writer.flush()
    assert len(list(recordings.glob("*/corner.store/trace.bin"))) == 1
