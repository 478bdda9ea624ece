"""The settings of keeping: the catalog, what goes away when, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrace_core.recording_settings import RecordingSettings
from retrace_core.setting import Setting

__all__ = ["KEEPING_SETTINGS", "KeepingSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingSettings(RecordingSettings):
    """What happens to recordings once they are kept."""

    catalog: str = field(default="", repr=False)


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
)
