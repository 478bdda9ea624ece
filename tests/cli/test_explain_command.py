"""`retrace explain` and `retrace token`: what would be decided, and how to overrule it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "s3cret-" * 6

FLASK = """
import flask
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import Rules

app = flask.Flask("shop")
app.add_url_rule("/orders/<int:id>", view_func=lambda id: "order", endpoint="order")
app.wsgi_app = RetraceMiddleware(app.wsgi_app, decide=Rules([{"route": "/orders/{id}"}]))
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.routing import Route
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import Rules

app = Starlette(routes=[Route("/orders/{id}", lambda request: None)])
app.add_middleware(RetraceMiddleware, decide=Rules([{"route": "/orders/{id}"}]))
"""


def test_it_explains_what_the_settings_say(retrace: Callable[..., Any]) -> None:
    """Line by line, and that recording is off."""
    env = {"RETRACE_DECIDE": "any_of(SampleRate(0.0), TraceHeader())"}
    done = retrace("explain", "--path", "/pay", "--header", "X-Trace-ID: abc", env=env)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "GET /pay from 127.0.0.1",
        "yes   any_of: the request carries X-Trace-ID",
        "  no    SampleRate(0): not drawn at rate 0",
        "  yes   TraceHeader(per_s=100.0): the request carries X-Trace-ID",
    ]
    assert "RETRACE=1" in done.stderr
    assert not retrace("explain", env={"RETRACE": "1"}).stderr


@pytest.mark.parametrize("source", [FLASK, STARLETTE], ids=["flask", "starlette"])
def test_it_asks_the_application_s_own_middleware(
    retrace: Callable[..., Any], tmp_path: Path, source: str
) -> None:
    """What is given in code, and the routes of its router; nothing is recorded."""
    (tmp_path / "shop.py").write_text(source)
    env = {"RETRACE": "1", "RETRACE_RECORDING_PATH": str(tmp_path / "recordings")}
    asked = ["explain", "--app", "shop:app", "--app-dir", str(tmp_path), "--json"]
    done = retrace(*asked, "--path", "/orders/7", env=env)
    found = json.loads(done.stdout)
    assert found["explanation"]["verdict"] == "yes"
    assert found["request"]["route"] in ("/orders/<int:id>", "/orders/{id}")
    assert found["enabled"] is True
    assert not (tmp_path / "recordings").exists()
    other = json.loads(retrace(*asked, "--path", "/x", env=env).stdout)
    assert other["explanation"]["parts"][0]["reason"] == "not met: route"


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        (["explain", "--header", "x"], {}, "Name: value"),
        (["explain"], {"RETRACE_DECIDE": "SampleRat()"}, "SampleRate"),
        (["explain"], {"RETRACE_RULES": "[{paht = '/x'}]"}, "rule 1: paht"),
        (["explain", "--app", "nowhere:app"], {}, "nowhere"),
        (["token", "--service", "shop"], {}, "RETRACE_FORCE_SECRET"),
        (["token"], {"RETRACE_FORCE_SECRET": SECRET}, "--service"),
        (["token", "--for", "8d", "--service", "a"], {"RETRACE_FORCE_SECRET": SECRET}, "7 days"),
        (["token", "--for", "soon"], {"RETRACE_FORCE_SECRET": SECRET}, "90s, 10m"),
        (["token", "--service", "a b"], {"RETRACE_FORCE_SECRET": SECRET}, "service"),
        (["token", "--service", "a"], {"RETRACE_FORCE_SECRET": "short"}, "32 characters"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    retrace: Callable[..., Any], arguments: list[str], env: dict[str, str], told: str
) -> None:
    """It says what to do, and shows no secret."""
    done = retrace(*arguments, env=env)
    assert done.returncode == 2
    assert not done.stdout
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert all(secret not in done.stderr for secret in (SECRET, "short"))


def test_a_minted_token_forces(retrace: Callable[..., Any]) -> None:
    """What `token` prints, `explain` finds valid, for that service only."""
    env = {"RETRACE_FORCE_SECRET": SECRET, "RETRACE_SERVICE": "shop", "RETRACE_SAMPLE_RATE": "0"}
    done = retrace("token", "--for", "2h", env=env)
    header = f"X-Retrace-Force: {done.stdout.strip()}"
    assert "good for shop until" in done.stderr
    assert (
        "yes   any_of: a valid force token"
        in retrace("explain", "--header", header, env=env).stdout
    )
    env["RETRACE_SERVICE"] = "store"
    told = retrace("explain", "--path", "/health", "--header", header, env=env).stdout
    assert "the force token is for another service" in told


@pytest.mark.parametrize("arguments", [["config"], ["config", "--json"], ["doctor"]])
def test_the_secret_is_never_shown(retrace_alone: Callable[..., Any], arguments: list[str]) -> None:
    """Only that it is set."""
    done = retrace_alone(*arguments, env={"RETRACE_FORCE_SECRET": SECRET})
    assert SECRET not in done.stdout + done.stderr
    assert "(set)" in done.stdout or arguments == ["doctor"]


def test_lists_are_shown_as_one_would_read_them(retrace: Callable[..., Any]) -> None:
    """Excluded paths with commas, and rules as tables."""
    env = {"RETRACE_RULES": '[{path = "/pay"}]'}
    assert "/healthz, /live" in retrace("config", env=env).stdout
    (rules,) = [
        one
        for one in json.loads(retrace("config", "--json", env=env).stdout)
        if one["name"] == "rules"
    ]
    assert rules["value"] == [{"path": "/pay"}]
