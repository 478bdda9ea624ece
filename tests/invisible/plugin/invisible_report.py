"""A plugin of pytest's: writes how each test ended, one line of JSON for each."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_ended: dict[str, set[str]] = {}


def pytest_runtest_logreport(report: Any) -> None:
    """Note how a part of a test ended: setting up, call, taking down."""
    how = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
    if report.when == "call" or report.outcome != "passed":
        _ended.setdefault(report.nodeid, set()).add(f"{report.when} {how}")


def pytest_collectreport(report: Any) -> None:
    """Note what could not be collected."""
    if report.outcome != "passed":
        _ended.setdefault(f"collect {report.nodeid}", set()).add(report.outcome)


def pytest_sessionfinish() -> None:
    """Write it down, with what Retrace counted where it is at work."""
    lines: list[dict[str, Any]] = [
        {"id": name, "how": sorted(how)} for name, how in sorted(_ended.items())
    ]
    if "wrapping" in sys.modules:
        from retrace_core import stats, writer

        writer.flush(60)
        lines.append({"stats": stats()})
    with open(os.environ["INVISIBLE_REPORT"], "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
