"""Settings: precedence, bounds and messages that say what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import ConfigurationError
from retrace_core.settings import SETTINGS, resolve, unknown_variables

if TYPE_CHECKING:
    from pathlib import Path


def test_an_argument_goes_before_the_environment_before_the_file(tmp_path: Path) -> None:
    """Each value says where it came from."""
    file = tmp_path / "retrace.toml"
    file.write_text('[retrace]\nsample_rate = 0.1\nservice = "filed"\ngrace_s = 1.5\n')
    environ = {"RETRACE_CONFIG": str(file), "RETRACE_SAMPLE_RATE": "0.2", "RETRACE_SERVICE": "env"}
    found = resolve({"service": "given"}, environ)
    assert (found.service, found.sample_rate, found.grace_s) == ("given", 0.2, 1.5)
    assert found.origin("service") == "argument"
    assert found.origin("sample_rate") == "environment RETRACE_SAMPLE_RATE"
    assert found.origin("grace_s") == str(file)
    assert found.origin("queue_bytes") == "default"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"RETRACE": "maybe"}, "RETRACE"),
        ({"RETRACE_SAMPLE_RATE": "1.5"}, "0 to 1"),
        ({"RETRACE_SAMPLE_RATE": "nan"}, "RETRACE_SAMPLE_RATE"),
        ({"RETRACE_SERVICE": "../x"}, "RETRACE_SERVICE"),
        ({"RETRACE_QUEUE_BYTES": "12.5"}, "whole number"),
        ({"RETRACE_RECORDING_PATH": "ftp://x"}, "RETRACE_RECORDING_PATH"),
        ({"RETRACE_RECORDING_PATH": "/r/$(NOT_SET)"}, "NOT_SET"),
        ({"RETRACE_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
    ],
)
def test_a_wrong_value_is_named(environ: dict[str, str], named: str) -> None:
    """The message holds the setting, the value and what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        resolve({}, environ)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[retrace]\nsample_rat = 1",
        "[retrace",
        "retrace = 1",
        "[retrace]\nservice = 3",
        "sample_rate = 0.1",
        "sample_rat = 0.1",
        "[limits]\nshare = 0.1",
        "[[rules]]\npath = '/x'",
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    """An unknown key, broken TOML, a wrong type, settings that are not below [retrace]."""
    file = tmp_path / "retrace.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError):
        resolve({}, {"RETRACE_CONFIG": str(file)})


def test_a_file_may_hold_tables_of_others(tmp_path: Path) -> None:
    """Flags, say."""
    file = tmp_path / "retrace.toml"
    file.write_text("[retrace]\nsample_rate = 0.5\n[flags.record]\nvariation = 'off'\n")
    assert resolve({}, {"RETRACE_CONFIG": str(file)}).sample_rate == 0.5


@pytest.mark.parametrize("value", ['"maybe"', "2"])
def test_what_a_variable_goes_before_is_checked_too(tmp_path: Path, value: str) -> None:
    """Above all the kill switch: whoever throws it must not believe that it works."""
    file = tmp_path / "retrace.toml"
    file.write_text(f"[retrace]\nenabled = {value}\n")
    with pytest.raises(ConfigurationError, match="enabled"):
        resolve({}, {"RETRACE_CONFIG": str(file), "RETRACE": "1"})


@pytest.mark.parametrize("value", ["false", "0", '"off"', '"no"'])
def test_off_in_the_file_wins_however_it_is_spelt(tmp_path: Path, value: str) -> None:
    """Over a variable and an argument."""
    file = tmp_path / "retrace.toml"
    file.write_text(f"[retrace]\nenabled = {value}\n")
    environ = {"RETRACE_CONFIG": str(file), "RETRACE": "1"}
    assert resolve({"enabled": True}, environ).enabled is False


def test_an_unknown_limit_names_the_limits(tmp_path: Path) -> None:
    """And no other settings."""
    file = tmp_path / "retrace.toml"
    file.write_text("[retrace.limits]\nfoo = 1\n")
    with pytest.raises(ConfigurationError, match="one of limits_at_once") as caught:
        resolve({}, {"RETRACE_CONFIG": str(file)})
    assert "sample_rate" not in str(caught.value)


def test_an_unknown_keyword_names_the_nearest() -> None:
    """A typo is answered with what was meant."""
    with pytest.raises(ConfigurationError, match="sample_rate"):
        resolve({"samplerate": 0.5}, {})


def test_an_unknown_variable_is_reported_with_the_nearest() -> None:
    """Nothing fails because of it, but `retrace doctor` tells."""
    assert "RETRACE_SERVICE" in unknown_variables({"RETRACE_SERVCE": "x"})["RETRACE_SERVCE"]


def test_a_variable_in_the_path_is_replaced() -> None:
    """As Kubernetes writes it."""
    environ = {"RETRACE_RECORDING_PATH": "/r/$(POD_NAME)/x", "POD_NAME": "shop-1"}
    assert resolve({}, environ).recording_path == "/r/shop-1/x"


@given(st.sampled_from(SETTINGS), st.text(max_size=30))
def test_any_text_gives_a_value_or_a_configuration_error(setting: object, text: str) -> None:
    """No value of any variable leads to another exception."""
    try:
        resolve({}, {setting.variable: text})  # type: ignore[attr-defined]
    except ConfigurationError as error:
        assert str(error)
