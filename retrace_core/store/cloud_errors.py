"""Cloud errors: what a cloud's client says, as one of our errors, in one line, without secrets."""

from __future__ import annotations

import re

from retrace_core.errors import NotStored, StoreError, StoreRefused, StoreUnavailable

__all__ = ["cloud_error"]

_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "no bucket named", "bucket does not exist")
_NO_CREDENTIALS = (
    "token request",
    "169.254.169.254",
    "metadata.google.internal",
    "Missing credential",
    "MissingCredential",
    "NoCredentials",
)
_REFUSED = (
    "401 Unauthorized",
    "403 Forbidden",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "AccessDenied",
    "Container name must be specified",
    "Account must be specified",
    "KMS.",
)
_TYPES = ("PermissionDeniedError", "UnauthenticatedError")
_BUCKETS = {"s3": "bucket", "gs": "bucket", "az": "container"}


def cloud_error(error: BaseException, url: str, key: str, what: str) -> StoreError:
    """Return our error for one of the client's; it becomes its cause.

    Args:
        error: what the client raised.
        url: of the store.
        key: what was asked for, below the store's root; "" for the store as a whole.
        what: "read", "written", "listed", "removed", "signed" or "opened".
    """
    said = _said(error)
    place = f"{url}/{key}" if key else url
    made: StoreError
    missing = what == "listed" and "404 Not Found" in said  # of Google's, no word more
    if missing or any(word in said for word in _NO_BUCKET):
        kind = _BUCKETS[url.partition(":")[0]]
        made = StoreRefused(
            f"{place} can't be {what}: there is no such {kind}; create it, or correct the URL"
        )
    elif any(word in said for word in _NO_CREDENTIALS):
        made = StoreRefused(
            f"{place} can't be {what}: no credentials were found where this cloud has them"
            f" (environment, files, the machine's role): {said}"
        )
    elif type(error).__name__ in _TYPES or any(word in said for word in _REFUSED):
        made = StoreRefused(
            f"{place} can't be {what}: the store refuses; check the credentials and their"
            f" permissions with retrace doctor: {said}"
        )
    elif isinstance(error, FileNotFoundError) and what != "written":
        made = NotStored(f"{place} can't be {what} (there is nothing); see retrace ls")
    elif isinstance(error, ValueError):
        made = StoreError(f"{place} can't be {what}: {said}")
    else:
        made = StoreUnavailable(
            f"{place} can't be {what} now: {said}; try again, and see retrace doctor"
        )
    made.__cause__ = error
    return made


def _said(error: BaseException) -> str:
    """Return the client's own words: one line, and nothing that a URL was signed with."""
    text = str(error).partition("\n\nDebug source")[0]
    code, message = re.search(r"<Code>(.*?)</Code>", text), re.search(r"<Message>(.*?)<", text)
    if code:
        text = f"{text.partition('<')[0]}{code[1]} {message[1] if message else ''}"
    text = re.sub(r"(https?://[^\s?]+)\?\S*", r"\1", text)
    return " ".join(text.split())[:400] or type(error).__name__
