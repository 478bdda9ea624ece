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

from retrace_core.decision_settings import (
    DECISION_SETTINGS,
    DecisionSettings,
    check_secret,
    parse_tables,
    parse_texts,
)
from retrace_core.errors import ConfigurationError
from retrace_core.ids import valid_service
from retrace_core.limit_settings import LIMIT_SETTINGS
from retrace_core.setting import MIB, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SETTINGS", "Setting", "Settings", "resolve", "unknown_variables"]


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="enabled",
        variable="RETRACE",
        kind=bool,
        default=False,
        doc="Master switch. When off, the middleware is a straight pass-through.",
    ),
    Setting(
        name="recording_path",
        variable="RETRACE_RECORDING_PATH",
        kind=str,
        default="recordings",
        doc="The folder for recordings; `$(NAME)` is replaced by the environment variable NAME.",
    ),
    Setting(
        name="service",
        variable="RETRACE_SERVICE",
        kind=str,
        default="",
        doc="Name of this service, a folder name; by default made from the application's name.",
    ),
    Setting(
        name="sample_rate",
        variable="RETRACE_SAMPLE_RATE",
        kind=float,
        default=0.01,
        low=0.0,
        high=1.0,
        doc="Share of requests to record that carry no X-Trace-ID.",
    ),
    Setting(
        name="config",
        variable="RETRACE_CONFIG",
        kind=str,
        default="",
        doc="A TOML file with settings by these names, in a table [retrace].",
    ),
    Setting(
        name="app",
        variable="RETRACE_APP",
        kind=str,
        default="",
        doc="How replay finds the application, module:attribute; found out by itself mostly.",
    ),
    Setting(
        name="queue_bytes",
        variable="RETRACE_QUEUE_BYTES",
        kind=int,
        default=16 * MIB,
        unit="bytes",
        low=64 * 1024,
        high=4096 * MIB,
        doc="Recordings that wait to be written; beyond it they are dropped and counted.",
    ),
    Setting(
        name="recording_limit_bytes",
        variable="RETRACE_RECORDING_LIMIT_BYTES",
        kind=int,
        default=16 * MIB,
        unit="bytes",
        low=1024,
        high=1024 * MIB,
        doc="Events of one recording; beyond it the recording is cut and marked.",
    ),
    Setting(
        name="body_limit_bytes",
        variable="RETRACE_BODY_LIMIT_BYTES",
        kind=int,
        default=MIB,
        unit="bytes",
        low=0,
        high=1024 * MIB,
        doc="Request or response body kept; beyond it the copy is cut and marked.",
    ),
    Setting(
        name="grace_s",
        variable="RETRACE_GRACE_S",
        kind=float,
        default=10.0,
        unit="seconds",
        low=0.0,
        high=3600.0,
        doc="How long a recording waits for threads and tasks that outlive the response.",
    ),
    Setting(
        name="trace_header_per_s",
        variable="RETRACE_TRACE_HEADER_PER_S",
        kind=float,
        default=100.0,
        unit="requests per second",
        low=0.0,
        high=1e6,
        doc="How many requests an X-Trace-ID from outside may have recorded.",
    ),
    Setting(
        name="trace_header",
        variable="RETRACE_TRACE_HEADER",
        kind=str,
        default="",
        doc="Headers that name the trace in addition to X-Trace-ID, by commas: `X-Request-ID`,"
        " `X-Amzn-Trace-Id`, ... They name a recording, and ask for none.",
    ),
    Setting(
        name="propagate_unrecorded",
        variable="RETRACE_PROPAGATE_UNRECORDED",
        kind=bool,
        default=True,
        doc="Outgoing HTTP calls of a request that is not recorded carry its trace, and that it is"
        " not recorded, so that the services behind decide alike.",
    ),
    Setting(
        name="server_timing",
        variable="RETRACE_SERVER_TIMING",
        kind=bool,
        default=False,
        doc="Recorded responses carry `Server-Timing: traceparent;desc=...`, which browsers show.",
    ),
    Setting(
        name="traceresponse",
        variable="RETRACE_TRACERESPONSE",
        kind=bool,
        default=False,
        doc="Recorded responses carry `traceresponse`, a draft of the W3C's.",
    ),
    Setting(
        name="stop_file",
        variable="RETRACE_STOP_FILE",
        kind=str,
        default="",
        doc="While a file by this path exists nothing new is recorded; looked at every second.",
    ),
    Setting(
        name="flight_recorder_bytes",
        variable="RETRACE_FLIGHT_RECORDER_BYTES",
        kind=int,
        default=0,
        unit="bytes",
        low=0,
        high=4096 * MIB,
        doc="Memory for recordings that were dropped, to be saved on a trigger; 0 for none.",
    ),
    Setting(
        name="flight_recorder_s",
        variable="RETRACE_FLIGHT_RECORDER_S",
        kind=float,
        default=30.0,
        unit="seconds",
        low=0.1,
        high=3600.0,
        doc="How long a dropped recording stays in that memory.",
    ),
    Setting(
        name="flight_recorder_triggers",
        variable="RETRACE_FLIGHT_RECORDER_TRIGGERS",
        kind=str,
        default="crash",
        doc="What saves it besides `save_recent`: any of crash, exit, and names of signals"
        " (SIGUSR2), separated by commas.",
    ),
    Setting(
        name="share_keeps",
        variable="RETRACE_SHARE_KEEPS",
        kind=bool,
        default=False,
        doc="Tell the other services of this store of each trace that a tail decision keeps,"
        " and save what is in memory of theirs.",
    ),
    Setting(
        name="record_hash_seed",
        variable="RETRACE_RECORD_HASH_SEED",
        kind=bool,
        default=False,
        doc="Consent to record the hash secret, so that sets iterate in the same order on"
        " replay. Whoever has it can craft colliding keys.",
    ),
    *DECISION_SETTINGS,
    *LIMIT_SETTINGS,
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_BY_VARIABLE = {setting.variable: setting for setting in SETTINGS}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
_INTERNAL = ("RETRACE_PURE_PYTHON", "RETRACE_HASH_SECRET", "RETRACE_REPLAY_RESTARTED")
_SWITCHES = ("RETRACE_ENABLED", "RETRACE_ENABLE", "RETRACE_ON")
_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_HEADER_NAMES = re.compile(r"(?:[A-Za-z0-9!#$%&'*+.^`|~_-]+(?:\s*,\s*|$))*", re.ASCII)
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(DecisionSettings):
    """The values in force; made by `resolve`."""

    enabled: bool = False
    recording_path: str = "recordings"
    service: str = ""
    sample_rate: float = 0.01
    config: str = ""
    app: str = ""
    queue_bytes: int = 16 * MIB
    recording_limit_bytes: int = 16 * MIB
    body_limit_bytes: int = MIB
    grace_s: float = 10.0
    trace_header_per_s: float = 100.0
    trace_header: str = ""
    propagate_unrecorded: bool = True
    server_timing: bool = False
    traceresponse: bool = False
    stop_file: str = ""
    flight_recorder_bytes: int = 0
    flight_recorder_s: float = 30.0
    flight_recorder_triggers: str = "crash"
    share_keeps: bool = False
    record_hash_seed: bool = False
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
    for setting in SETTINGS:
        raw, shown, origin = _pick(setting, given, environ, file, config)
        if origin == "default":
            values[setting.name] = raw
            continue
        values[setting.name] = _checked(setting, raw, shown, origin)
        origins[setting.name] = origin
    if file.get("enabled") is False:  # the switch that works while running: off always wins
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
    if setting.secret:
        check_secret(value, shown, origin)
    if setting.name == "app" and value and ":" not in value:
        raise ConfigurationError(shown, raw, "module:attribute", origin)
    if setting.name == "recording_path" and (_REMOTE.match(value) or not value or "\0" in value):
        raise ConfigurationError(shown, raw, "a local folder (object stores come later)", origin)
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

    return _VARIABLE.sub(value, path)


def _read_file(path: str) -> Mapping[str, object]:
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            "RETRACE_CONFIG",
            path,
            f"a readable TOML file ({getattr(error, 'strerror', None) or error})",
        ) from None
    table = content.get("retrace", {})
    if not isinstance(table, dict):
        raise ConfigurationError("retrace", table, "a table: [retrace]", path)
    found = _flat(cast("dict[str, object]", table), path)
    for name, value in found.items():
        if name not in _BY_NAME:
            raise ConfigurationError(name, value, _nearest(name, _BY_NAME), path)
    return found


def _flat(table: dict[str, object], path: str) -> dict[str, object]:
    """Return the table with `share` of its table `limits` as `limits_share`."""
    limits = table.get("limits", {})
    if not isinstance(limits, dict):
        raise ConfigurationError("limits", limits, "a table: [retrace.limits]", path)
    found = {name: value for name, value in table.items() if name != "limits"}
    for name, value in cast("dict[str, object]", limits).items():
        if f"limits_{name}" in found:
            allowed = f"{name} in [retrace.limits], or limits_{name}, not both"
            raise ConfigurationError(f"limits_{name}", value, allowed, path)
        found[f"limits_{name}"] = value
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    last = name.rpartition("_")[2].lower()
    # RETRACE_PATH is meant for RETRACE_RECORDING_PATH, which as a whole is not alike.
    ends = [one for one in listed if one.rpartition("_")[2].lower() == last]
    near = ends if len(ends) == 1 else difflib.get_close_matches(name, listed, n=1, cutoff=0.7)
    return near[0] if near else f"one of {', '.join(listed)}"


assert {f.name for f in fields(Settings)} - {"origins"} == set(_BY_NAME)
