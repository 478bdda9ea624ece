"""The settings of secrets: what is masked, what is sealed, to whom recordings are encrypted.

In the file those of redaction stand in a table of their own, `[retrace.redact]`, without the
prefix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrace_core.setting_rows.limit_settings import LimitSettings
from retrace_core.setting_rows.setting import Setting

__all__ = ["SECRET_SETTINGS", "SecretSettings"]

DETECTORS = ("card", "jwt", "key", "email", "hash", "oauth", "url")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSettings(LimitSettings):
    """What of a recording can be read by whom."""

    redact: bool = True
    redact_names: tuple[str, ...] = ()
    redact_keep: tuple[str, ...] = ()
    redact_patterns: tuple[str, ...] = ()
    redact_paths: tuple[str, ...] = ()
    redact_detectors: tuple[str, ...] = DETECTORS
    redact_for_good: tuple[str, ...] = ()
    redact_point_to_code: bool = True
    redact_key: str = field(default="", repr=False)
    seal_to: str = ""
    encrypt_to: str = ""


SECRET_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="redact",
        variable="RETRACE_REDACT",
        kind=bool,
        default=True,
        doc="Put pseudonyms in the place of secrets, so that a recording has none in clear text.",
    ),
    Setting(
        name="redact_names",
        variable="RETRACE_REDACT_NAMES",
        kind=tuple,
        default=(),
        doc="More names of headers, cookies, parameters, fields, columns and variables whose"
        " values are secrets. A list, in the environment separated by commas.",
    ),
    Setting(
        name="redact_keep",
        variable="RETRACE_REDACT_KEEP",
        kind=tuple,
        default=(),
        doc="Names whose values are no secrets, though they look so.",
    ),
    Setting(
        name="redact_patterns",
        variable="RETRACE_REDACT_PATTERNS",
        kind=tuple,
        default=(),
        doc="Regular expressions; what one matches, or its first group, is a secret.",
    ),
    Setting(
        name="redact_paths",
        variable="RETRACE_REDACT_PATHS",
        kind=tuple,
        default=(),
        doc="JSON paths: what they mean in JSON of bodies, messages and values is a secret, like"
        " `$.customer.name` or `$..note`. A list, in the environment separated by commas.",
    ),
    Setting(
        name="redact_detectors",
        variable="RETRACE_REDACT_DETECTORS",
        kind=tuple,
        default=DETECTORS,
        doc="Which detectors look at all texts: card numbers, JWTs, keys of clouds and services,"
        " e-mail addresses, hashes of passwords, codes of OAuth, passwords in URLs.",
    ),
    Setting(
        name="redact_for_good",
        variable="RETRACE_REDACT_FOR_GOOD",
        kind=tuple,
        default=(),
        doc="Names and detectors whose values are masked for good, also where `seal_to` is set.",
    ),
    Setting(
        name="redact_point_to_code",
        variable="RETRACE_REDACT_POINT_TO_CODE",
        kind=bool,
        default=True,
        doc="Say of a masked secret that is a text of the application's own code, or stands on the"
        " boot tape, where it is, so that a replay has it from there.",
    ),
    Setting(
        name="redact_key",
        variable="RETRACE_REDACT_KEY",
        kind=str,
        default="",
        secret=True,
        doc="What pseudonyms are made with, 32 characters or more, so that they are the same in"
        " all processes; by default random, each process its own.",
    ),
    Setting(
        name="seal_to",
        variable="RETRACE_SEAL_TO",
        kind=str,
        default="",
        doc="Public keys (age), or a file of them: the masked values stay in the recording,"
        " encrypted to them. Several are separated by commas.",
    ),
    Setting(
        name="encrypt_to",
        variable="RETRACE_ENCRYPT_TO",
        kind=str,
        default="",
        doc="Public keys (age), or a file of them: recordings are encrypted to them as a whole.",
    ),
)
