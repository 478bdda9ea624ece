"""FileFlag: targeting, rollout and re-reading of flags from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import ConfigurationError, stats
from retrace_mw.deciders import FileFlag
from retrace_mw.flag_rules import draw
from tests.requested import wsgi_request

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = """
[flags.record-request]
variation = "off"
targets = { full = ["alice"], tail = ["bob"] }

[[flags.record-request.rules]]
when = { tenant = ["acme", "globex"], region = { not = "us" } }
variation = true

[[flags.record-request.rules]]
when = { plan = "gold" }
rollout = 30
variation = { verdict = "tail", rate = 1.0 }

[flags.stopped]
enabled = false
variation = "full"
"""
CONTEXT = "header:x-user plan=x-plan region=x-region, header:x-tenant as tenant"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file of flags."""
    file = tmp_path / "flags.toml"
    file.write_text(FLAGS)
    return file


def verdict(decider: FileFlag, **headers: str) -> str:
    """Return what the decider says of a request with these headers."""
    decision: Any = decider(wsgi_request(**headers))
    return str(decision.verdict)


def test_targets_and_rules_choose_the_variation(path: Path) -> None:
    """Users by key, tenants and attributes by rule, the others get the flag's variation."""
    decider = FileFlag("record-request", path=path, context=CONTEXT)
    assert verdict(decider, x_user="alice") == "yes"
    assert verdict(decider, x_user="bob") == "tail"
    assert verdict(decider, x_user="carol") == "no"
    assert verdict(decider, x_user="carol", x_tenant="acme") == "yes"
    assert verdict(decider, x_user="carol", x_tenant="acme", x_region="us") == "no"
    assert verdict(decider, x_user="carol", x_tenant="other") == "no"


def test_a_disabled_flag_is_off(path: Path) -> None:
    """Whatever else the table says."""
    assert verdict(FileFlag("stopped", path=path, default="full"), x_user="alice") == "no"


def test_a_rollout_takes_its_share_of_the_users(path: Path) -> None:
    """30 % of 2000 users within 4 sigma; the same users each time."""
    decider = FileFlag("record-request", path=path, context=CONTEXT)
    users = [f"user-{number}" for number in range(2000)]
    drawn = [user for user in users if verdict(decider, x_user=user, x_plan="gold") == "tail"]
    assert 520 <= len(drawn) <= 680
    again = FileFlag("record-request", path=path, context=CONTEXT)
    assert drawn == [u for u in users if verdict(again, x_user=u, x_plan="gold") == "tail"]


def test_the_draw_of_a_rollout_is_fixed_for_ever() -> None:
    """Another release of ours must not shuffle anybody's rollout."""
    assert round(draw("record-request", "alice"), 6) == 98.256677
    assert round(draw("other", "alice"), 6) == 74.867077


@given(st.text(), st.text())
def test_the_draw_is_a_percentage(flag: str, key: str) -> None:
    """From 0 up to below 100."""
    assert 0.0 <= draw(flag, key) < 100.0


def test_a_rollout_may_draw_by_an_attribute(tmp_path: Path) -> None:
    """All users of a tenant are in, or none."""
    rule = {"rollout": 50, "by": "tenant", "variation": "full"}
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": {"f": {"variation": "off", "rules": [rule]}}}))
    decider = FileFlag("f", path=file, context=CONTEXT)
    for tenant in ("acme", "globex", "initech", "umbrella"):
        of_users = {verdict(decider, x_user=user, x_tenant=tenant) for user in "abcdef"}
        assert of_users == {"yes" if draw("f", tenant) < 50 else "no"}


@pytest.mark.parametrize(
    ("test", "value", "matches"),
    [
        ({"starts_with": "eu-"}, "eu-west", True),
        ({"ends_with": "-west"}, "us-west", True),
        ({"starts_with": "eu-"}, "us-west", False),
        ({"not": ["eu", "us"]}, "eu", False),
        ({"at_least": 3, "below": 5}, 4, True),
        ({"at_least": 3, "below": 5}, 5, False),
        ({"at_least": 3}, "4", False),
        (True, "true", True),
        (3, "3", True),
        (["a", "b"], "b", True),
        ("a", None, False),
    ],
)
def test_an_attribute_is_tested(tmp_path: Path, test: Any, value: Any, matches: bool) -> None:
    """Equal, one of a list, or by the tests of a table; text from a header equals a number."""
    rule = {"when": {"x": test}, "variation": "full"}
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": {"f": {"variation": "off", "rules": [rule]}}}))
    decider = FileFlag("f", path=file, context=lambda _: {"key": "k", "x": value})
    assert verdict(decider) == ("yes" if matches else "no")


def look_again(decider: FileFlag) -> None:
    """Make the file's next look due at once."""
    decider._watch.due = 0.0


def test_a_changed_file_counts_and_a_bad_one_does_not(path: Path) -> None:
    """The last good flags stay, also when the file is gone; it is counted."""
    decider = FileFlag("record-request", path=path, context=CONTEXT)
    assert verdict(decider, x_user="carol") == "no"
    path.write_text(FLAGS.replace('variation = "off"', 'variation = "full"'))
    look_again(decider)
    assert verdict(decider, x_user="carol") == "yes"
    before = stats().get("flag.file_rejected", 0)
    for bad in ("[flags", '[flags.record-request]\nvariation = "sometimes"'):
        path.write_text(bad)
        look_again(decider)
        assert verdict(decider, x_user="carol") == "yes"
    path.unlink()
    look_again(decider)
    assert verdict(decider, x_user="carol") == "yes"
    assert stats()["flag.file_rejected"] == before + 3


def test_no_key_and_no_such_flag_mean_the_default(path: Path) -> None:
    """Both are counted."""
    before = stats()
    assert verdict(FileFlag("other", path=path, default="full"), x_user="alice") == "yes"
    decider = FileFlag("record-request", path=path, context=CONTEXT, default="full")
    assert verdict(decider) == "yes"
    after = stats()
    assert after["flag.not_found"] == before.get("flag.not_found", 0) + 1
    assert after["flag.no_key"] == before.get("flag.no_key", 0) + 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "readable TOML"),
        ("flags = 3", "flags=3"),
        ("[flags]\nf = 3", "flags.f=3"),
        ("[flags.f]", "flags.f.variation"),
        ('[flags.f]\nvariation = "sometimes"', "a variation='sometimes'"),
        ('[flags.f]\nvariation = "off"\nrule = 3', "flags.f.rule=3"),
        ('[flags.f]\nvariation = "off"\nenabled = "no"', "flags.f.enabled"),
        ('[flags.f]\nvariation = "off"\ntargets = {full = "a"}', "targets.full"),
        ('[flags.f]\nvariation = "off"\nrules = 3', "flags.f.rules"),
        ('[flags.f]\nvariation = "off"\nrules = [{rollout = 5}]', "rules[0].variation"),
        ('[flags.f]\nvariation = "off"\nrules = [{rollout = 101, variation = 1}]', "rollout=101"),
        ('[flags.f]\nvariation = "off"\nrules = [{by = 3, variation = 1}]', "rules[0].by"),
        (
            '[flags.f]\nvariation = "off"\nrules = [{when = {x = {is = 3}}, variation = 1}]',
            "when.x.is",
        ),
        (
            '[flags.f]\nvariation = "off"\nrules = [{when = {x = {below = "a"}}, variation = 1}]',
            "below='a'",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_at_start(tmp_path: Path, text: str, told: str) -> None:
    """Where it is, and what is allowed."""
    file = tmp_path / "flags.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        FileFlag("f", path=file)
    assert told in str(caught.value)
    assert "use " in str(caught.value)


def test_a_file_that_is_not_there_is_told_at_start(tmp_path: Path) -> None:
    """A missing mount is seen at once, not by the recordings that are missing."""
    with pytest.raises(ConfigurationError, match="readable"):
        FileFlag("f", path=tmp_path / "flags.toml")


def test_its_repr_makes_it_again(path: Path) -> None:
    """So that it can be written in the TOML file and in the environment."""
    decider = FileFlag("record-request", path=path, context=CONTEXT, default="tail")
    text = f"FileFlag('record-request', path={str(path)!r}, context={CONTEXT!r}, default='tail')"
    assert repr(decider) == text
    assert repr(eval(text)) == text
