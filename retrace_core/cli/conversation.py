"""The conversation that `show` lists: who said what on a web socket, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.cli.document import plain
from retrace_core.cli.words import cut, duration, plural, size, value_words
from retrace_core.conversation import WEBSOCKET, messages

if TYPE_CHECKING:
    from retrace_core.cli.screen import Cell, Screen
    from retrace_core.conversation import Said
    from retrace_core.recording import Recording

__all__ = ["conversation_document", "message_words", "show_conversation"]

_CUT, _FULL = 160, 1_000_000
_WHO = {"client": "client", "app": "  app", "elsewhere": "  app, by other requests"}


def show_conversation(screen: Screen, recording: Recording, *, full: bool) -> None:
    """Print the messages of a web socket, in order; of HTTP what is neither head nor body."""
    said = messages(recording)
    if not said:
        return
    title = "Conversation" if recording.request.protocol == WEBSOCKET else "Also sent"
    screen.heading(f"{title} ({plural(len(said), 'message')})")
    limit = _FULL if full else _CUT
    screen.table(
        ("  AT", "LANE", "WHO", "SAID"),
        [_cells(one, limit) for one in said],
        folding=("SAID",),
        droppable=("LANE",),
    )


def conversation_document(recording: Recording) -> list[dict[str, Any]]:
    """Return the messages as plain JSON values."""
    return [
        {
            "by": one.by,
            "at_us": one.end_us,
            "lane": one.lane,
            "message": plain(one.message),
        }
        for one in messages(recording)
    ]


def message_words(message: dict[str, Any], limit: int) -> str:
    """Return what a message says: its text, or what else it is."""
    kind = str(message.get("type", "")).removeprefix("websocket.")
    text, data = message.get("text"), message.get("bytes")
    if isinstance(text, str):
        return cut(value_words(text, limit), limit)
    if isinstance(data, bytes):
        return cut(f"{size(len(data))}  {value_words(data, limit)}", limit)
    rest = {name: value for name, value in message.items() if name != "type" and value}
    if kind in ("close", "disconnect"):
        reason = f" {rest['reason']}" if rest.get("reason") else ""
        return cut(f"{kind} {rest.get('code', 1000 if kind == 'close' else '')}{reason}", limit)
    return cut(f"{kind} {value_words(rest, limit) if rest else ''}".rstrip(), limit)


def _cells(one: Said, limit: int) -> list[Cell]:
    return [
        (f"  +{duration(one.end_us)}", "dim"),
        (one.lane, "dim"),
        (_WHO[one.by], "cyan" if one.by == "client" else ""),
        (message_words(one.message, limit), ""),
    ]
