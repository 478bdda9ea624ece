"""Lifecycle: the rule of a cloud's own that comes nearest to a policy.

Such a rule knows how old an object is and how its name begins, and nothing else. It is made so
that it never deletes what the policy would keep: by the longest of the ages. It names each letter
and digit that a trace can begin with, so that marks, receipts and the catalog, whose folders begin
with a dot, stay.
"""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_core.retention.policy import FOREVER
from retrace_core.store.pack_indexes import PACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.retention.policy import Policy

__all__ = ["CLOUDS", "left_out", "lifecycle"]

CLOUDS = ("s3", "gcs", "azure")

_DAY_NS = 86400 * 10**9
_BEGINNINGS = [*string.digits, *string.ascii_lowercase, *string.ascii_uppercase]
_PACKS = f"{PACKS}/"
_PREFIXES_OF_A_RULE = {"gcs": 50, "azure": 10}


def lifecycle(
    cloud: str, policy: Policy, *, prefix: str = "", container: str = ""
) -> dict[str, Any]:
    """Return the document that sets a bucket's lifecycle.

    Args:
        cloud: "s3", "gcs" or "azure".
        policy: what is kept.
        prefix: of the store in its bucket, without slashes at its ends.
        container: Azure's name of the bucket.

    Raises:
        ConfigurationError: the policy lets recordings become of any age.
    """
    if not policy.longest_ns or policy.longest_ns >= FOREVER:
        raise ConfigurationError(
            "retention_age",
            "forever" if policy.longest_ns else "",
            "an age for all recordings (30d): a cloud's rule knows only ages",
        )
    days = math.ceil(policy.longest_ns / _DAY_NS)
    before = f"{prefix}/" if prefix else ""
    prefixes = [before + one for one in (*_BEGINNINGS, _PACKS)]
    if cloud == "s3":
        return {
            "Rules": [
                {
                    "ID": f"retrace-{number:02d}",
                    "Status": "Enabled",
                    "Filter": {"Prefix": one},
                    "Expiration": {"Days": days},
                }
                for number, one in enumerate(prefixes)
            ]
        }
    parts = _parts(prefixes, _PREFIXES_OF_A_RULE[cloud])
    if cloud == "gcs":
        return {
            "lifecycle": {
                "rule": [
                    {
                        "action": {"type": "Delete"},
                        "condition": {"age": days, "matchesPrefix": part},
                    }
                    for part in parts
                ]
            }
        }
    return {
        "rules": [
            {
                "name": f"retrace-{number:02d}",
                "enabled": True,
                "type": "Lifecycle",
                "definition": {
                    "filters": {
                        "blobTypes": ["blockBlob"],
                        "prefixMatch": [f"{container}/{one}" for one in part],
                    },
                    "actions": {"baseBlob": {"delete": {"daysAfterCreationGreaterThan": days}}},
                },
            }
            for number, part in enumerate(parts)
        ]
    }


def left_out(policy: Policy, marked: int) -> list[str]:
    """Return what of a policy a cloud's rule can't do, in words.

    Args:
        policy: what is kept.
        marked: how many recordings are marked.
    """
    found: list[str] = []
    if policy.age_ns and policy.age_ns < policy.longest_ns:
        found.append("the shorter ages: the rule goes by the longest one, prune does the rest")
    if policy.bytes or policy.per_route or policy.failures_per_route:
        found.append("sizes and counts: prune keeps to these")
    if policy.longest_ns % _DAY_NS:
        found.append("parts of days: the rule rounds up")
    if marked:
        found.append(
            f"marks: {marked} recordings are marked, and the rule would delete them all the same;"
            " use prune instead, or the cloud's object lock"
        )
    return found


def _parts(items: list[str], most: int) -> Iterator[list[str]]:
    for begin in range(0, len(items), most):
        yield items[begin : begin + most]
