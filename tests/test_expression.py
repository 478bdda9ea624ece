"""Expression: a decider as text gives that decider, or says where it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import ConfigurationError
from retrace_core.settings import Settings, resolve
from retrace_mw.expression import NAMES, parse

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s" * 32
SETTINGS = Settings(force_secret=SECRET, rules=({"path": "/pay"},), sample_rate=0.25)

ROUND = [
    "Always()",
    "Never()",
    "SampleRate(0.1)",
    "SampleRate(0.01, by='header:x-tenant', rates={'acme': 1.0})",
    "TraceHeader(per_s=100.0)",
    "UpstreamDecision(SampleRate(0.1), per_s=5)",
    "ForceToken(per_s=50.0, unsigned_per_s=0.0)",
    "KeepIfFailed()",
    "KeepIfFailed(statuses=('5xx', 404), logged=False)",
    "KeepIfSlower(0.5)",
    "KeepIfSlowest(share=0.01, warm_up=100, routes=1000)",
    "KeepIfNew(window_s=3600.0, size=10000)",
    "Late(SampleRate(0.5))",
    "Rules([{'path': '/pay', 'status': [404, '5xx']}, {'name': 'a', 'methods': ['GET']}])",
    "Rules([{'path': '/x', 'action': 'skip'}], otherwise=SampleRate(0.1))",
    "any_of(TraceHeader(per_s=5.0), all_of(SampleRate(0.1), KeepIfFailed()))",
    "first_of(Never(), any_of(Always()))",
]


@pytest.mark.parametrize("text", ROUND)
def test_what_a_decider_shows_makes_it_again(text: str) -> None:
    """`repr` is the expression."""
    assert repr(parse(text, SETTINGS).decider) == text


def test_what_is_left_open_comes_from_the_settings() -> None:
    """And which settings these were is known."""
    parsed = parse("any_of(SampleRate(), Rules(otherwise=Never()), TraceHeader(per_s=1))", SETTINGS)
    assert repr(parsed.decider) == (
        "any_of(SampleRate(0.25), Rules([{'path': '/pay'}], otherwise=Never()),"
        " TraceHeader(per_s=1.0))"
    )
    assert parsed.used == {"sample_rate", "rules"}


WRONG = {
    "SampleRat(0.1)": "SampleRate",
    "any_of(TraceHeader(), KeepIfFaild())": "KeepIfFailed (column 23)",
    "any_of(\n  Always(),\n  Nevr())": "Never (line 3, column 3)",
    "SampleRate": "SampleRate(), with parentheses",
    "any_of(Always)": "Always(), with parentheses",
    "any_of()": "at least one",
    "any_of(0.1)": "deciders inside",
    "SampleRate(2)": "0.0 to 1.0",
    "SampleRate(rat=1)": "SampleRate(rate",
    "SampleRate(0.1, by='route')": "together",
    "SampleRate(0.1, 2)": "SampleRate(rate",
    "SampleRate(1 if True else 0)": "written out",
    "Late()": "Late(decider",
    "TraceHeader(clock=1)": "each argument once",
    "TraceHeader(**{'per_s': 1})": "each argument once",
    "TraceHeader(per_s='x')": "a number per second",
    "__import__('os').system('true')": "a decider",
    "open('x')": "there",
    "(lambda: 1)()": "a decider",
    "any_of(Always(), [x for x in ()])": "written out",
    "any_of(Always()": "column",
    "0.1": "a decider",
    "": "an expression like",
    "\0": "an expression",
    "any_of(" * 5000 + ")" * 5000: "20000",
    "any_of(" * 1000 + "Always()" + ")" * 1000: "decide=",
    "Rules([{'path': 'x'}])": "rule 1: path",
    "Always() + Never()": "a decider",
    "ForceToken(secret='short')": "32 characters",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text[:30]))
def test_a_wrong_text_is_refused_with_the_place(text: str) -> None:
    """The message says what would be right."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text, SETTINGS)
    told = "others can be given in code" if WRONG[text] == "there" else WRONG[text]
    assert told in str(caught.value)
    assert "short" not in str(caught.value).replace("decide=", "") or "Force" not in text


def test_rules_without_rules_in_the_settings_are_refused() -> None:
    """`Rules()` means those of the settings."""
    with pytest.raises(ConfigurationError, match=r"retrace\.rules"):
        parse("Rules()", Settings())


@pytest.mark.parametrize("text", ["Alwys()", "any_of(Always(), SampleRate(2))"])
def test_where_the_text_came_from_is_told(text: str) -> None:
    """The variable, or the file, and the place in it; also of a value that a decider refuses."""
    settings = resolve({}, {"RETRACE_DECIDE": text})
    with pytest.raises(ConfigurationError, match=r"from environment RETRACE_DECIDE.*column"):
        parse(settings.decide, settings)


def test_a_mistake_in_a_file_of_flags_names_that_file(tmp_path: Path) -> None:
    """And not the text that names the file."""
    file = tmp_path / "flags.toml"
    file.write_text("[flags.record]\nvariaton = true\n")
    settings = resolve({}, {"RETRACE_DECIDE": f"FileFlag('record', path={str(file)!r})"})
    with pytest.raises(ConfigurationError, match=r"variaton=True \(from .*flags\.toml\)"):
        parse(settings.decide, settings)


def test_every_name_is_sorted_and_leads_to_a_module() -> None:
    """The table of names is the list in the documentation."""
    assert list(NAMES) == sorted(NAMES)
    assert all(path.startswith("retrace_mw.") and ":" in path for path in NAMES.values())


LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 700),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
).map(repr)
CHEAP = sorted(set(NAMES) - {"LaunchDarklyFlag", "OpenFeatureFlag", "FileFlag"})
CALLS = st.recursive(
    LITERALS,
    lambda inner: st.builds(
        lambda name, args, kwargs: f"{name}({', '.join([*args, *kwargs])})",
        st.sampled_from(CHEAP),
        st.lists(inner, max_size=3),
        st.lists(
            st.builds("{}={}".format, st.sampled_from(["rate", "per_s", "rules", "x"]), inner),
            max_size=2,
        ),
    ),
    max_leaves=6,
)


@given(CALLS | st.text(max_size=40) | st.text("()[]{},.'\"anyof_0Rle=:\\\n ", max_size=30))
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_text_gives_a_decider_or_a_configuration_error(text: str) -> None:
    """Nothing else, whatever is written."""
    try:
        decider = parse(text, SETTINGS).decider
    except ConfigurationError as error:
        assert str(error)
        return
    assert callable(decider)
    assert repr(parse(repr(decider), SETTINGS).decider) == repr(decider)
