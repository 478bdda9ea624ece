"""botocore's checksums of answers (`x-amz-checksum-crc32`, of S3) hold where they held.

A masked body has another one. Hooks: `StreamingChecksumBody._validate_checksum`, and
`_handle_bytes_response` for what is read at once. Read in botocore 1.36 to 1.44.
"""

from __future__ import annotations

from typing import Any

from botocore import httpchecksum

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import compares_checksum


def _of_stream(body: Any) -> object:
    return body._expected


def _of_bytes(_: Any, response: Any, algorithm: str) -> object:
    return response["headers"][f"x-amz-checksum-{algorithm}"]


BOUNDARY = Boundary(
    kind="checksum",
    supports="botocore>=1.35",
    hooks=(
        compares_checksum(httpchecksum.StreamingChecksumBody, "_validate_checksum", _of_stream),
        compares_checksum(httpchecksum, "_handle_bytes_response", _of_bytes),
    ),
    errors=("botocore.exceptions",),
)
