"""Cloud: the client of a bucket, by obstore; credentials by each cloud's standard chain only.

No key is ever in a URL or a setting of ours. S3: the environment, web identity, the container's
or machine's role, and, where boto3 is installed, profiles and single sign-on. Google: the
application default credentials. Azure: the environment, workload or managed identity, and,
where azure-identity is installed, whatever its DefaultAzureCredential finds. What else a
cloud's client reads from the environment counts as well: endpoints, regions, and how S3
encrypts (AWS_SERVER_SIDE_ENCRYPTION, AWS_SSE_KMS_KEY_ID, AWS_SSE_BUCKET_KEY_ENABLED).
"""

from __future__ import annotations

import importlib.util
import os
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError, StoreError, StoreUnavailable
from retrace_core.store.cloud_errors import cloud_error
from retrace_core.store.opening import scheme_of

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

__all__ = ["Cloud"]

_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": (),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_STATIC = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ),
    "az": (
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_USE_EMULATOR",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_SKIP_SIGNATURE",
    ),
}
"""Where one of these is set, the client needs no other library to find its credentials."""
_RETRY: dict[str, Any] = {"max_retries": 2}
"""Few: whoever ships waits and tries again on its own, and a person wants to know."""

_used_by = 0
"""The process in which the library has begun to work; its threads do not survive a fork."""


class Cloud:
    """One bucket and a prefix in it; the library is loaded, and asked, at the first use.

    Args:
        url: s3://bucket/prefix, gs://bucket/prefix or az://container/prefix.

    Raises:
        ConfigurationError: the library is not installed.
    """

    def __init__(self, url: str) -> None:
        self.scheme = scheme_of(url)
        self.bucket, _, prefix = url[len(self.scheme) + 3 :].partition("/")
        self.prefix = "/".join(part for part in prefix.split("/") if part)
        self.url = f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")
        self._lock = threading.Lock()
        self._made: S3Store | GCSStore | AzureStore | None = None
        if importlib.util.find_spec("obstore") is None:
            raise ConfigurationError(
                "RETRACE_RECORDING_PATH",
                url,
                "a folder, or install what clouds need: pip install 'retrace-mw[clouds]'",
            )

    @property
    def usable_here(self) -> bool:
        """False in a process that was forked from one which had used the library."""
        return _used_by in (0, os.getpid())

    def client(self) -> Any:
        """Return the client.

        Raises:
            StoreUnavailable: another process used the library before this was forked from it.
            StoreError: what the environment says makes no client.
        """
        global _used_by
        with self._lock:
            if not self.usable_here:
                raise StoreUnavailable(
                    f"{self.url} can't be reached by a process that was forked from one which"
                    " reached a cloud's store; whoever else ships from the spool does it"
                )
            if self._made is None:
                try:
                    self._made = self._make()
                except StoreError:
                    raise
                except Exception as error:
                    raise cloud_error(error, self.url, "", "opened") from error
                _used_by = os.getpid()
            return self._made

    def _make(self) -> S3Store | GCSStore | AzureStore:
        from obstore.store import AzureStore, GCSStore, S3Store

        given: dict[str, Any] = {
            "prefix": self.prefix or None,
            "client_options": self._client_options(),
            "retry_config": _RETRY,
        }
        if self.scheme == "s3":
            return S3Store(self.bucket, **given, **self._s3_chain())
        if self.scheme == "gs":
            return GCSStore(self.bucket, **given)
        return AzureStore(self.bucket, **given, **self._azure_chain())

    def _client_options(self) -> dict[str, Any]:
        endpoints = (os.environ.get(name, "") for name in _ENDPOINTS[self.scheme])
        options: dict[str, Any] = {"timeout": "30s", "connect_timeout": "5s"}
        plain = any(one.startswith("http://") for one in endpoints)
        if plain or self.scheme == "gs" or os.environ.get("AZURE_STORAGE_USE_EMULATOR"):
            options["allow_http"] = True  # only where an endpoint is given so
        return options

    def _s3_chain(self) -> dict[str, Any]:
        if _is_set("s3") or importlib.util.find_spec("boto3") is None:
            return {}
        import boto3.session
        from obstore.auth.boto3 import Boto3CredentialProvider

        session = boto3.session.Session()
        if session.get_credentials() is None:
            return {}
        return {"credential_provider": Boto3CredentialProvider(session)}

    def _azure_chain(self) -> dict[str, Any]:
        if _is_set("az") or not _importable("azure.identity"):
            return {}
        from obstore.auth.azure import AzureCredentialProvider

        return {"credential_provider": AzureCredentialProvider()}


def _is_set(scheme: str) -> bool:
    return any(os.environ.get(name) for name in _STATIC[scheme])


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
