"""Boot tapes: what a process recorded of its start goes once no recording needs it any more.

So do the warm-ups that lie beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.ids import names_boot_tape
from retrace_core.retention.choosing import Condemned

if TYPE_CHECKING:
    from collections.abc import Set

    from retrace_core.store import Store

__all__ = ["LEAST_AGE_NS", "unused_boot_tapes"]

LEAST_AGE_NS = 7 * 86400 * 10**9
"""A process that has recorded nothing yet, or not for days, may still run, and need its own."""


def unused_boot_tapes(
    store: Store, needed: Set[str], *, older_than_ns: int, among: Set[str] | None = None
) -> list[Condemned]:
    """Return the boot tapes that no recording refers to.

    Args:
        store: where they are.
        needed: what recordings refer to, as "folder/service".
        older_than_ns: only those kept before this Unix time.
        among: only these, as "folder/service"; None: any.

    Raises:
        StoreError: the store can't be read.
    """
    why = "no recording needs it"
    processes = {place.partition("/")[0] for place in needed}  # of several services, it may be
    return [
        Condemned(one.path, one.size_bytes, one.modified_ns, "", "boot_tape", why)
        for one in store.list(boot_tapes=True)
        if names_boot_tape(one.folder)
        and one.modified_ns < older_than_ns
        and one.folder not in processes
        and (among is None or f"{one.folder}/{one.service}" in among)
    ]
