"""The settings of keeping: the catalog, what goes away when, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrace_core.setting_rows.recording_settings import RecordingSettings
from retrace_core.setting_rows.setting import Setting

__all__ = ["KEEPING_SETTINGS", "KeepingSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingSettings(RecordingSettings):
    """What happens to recordings once they are kept."""

    catalog: str = field(default="", repr=False)
    retention_age: str = ""
    retention_failures_age: str = ""
    retention_tags: tuple[str, ...] = ()
    retention_bytes: str = ""
    retention_per_route: int = 0
    retention_failures_per_route: int = 0
    audit: str = "store"


KEEPING_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="catalog",
        variable="RETRACE_CATALOG",
        kind=str,
        default="",
        secret=True,
        doc="The catalog's file, or its database, `postgresql+psycopg://user@host/name`; by default"
        " `.catalog/catalog.sqlite` beside the recordings of a folder, and a file in the user's"
        " cache for a store in a cloud.",
    ),
    Setting(
        name="retention_age",
        variable="RETRACE_RETENTION_AGE",
        kind=str,
        default="",
        doc="How old recordings become, `30d`; `retrace prune` and `retrace lifecycle` go by it."
        " Empty for no limit.",
    ),
    Setting(
        name="retention_failures_age",
        variable="RETRACE_RETENTION_FAILURES_AGE",
        kind=str,
        default="",
        doc="How old those become that failed (an exception, 500 and above); empty: as all others.",
    ),
    Setting(
        name="retention_tags",
        variable="RETRACE_RETENTION_TAGS",
        kind=tuple,
        default=(),
        doc="How old those with a tag become, whatever else is said: `tenant=acme:365d`,"
        " `debug=*:1d`, `case=7:forever`.",
    ),
    Setting(
        name="retention_bytes",
        variable="RETRACE_RETENTION_BYTES",
        kind=str,
        default="",
        doc="How much all recordings of the store may have together, `50GB`; the oldest go first,"
        " failures after all others, those with a tag rule last. Empty for no limit.",
    ),
    Setting(
        name="retention_per_route",
        variable="RETRACE_RETENTION_PER_ROUTE",
        kind=int,
        default=0,
        unit="recordings",
        low=0,
        high=1e9,
        doc="How many of each route stay, the newest; failures and those with a tag rule are not"
        " counted. 0 for no limit.",
    ),
    Setting(
        name="retention_failures_per_route",
        variable="RETRACE_RETENTION_FAILURES_PER_ROUTE",
        kind=int,
        default=0,
        unit="recordings",
        low=0,
        high=1e9,
        doc="The same for failures. 0 for no limit.",
    ),
    Setting(
        name="audit",
        variable="RETRACE_AUDIT",
        kind=str,
        default="store",
        doc="Where it is written who fetched, shared, replayed or deleted recordings: `store`"
        " (below `.audit/` in the store itself), a file of this machine, or `off`.",
    ),
)
