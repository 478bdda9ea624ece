"""The deciders: each says yes, no or "tail" to a request, and why."""

from __future__ import annotations

from retrace_mw.deciders.constant import Always, Never
from retrace_mw.deciders.flag_file import FileFlag
from retrace_mw.deciders.force import ForceToken
from retrace_mw.deciders.header import TraceHeader
from retrace_mw.deciders.launchdarkly import LaunchDarklyFlag
from retrace_mw.deciders.openfeature import OpenFeatureFlag
from retrace_mw.deciders.rules import Rules
from retrace_mw.deciders.sampling import SampleRate
from retrace_mw.deciders.tail import KeepIf, KeepIfFailed, KeepIfSlower
from retrace_mw.deciders.tail_new import KeepIfNew
from retrace_mw.deciders.tail_slowest import KeepIfSlowest
from retrace_mw.deciders.upstream import UpstreamDecision

__all__ = [
    "Always",
    "FileFlag",
    "ForceToken",
    "KeepIf",
    "KeepIfFailed",
    "KeepIfNew",
    "KeepIfSlower",
    "KeepIfSlowest",
    "LaunchDarklyFlag",
    "Never",
    "OpenFeatureFlag",
    "Rules",
    "SampleRate",
    "TraceHeader",
    "UpstreamDecision",
]
