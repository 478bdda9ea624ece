"""botocore's retries: a checksum of DynamoDB's answer (`x-amz-crc32`) holds where it held.

A masked answer has another one, and would be asked for again. Hook: `CRC32Checker._check_response`,
of the mode `legacy`, which is the default. Read in botocore 1.35 to 1.44.
"""

from __future__ import annotations

from typing import Any

from botocore.retryhandler import CRC32Checker

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import compares_checksum


def _said(checker: Any, _: int, response: Any) -> object:
    return response[0].headers.get(checker._header_name)


BOUNDARY = Boundary(
    kind="checksum",
    supports="botocore>=1.35",
    hooks=(compares_checksum(CRC32Checker, "_check_response", _said),),
    errors=("botocore.exceptions",),
)
