"""Retention: what goes away and when, what must not, and the proof of what went.

policy.py      how long recordings are kept, and how many
choosing.py    which go by that, and why
marks.py       which stay whatever the policy says
boot_tapes.py  those of processes whose recordings are gone
deleting.py    takes them out of the store
receipts.py    one line for each deletion
lifecycle.py   the nearest that a cloud's own rules come to a policy
"""

from __future__ import annotations

from retrace_core.retention.boot_tapes import LEAST_AGE_NS, unused_boot_tapes
from retrace_core.retention.choosing import Condemned, choose
from retrace_core.retention.deleting import Deleted, delete_all
from retrace_core.retention.marks import Mark, Marks, lift, mark, marks_of
from retrace_core.retention.policy import Policy, TagRule, policy_of
from retrace_core.retention.receipts import Receipt

__all__ = [
    "LEAST_AGE_NS",
    "Condemned",
    "Deleted",
    "Mark",
    "Marks",
    "Policy",
    "Receipt",
    "TagRule",
    "choose",
    "delete_all",
    "lift",
    "mark",
    "marks_of",
    "policy_of",
    "unused_boot_tapes",
]
