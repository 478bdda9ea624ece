"""The deciders: each says yes or no to a request, and why."""

from __future__ import annotations

from retrace_mw.deciders.constant import Always, Never
from retrace_mw.deciders.header import TraceHeader
from retrace_mw.deciders.sampling import SampleRate
from retrace_mw.deciders.upstream import UpstreamDecision

__all__ = ["Always", "Never", "SampleRate", "TraceHeader", "UpstreamDecision"]
