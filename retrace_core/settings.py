"""Settings: each once, with its name everywhere, type, default, and where its value came from.

Precedence: keyword argument, environment, TOML file (`RETRACE_CONFIG`), default; but
`enabled = false` in the file wins over all, so that recording can be stopped while running.
"""

from __future__ import annotations

import difflib
import os
import re
import signal
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from retrace_core.encryption import IDENTITY
from retrace_core.errors import ConfigurationError
from retrace_core.ids import valid_service
from retrace_core.setting_rows.decision_settings import (
    DECISION_SETTINGS,
    check_secret,
    parse_tables,
    parse_texts,
)
from retrace_core.setting_rows.keeping_settings import KEEPING_SETTINGS, KeepingSettings
from retrace_core.setting_rows.limit_settings import LIMIT_SETTINGS
from retrace_core.setting_rows.recording_settings import RECORDING_SETTINGS
from retrace_core.setting_rows.secret_settings import SECRET_SETTINGS
from retrace_core.setting_rows.setting import Setting
from retrace_core.setting_rows.store_settings import STORE_SETTINGS
from retrace_core.store.opening import check_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SETTINGS", "Setting", "Settings", "resolve", "unknown_variables"]


SETTINGS: tuple[Setting, ...] = (
    *RECORDING_SETTINGS,
    *STORE_SETTINGS,
    *SECRET_SETTINGS,
    *DECISION_SETTINGS,
    *LIMIT_SETTINGS,
    *KEEPING_SETTINGS,
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_BY_VARIABLE = {setting.variable: setting for setting in SETTINGS}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
_INTERNAL = ("RETRACE_PURE_PYTHON", "RETRACE_HASH_SECRET", "RETRACE_REPLAY_RESTARTED", IDENTITY)
_SWITCHES = ("RETRACE_ENABLED", "RETRACE_ENABLE", "RETRACE_ON")
_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_HEADER_NAMES = re.compile(r"(?:[A-Za-z0-9!#$%&'*+.^`|~_-]+(?:\s*,\s*|$))*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(KeepingSettings):
    """The values in force; made by `resolve`."""

    origins: Mapping[str, str] = field(default_factory=lambda: {})

    def origin(self, name: str) -> str:
        """Return where a value came from: "argument", "environment RETRACE", a file, "default"."""
        return self.origins.get(name, "default")


def resolve(
    overrides: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings in force.

    Args:
        overrides: by name; what was given as keyword arguments.
        environ: default `os.environ`.

    Raises:
        ConfigurationError: a value is not allowed, a keyword or a key of the file is unknown,
            or the file can't be read.
    """
    environ = os.environ if environ is None else environ
    given = dict(overrides or {})
    for name in given:
        if name not in _BY_NAME:
            raise ConfigurationError(name, given[name], _nearest(name, _BY_NAME), "argument")
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    config = str(given.get("config") or environ.get("RETRACE_CONFIG", ""))
    file = _read_file(config) if config else {}
    # All of it, also what something else goes before now: "enabled" counts in any case.
    filed = {name: _checked(_BY_NAME[name], raw, name, config) for name, raw in file.items()}
    for setting in SETTINGS:
        raw, shown, origin = _pick(setting, given, environ, file, config)
        if origin == "default":
            values[setting.name] = raw
            continue
        values[setting.name] = _checked(setting, raw, shown, origin)
        origins[setting.name] = origin
    if filed.get("enabled") is False:  # the switch that works while running: off always wins
        values["enabled"] = False
        origins["enabled"] = config
    values["recording_path"] = _expand(values["recording_path"], environ, origins)
    return Settings(**values, origins=origins)


def unknown_variables(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return RETRACE_* variables that mean nothing -> advice with the nearest name."""
    environ = os.environ if environ is None else environ
    known = {*_BY_VARIABLE, *_INTERNAL}
    return {
        name: "RETRACE" if name in _SWITCHES else _nearest(name, _BY_VARIABLE)
        for name in environ
        if name.startswith("RETRACE_") and name not in known
    }


def _pick(
    setting: Setting,
    given: Mapping[str, object],
    environ: Mapping[str, str],
    file: Mapping[str, object],
    config: str,
) -> tuple[Any, str, str]:
    if given.get(setting.name) is not None:
        return given[setting.name], setting.name, "argument"
    if setting.variable in environ:
        return environ[setting.variable], setting.variable, f"environment {setting.variable}"
    if setting.name in file:
        return file[setting.name], setting.name, config
    return setting.default, setting.name, "default"


def _checked(setting: Setting, raw: Any, shown: str, origin: str) -> Any:
    value = _parsed(setting, raw, shown, origin)
    if setting.low is not None and not setting.low <= value <= cast("float", setting.high):
        allowed = f"a number from {setting.low:g} to {setting.high:g} {setting.unit}".rstrip()
        raise ConfigurationError(shown, raw, allowed, origin)
    if setting.name == "service" and value and not valid_service(value):
        raise ConfigurationError(
            shown, raw, "up to 64 letters, digits, '.', '_' or '-', a letter or digit first", origin
        )
    if setting.name == "trace_header" and not _HEADER_NAMES.fullmatch(value):
        raise ConfigurationError(shown, raw, "names of headers, separated by commas", origin)
    if setting.name in ("force_secret", "redact_key"):
        check_secret(value, shown, origin)
    if setting.name == "app" and value and ":" not in value:
        raise ConfigurationError(shown, raw, "module:attribute", origin)
    if setting.name == "recording_path":
        check_url(_VARIABLE.sub("x", value), shown, origin, value)
    if setting.name == "flight_recorder_triggers":
        for trigger in value.replace(",", " ").split():
            if trigger not in ("crash", "exit") and not _catchable(trigger):
                allowed = "crash, exit, or a signal that can be caught, like SIGUSR2"
                raise ConfigurationError(shown, raw, allowed, origin)
    return value


def _catchable(name: str) -> bool:
    return (
        name.startswith("SIG")
        and isinstance(getattr(signal, name, None), signal.Signals)
        and name not in ("SIGKILL", "SIGSTOP", "SIGTERM")  # SIGTERM: "exit"
    )


def _parsed(setting: Setting, raw: Any, shown: str, origin: str) -> Any:
    if setting.kind is bool:
        text = str(raw).strip().lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise ConfigurationError(shown, raw, "1 or 0", origin)
    if setting.kind in (int, float):
        try:
            number = setting.kind(raw)
        except (TypeError, ValueError):
            number = None
        if number is None or isinstance(raw, bool) or number != number:
            kind = "a whole number" if setting.kind is int else "a number"
            raise ConfigurationError(shown, raw, kind, origin)
        return number
    if setting.kind is tuple:
        return parse_texts(raw, shown, origin)
    if setting.kind is list:
        return parse_tables(raw, shown, origin)
    if not isinstance(raw, (str, os.PathLike)):
        raw = "(hidden)" if setting.secret else raw
        raise ConfigurationError(shown, raw, "text", origin)
    return os.fspath(cast("str", raw))


def _expand(path: str, environ: Mapping[str, str], origins: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] in environ:
            return environ[match[1]]
        origin = origins.get("recording_path", "default")
        raise ConfigurationError(
            "recording_path", path, f"only variables that are set, {match[1]} is not", origin
        )

    expanded = _VARIABLE.sub(value, path)
    check_url(expanded, "recording_path", origins.get("recording_path", "default"))
    return expanded


def _read_file(path: str) -> Mapping[str, object]:
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # no file, no UTF-8, no TOML, no path even
        raise ConfigurationError(
            "RETRACE_CONFIG",
            path,
            f"a readable TOML file ({getattr(error, 'strerror', None) or error})",
        ) from None
    table = content.get("retrace", {})
    if not isinstance(table, dict):
        raise ConfigurationError("retrace", table, "a table: [retrace]", path)
    for name, value in content.items():
        if name in (*_BY_NAME, "limits") or not isinstance(value, dict | list):
            shown = "(hidden)" if name in _BY_NAME and _BY_NAME[name].secret else value
            raise ConfigurationError(name, shown, "it below the line [retrace]", path)
    found = _flat(cast("dict[str, object]", table), path)
    for name, value in found.items():
        if name not in _BY_NAME:
            inner = name.startswith("limits_")
            known = [one for one in _BY_NAME if one.startswith("limits_")] if inner else _BY_NAME
            raise ConfigurationError(name, value, _nearest(name, known), path)
    return found


def _flat(table: dict[str, object], path: str) -> dict[str, object]:
    """Return the table with `share` of its table `limits` as `limits_share`, and so of `redact`."""
    found = {name: value for name, value in table.items() if name != "limits"}
    for home in ("limits", "redact"):
        inner = table.get(home, {})
        if home == "redact" and not isinstance(inner, dict):
            continue  # the switch of the same name
        if not isinstance(inner, dict):
            raise ConfigurationError(home, inner, f"a table: [retrace.{home}]", path)
        found.pop(home, None)
        for name, value in cast("dict[str, object]", inner).items():
            full = "redact" if (home, name) == ("redact", "enabled") else f"{home}_{name}"
            if full in found:
                allowed = f"{name} in [retrace.{home}], or {full}, not both"
                raise ConfigurationError(full, value, allowed, path)
            found[full] = value
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    last = name.rpartition("_")[2].lower()
    # RETRACE_PATH is meant for RETRACE_RECORDING_PATH, which as a whole is not alike.
    ends = [one for one in listed if one.rpartition("_")[2].lower() == last]
    near = ends if len(ends) == 1 else difflib.get_close_matches(name, listed, n=1, cutoff=0.7)
    return near[0] if near else f"one of {', '.join(listed)}"


assert {f.name for f in fields(Settings)} - {"origins"} == set(_BY_NAME)
