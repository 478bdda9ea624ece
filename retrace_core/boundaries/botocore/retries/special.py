"""botocore's retries of the modes `standard` and `adaptive`: as those of `botocore.retryhandler`.

Hook: `RetryDDBChecksumError.is_retryable`. Read in botocore 1.35 to 1.44.
"""

from __future__ import annotations

from typing import Any

from botocore.retries.special import RetryDDBChecksumError

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import compares_checksum


def _said(checker: Any, context: Any) -> object:
    if context.http_response is None:
        return None
    return context.http_response.headers.get(checker._CHECKSUM_HEADER)


BOUNDARY = Boundary(
    kind="checksum",
    supports="botocore>=1.35",
    hooks=(compares_checksum(RetryDDBChecksumError, "is_retryable", _said),),
)
