"""kombu's mailboxes: a question to all workers, with what they answered (Celery's `inspect`).

It is one event. Below it are a queue for the answers, whose name is made of the process and of
where the mailbox lies in memory, a clock that counts the messages of the process, and as many
polls as it took.

Hook: `Mailbox._broadcast`, unless a callback is given, which would be called in between. Read in
kombu 5.3 to 5.7.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kombu.pidbox import Mailbox

from retrace_core.boundary import Boundary, Patch, call, mask
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_THE_PROCESS = frozenset(("channel", "serializer"))


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _broadcast(
        self: Any, command: str, *args: Any, callback: Any = None, **options: Any
    ) -> Any:
        lane = current()
        if lane is None or callback is not None:
            return original(self, command, *args, callback=callback, **options)

        def live() -> Any:
            with mask():
                return original(self, command, *args, **options)

        asked = sorted(item for item in options.items() if item[0] not in _OF_THE_PROCESS)
        return call(lane, "kombu.broadcast", [self.namespace, command, *args, asked], live)

    return _broadcast


BOUNDARY = Boundary(
    kind="kombu.mailbox", supports="kombu>=5.3", hooks=(Patch(Mailbox, "_broadcast", _hooked),)
)
