"""Native: the C extension where it is there, else the pure Python fallback.

`RETRACE_PURE_PYTHON=1` takes the fallback, for tests and for trying out.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

NOTE = ""
"""Why the fallback is in use; empty when it is not."""

if TYPE_CHECKING:
    from retrace_core._native import (
        INFRA,
        LANE,
        OFF,
        RECORD,
        REPLAY,
        SOFT_KINDS,
        Finder,
        Lane,
        ScopeState,
        arm,
        bind_thread,
        current,
        encode,
        exempt,
        find_all,
        hard_events,
        hook_hash_type,
        hook_status,
        install_clock_hooks,
        lane_hook,
        now_ns,
        order_sets,
        order_sets_while_armed,
        put_files,
        release_hash_types,
        remove_clock_hooks,
        set_call_handlers,
        set_encode_fallback,
        set_importer,
        set_pid,
        set_policy,
        texts_at,
        watch,
    )

    IMPLEMENTATION: str = "c"
else:
    try:
        if os.environ.get("RETRACE_PURE_PYTHON", "") not in ("", "0"):
            raise ImportError("RETRACE_PURE_PYTHON is set")
        _implementation = importlib.import_module("retrace_core._native")

        IMPLEMENTATION = "c"
    except ImportError as error:
        _implementation = importlib.import_module("retrace_core._fallback")
        IMPLEMENTATION = "python"
        NOTE = str(error)
    for _name in (
        "INFRA LANE OFF RECORD REPLAY SOFT_KINDS Finder Lane ScopeState arm bind_thread current"
        " encode exempt find_all hard_events hook_hash_type hook_status install_clock_hooks"
        " now_ns lane_hook order_sets put_files release_hash_types remove_clock_hooks"
        " set_call_handlers set_encode_fallback set_importer"
        " order_sets_while_armed set_pid set_policy texts_at watch"
    ).split():
        globals()[_name] = getattr(_implementation, _name)

__all__ = [
    "IMPLEMENTATION",
    "INFRA",
    "LANE",
    "NOTE",
    "OFF",
    "RECORD",
    "REPLAY",
    "SOFT_KINDS",
    "Finder",
    "Lane",
    "ScopeState",
    "arm",
    "bind_thread",
    "current",
    "encode",
    "exempt",
    "find_all",
    "hard_events",
    "hook_hash_type",
    "hook_status",
    "install_clock_hooks",
    "lane_hook",
    "now_ns",
    "order_sets",
    "order_sets_while_armed",
    "put_files",
    "release_hash_types",
    "remove_clock_hooks",
    "set_call_handlers",
    "set_encode_fallback",
    "set_importer",
    "set_pid",
    "set_policy",
    "texts_at",
    "watch",
]
