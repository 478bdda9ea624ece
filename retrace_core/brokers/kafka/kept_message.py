"""Kept message: stands for one of confluent-kafka's where the library lets nobody make any."""

from __future__ import annotations

from typing import Any

__all__ = ["KeptMessage"]

_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("topic", "partition", "offset", "key", "value", "headers", "error")),
    **dict.fromkeys(("latency", "leader_epoch")),
    "timestamp": (0, 0),
}


class KeptMessage:
    """A message whose methods say what was recorded.

    Args:
        fields: by the names of the methods.
    """

    def __init__(self, **fields: Any) -> None:
        self._fields = {**_DEFAULTS, **fields}

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__.get("_fields", {})
        if name in fields:
            return lambda: fields[name]
        setting = name.removeprefix("set_")
        if name != setting and setting in fields:
            return lambda value: fields.__setitem__(setting, value)
        raise AttributeError(name)

    def __len__(self) -> int:
        """Return the size of its value, in bytes."""
        return len(self._fields["value"] or b"")
