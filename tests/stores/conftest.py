"""The emulators, each for the whole session, with a bucket "recordings" and its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stores.emulators import AzureEmulator, Emulator, GcsEmulator, S3Emulator, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def s3_for_all() -> Iterator[Emulator]:
    """Return an S3 for the whole session; don't stop it."""
    with running(S3Emulator) as server:
        server.make_bucket("recordings")
        yield server


@pytest.fixture(scope="session")
def gcs_for_all() -> Iterator[Emulator]:
    """Return a Google Cloud Storage for the whole session; don't stop it."""
    with running(GcsEmulator) as server:
        server.make_bucket("recordings")
        yield server


@pytest.fixture(scope="session")
def azure_for_all() -> Iterator[Emulator]:
    """Return an Azure Blob Storage for the whole session; don't stop it."""
    with running(AzureEmulator) as server:
        server.make_bucket("recordings")
        yield server


@pytest.fixture
def s3(s3_for_all: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return the S3 of the session, which this process finds in its environment."""
    return _found(s3_for_all, monkeypatch)


@pytest.fixture
def gcs(gcs_for_all: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return the Google Cloud Storage of the session, found in the environment."""
    return _found(gcs_for_all, monkeypatch)


@pytest.fixture
def azure(azure_for_all: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return the Azure Blob Storage of the session, found in the environment."""
    return _found(azure_for_all, monkeypatch)


def _found(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server
