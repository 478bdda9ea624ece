"""Which decider is in force, what is excluded, and what contradicts what."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from retrace_core import ConfigurationError, load, writer
from retrace_core.settings import resolve
from retrace_mw import (
    Decision,
    Late,
    RequestView,
    RetraceMiddleware,
    all_of,
    any_of,
    first_of,
    opening,
)
from retrace_mw.chosen_decider import choose
from retrace_mw.deciders import Always, Never, SampleRate
from retrace_mw.deciders.exclude import Exclude

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s" * 32


def choice(environ: dict[str, str], **options: object) -> str:
    """Return the decider in force, as code, without what is excluded."""
    settings = resolve({"exclude": [], **options}, environ)
    return repr(choose(settings, None).decider)


def test_the_decider_made_of_the_settings() -> None:
    """Header, token, rules, and the sample rate where no rule matches."""
    assert choice({}) == "any_of(TraceHeader(per_s=100.0), SampleRate(0.01, heed_no=True))"
    environ = {
        "RETRACE_FORCE_SECRET": SECRET,
        "RETRACE_RULES": '[{path = "/pay"}]',
        "RETRACE_SAMPLE_RATE": "0.5",
    }
    assert choice(environ) == (
        "any_of(TraceHeader(per_s=100.0), ForceToken(per_s=50.0, unsigned_per_s=0.0),"
        " Rules([{'path': '/pay'}], otherwise=SampleRate(0.5)))"
    )
    assert choice({}, sample_rate=0.01) == "any_of(TraceHeader(per_s=100.0), SampleRate(0.01))"


def test_the_setting_decide_goes_before_them() -> None:
    """It says all of it."""
    assert choice({"RETRACE_DECIDE": "KeepIfFailed()"}) == "KeepIfFailed()"


def test_a_setting_that_decide_does_not_ask_is_an_error(tmp_path: Path) -> None:
    """When both are of one hand: here one file."""
    file = tmp_path / "retrace.toml"
    file.write_text('[retrace]\ndecide = "SampleRate(0.1)"\nsample_rate = 0.5\n')
    with pytest.raises(ConfigurationError, match=r"sample_rate=0\.5"):
        choice({"RETRACE_CONFIG": str(file)})
    file.write_text('[retrace]\ndecide = "SampleRate()"\nsample_rate = 0.5\n')
    assert choice({"RETRACE_CONFIG": str(file)}) == "SampleRate(0.5)"


def test_a_default_of_another_hand_is_only_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An image that sets a rate for all services does not stop the one that has its own."""
    file = tmp_path / "retrace.toml"
    file.write_text('[retrace]\ndecide = "SampleRate(0.1)"\n')
    with caplog.at_level(logging.WARNING, "retrace"):
        choice({"RETRACE_CONFIG": str(file), "RETRACE_SAMPLE_RATE": "0.5"})
    assert "sample_rate has no effect" in caplog.text


def test_code_and_setting_that_both_decide_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """Code wins, and a variable that was set in vain is named."""
    settings = resolve({}, {"RETRACE_DECIDE": "Always()", "RETRACE_RULES": '[{path="/x"}]'})
    with caplog.at_level(logging.WARNING, "retrace"):
        chosen = choose(settings, Never())
    assert chosen.idle == ("decide", "rules")
    assert "decide, rules has no effect beside decide in code" in caplog.text


def test_a_misspelt_variable_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At start, with the name that is meant: the variables of others can't be refused."""
    opening._tell_unknown.cache_clear()
    monkeypatch.setenv("RETRACE_SAMPEL_RATE", "1")
    with caplog.at_level(logging.WARNING, "retrace"):
        for _ in range(2):
            RetraceMiddleware(lambda environ, start_response: [], service="shop")
    told = [one for one in caplog.messages if "RETRACE_SAMPEL_RATE" in one]
    assert told == ["retrace: no setting has the name RETRACE_SAMPEL_RATE: use RETRACE_SAMPLE_RATE"]


def test_two_keywords_that_contradict_each_other_are_an_error() -> None:
    """One line of code, one mistake."""
    with pytest.raises(ConfigurationError, match="sample_rate"):
        RetraceMiddleware(hello, decide=Always(), sample_rate=0.5)


@pytest.mark.parametrize("where", ["env", "file"])
def test_a_secret_that_nobody_asks_for_is_told_and_not_shown(
    tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """`decide` without ForceToken() never looks at a token."""
    file = tmp_path / "retrace.toml"
    lines = ["[retrace]", 'decide = "SampleRate(0.1)"']
    environ = {"RETRACE_CONFIG": str(file)}
    if where == "env":
        environ["RETRACE_FORCE_SECRET"] = SECRET
        file.write_text("\n".join(lines))
        choice(environ)
        assert "force_secret has no effect" in caplog.text
    else:
        file.write_text("\n".join([*lines, f'force_secret = "{SECRET}"']))
        with pytest.raises(ConfigurationError, match="force_secret") as caught:
            choice(environ)
        assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text


def test_what_is_no_decider_is_refused() -> None:
    """At start, and not with the first request."""
    with pytest.raises(ConfigurationError, match="a function of the request"):
        RetraceMiddleware(hello, decide=1)


def test_equal_settings_keep_the_decider_and_what_it_remembers() -> None:
    """A reload that changes something else starts no rate anew."""
    first = choose(resolve({"sample_rate": 0.5}, {}), None)
    assert choose(resolve({"sample_rate": 0.5, "grace_s": 1}, {}), None, first) is first
    assert choose(resolve({"sample_rate": 0.6}, {}), None, first) is not first


def test_rules_come_from_a_file(tmp_path: Path) -> None:
    """As an array of tables."""
    file = tmp_path / "retrace.toml"
    file.write_text(
        '[retrace]\nexclude = []\n[[retrace.rules]]\npath = "/pay"\nmethods = ["POST"]\n'
        '[[retrace.rules]]\nname = "slow"\nmin_duration_s = 1.5\n'
    )
    assert "{'name': 'slow', 'min_duration_s': 1.5}" in repr(
        choose(resolve({}, {"RETRACE_CONFIG": str(file)}), None).decider
    )


@pytest.mark.parametrize(
    "text", ["/pay", "[1]", "[{a = 1979-05-27}]", "[{a = nan}]", "[]\nother = 1", "[{path='x'}"]
)
def test_rules_that_are_none_are_refused(text: str) -> None:
    """With an example of what they look like."""
    with pytest.raises(ConfigurationError, match="RETRACE_RULES"):
        resolve({}, {"RETRACE_RULES": text})


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """A WSGI application."""
    start_response("200 OK", [])
    return [b"hello"]


@pytest.mark.parametrize(
    ("exclude", "paths"),
    [
        (None, ["/pay", "/healthier", "/static", "/api/health"]),
        ("", ["/", "/health", "/healthier", "/static/a.css"]),
        ("/pay, */health", ["/healthier", "/static"]),
    ],
)
def test_health_checks_and_static_files_are_not_recorded(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, exclude: str | None, paths: list[str]
) -> None:
    """By default; the setting `exclude` says which paths, and empty means none."""
    if exclude is not None:
        monkeypatch.setenv("RETRACE_EXCLUDE", exclude)
    client = Client(RetraceMiddleware(hello, decide=Always(), service="shop"))
    client.get("/health", buffered=True)  # the first one is another matter
    assert writer.flush()
    asked = ["/pay", "/health", "/healthier", "/static", "/static/a.css", "/api/health", "/"]
    recorded: list[str] = []
    for path in asked:
        before = len(list(recordings.glob("*/*/*.bin")))
        client.get(path, buffered=True)
        assert writer.flush()
        if len(list(recordings.glob("*/*/*.bin"))) > before:
            recorded.append(path)
    assert set(paths) <= set(recorded)
    excluded = {None: {"/health", "/static/a.css"}, "": set(), "/pay, */health": {"/pay"}}
    assert not excluded[exclude] & set(recorded)


def test_the_first_health_check_of_a_process_is_decided_like_others(recordings: Path) -> None:
    """What it leaves in memory all requests find; of a list of one's own none is recorded."""
    client = Client(RetraceMiddleware(hello, decide=Always(), service="shop"))
    for path in ["/health", "/health/db", "/static/a.css", "/health", "/health/live", "/ready"]:
        client.get(path, buffered=True)
    own = Client(RetraceMiddleware(hello, decide=Always(), service="own", exclude=["/health"]))
    own.get("/health", buffered=True)
    assert writer.flush()
    found = [load(path).header for path in recordings.glob("*/*/*.bin")]
    assert sorted(one.path for one in found) == ["/health", "/health/db", "/ready"]
    assert {one.service for one in found} == {"shop"}


@pytest.mark.parametrize("path", ["health", "", "/x?y"])
def test_a_path_that_cannot_match_is_refused(path: str) -> None:
    """At start."""
    with pytest.raises(ConfigurationError, match="exclude"):
        Exclude(Always(), [path])


def test_an_excluded_path_of_a_decider_that_is_awaited() -> None:
    """It is awaited still, for the other paths."""

    async def slow(_: RequestView) -> Decision:
        return Decision("yes", "asked", "slow")

    decider = Exclude(slow, ["/health"])
    assert decider.is_async
    view = RequestView({"type": "http", "path": "/health"}, asgi=True)
    assert decider(view).verdict == "no"


@pytest.mark.parametrize("given", [7, "SampleRate(0.1)", SampleRate, None])
@pytest.mark.parametrize("compose", [any_of, all_of, first_of, Late], ids=lambda one: one.__name__)
def test_what_is_no_decider_is_refused_at_start(compose: Any, given: object) -> None:
    """A class in the place of an object of it, too; none of them would fail before a request."""
    with pytest.raises(ConfigurationError, match=compose.__name__):
        compose(given)


@pytest.mark.parametrize("compose", [any_of, all_of, first_of], ids=lambda one: one.__name__)
def test_nothing_put_together_is_refused(compose: Any) -> None:
    """It would record nothing, for no reason that anybody sees."""
    with pytest.raises(ConfigurationError, match="at least one decider"):
        compose()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"decide": "SampleRate(0.1)"}, "RETRACE_DECIDE"),
        ({"decide": SampleRate}, r"SampleRate\(\.\.\.\), with parentheses"),
        ({"limits": {"share": 0.1}}, "Limits"),
    ],
)
def test_the_middleware_refuses_what_it_can_not_ask(options: dict[str, Any], named: str) -> None:
    """With what is meant."""
    with pytest.raises(ConfigurationError, match=named):
        RetraceMiddleware(lambda environ, start_response: [], **options)


def test_a_verdict_is_one_of_three() -> None:
    """A decider that says anything else fails, and the request is not recorded."""
    wrong: Any = "maybe"
    with pytest.raises(ConfigurationError, match="verdict='maybe'"):
        Decision(wrong)
