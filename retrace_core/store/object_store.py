"""Object store: recordings in S3 and whatever is compatible, Google Cloud Storage and Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from retrace_core.store.protocol import Store

__all__ = ["open_object_store"]


def open_object_store(url: str) -> Store:
    """Return the store that a cloud's URL means.

    Raises:
        ConfigurationError: it can't be opened.
    """
    raise ConfigurationError("RETRACE_RECORDING_PATH", url, "a folder (clouds come next)")
