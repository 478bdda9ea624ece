"""The clouds as stores, each against its emulator."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import boto3
import pytest

from retrace_core.errors import NotStored, StoreError, StoreRefused, StoreUnavailable
from retrace_core.store import open_store
from tests.server_process import free_port
from tests.stores.contract import SPAN, BlobsContract, StoreContract, fresh

if TYPE_CHECKING:
    from retrace_core.store import Blobs, Store
    from tests.stores.emulators import Emulator


class TestS3(StoreContract):
    """The contract."""

    @pytest.fixture
    def store(self, s3: Emulator) -> Store:
        """Return a prefix of the bucket."""
        return open_store("s3://recordings/production/eu")


class TestS3Blobs(BlobsContract):
    """The contract."""

    @pytest.fixture
    def blobs(self, s3: Emulator) -> Blobs:
        """Return those of a whole bucket."""
        s3.make_bucket("blobs")
        return open_store("s3://blobs").blobs


class TestGoogle(StoreContract):
    """The contract."""

    @pytest.fixture
    def store(self, gcs: Emulator) -> Store:
        """Return a prefix of the bucket."""
        return open_store("gs://recordings/production")


class TestGoogleBlobs(BlobsContract):
    """The contract."""

    @pytest.fixture
    def blobs(self, gcs: Emulator) -> Blobs:
        """Return those of a prefix."""
        return open_store("gs://recordings/blobs").blobs


class TestAzure(StoreContract):
    """The contract."""

    @pytest.fixture
    def store(self, azure: Emulator) -> Store:
        """Return a prefix of the container."""
        return open_store("az://recordings/production")


class TestAzureBlobs(BlobsContract):
    """The contract."""

    @pytest.fixture
    def blobs(self, azure: Emulator) -> Blobs:
        """Return those of a prefix."""
        return open_store("az://recordings/blobs").blobs


@pytest.fixture(params=["s3", "gcs", "azure"])
def cloud(request: pytest.FixtureRequest) -> Emulator:
    """Return each of the emulators."""
    emulator: Emulator = request.getfixturevalue(request.param)
    return emulator


def test_a_missing_bucket_is_refused_in_words(cloud: Emulator) -> None:
    """Whatever is asked of it that a cloud answers with the bucket's absence."""
    store = open_store(f"{cloud.scheme}://no-such-bucket/x")
    if cloud.scheme != "gs":  # the emulator makes a bucket of a put
        with pytest.raises(StoreRefused, match="there is no such"):
            store.put(fresh(), "shop", SPAN, b"x")
    with pytest.raises(StoreRefused, match=r"no-such-bucket.* there is no such"):
        list(store.list())


def test_a_store_that_is_down_is_unavailable(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is of those after which one tries again."""
    address = f"http://127.0.0.1:{free_port()}"
    if cloud.scheme == "gs":
        account = uuid.uuid4().hex
        path = cloud.folder / f"{account}.json"
        text = (cloud.folder / "account.json").read_text()
        path.write_text(text.replace(cloud.endpoint, address))
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", address)
    store = open_store(f"{cloud.scheme}://recordings/x")
    with pytest.raises(StoreUnavailable, match="try again"):
        store.put(fresh(), "shop", SPAN, b"x")


def test_wrong_keys_are_refused(azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an emulator that checks signatures; the key is not in the error."""
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{azure.endpoint}/devstoreaccount1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmcga2V5")
    with pytest.raises(StoreRefused, match="check the credentials") as caught:
        open_store("az://recordings/x").put(fresh(), "shop", SPAN, b"x")
    assert "d3Jvbmcga2V5" not in str(caught.value)


def test_what_presigning_signs_is_not_in_an_error(azure: Emulator) -> None:
    """A URL is told without its query."""
    store = open_store("az://recordings/x")
    with pytest.raises(NotStored) as caught:
        store.get(f"{fresh()}/shop/trace.bin")
    assert "sig=" not in str(caught.value)


@pytest.mark.parametrize(
    ("algorithm", "more"),
    [("AES256", {}), ("aws:kms", {"AWS_SSE_KMS_KEY_ID": "arn:aws:kms:us-east-1:1:key/abc"})],
)
def test_s3_encrypts_as_the_environment_says(
    s3: Emulator, monkeypatch: pytest.MonkeyPatch, algorithm: str, more: dict[str, str]
) -> None:
    """SSE-S3 and SSE-KMS are passed through: the object has them."""
    for name, value in {"AWS_SERVER_SIDE_ENCRYPTION": algorithm, **more}.items():
        monkeypatch.setenv(name, value)
    path = open_store("s3://recordings/sse").put(fresh(), "shop", SPAN, b"x")
    client = boto3.client("s3", endpoint_url=s3.endpoint)
    head = client.head_object(Bucket="recordings", Key=f"sse/{path}")
    client.close()
    assert head["ServerSideEncryption"] == algorithm
    assert head.get("SSEKMSKeyId") == more.get("AWS_SSE_KMS_KEY_ID")


def test_a_batch_answers_for_each(s3: Emulator) -> None:
    """One that can't be kept does not harm the others."""
    store = open_store("s3://recordings/batch")
    trace = fresh()
    names = [(trace, "shop", f"{n:016x}", b"%d" % n) for n in range(40)]
    answers = store.put_all([*names, ("..", "shop", SPAN, b"x")])  # type: ignore[attr-defined]
    assert isinstance(answers[-1], StoreError)
    assert len(set(answers[:-1])) == 40
    assert [store.get(path) for path in answers[:-1]] == [data for *_, data in names]
