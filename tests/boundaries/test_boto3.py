"""boto3, through http.client: S3, SQS and DynamoDB come back from a real server of theirs."""

from __future__ import annotations

import io
import random
import time
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tests.http_origin import origin
from tests.recorded import assert_identical, identical_body, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """Return the address of a server that stands for AWS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


def client(service: str, address: str, **config: Any) -> Any:
    """Return a client of a service at `address`."""
    return boto3.client(
        service,
        endpoint_url=address,
        region_name="eu-west-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret-1",
        config=Config(**config),
    )


def test_s3_comes_back(recordings: Path, aws: str) -> None:
    """Uploads from memory and from a file (100-continue), a stream read in pieces, a listing."""
    s3 = client("s3", aws)
    s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def view() -> dict[str, Any]:
        lines = "".join(f"{random.random()}\n" for _ in range(9)).encode()
        s3.put_object(Bucket="shop", Key="one", Body=lines)
        s3.upload_fileobj(io.BytesIO(lines * 20), "shop", "two")
        whole = s3.get_object(Bucket="shop", Key="one")
        body = s3.get_object(Bucket="shop", Key="two")["Body"]
        pieces = [body.read(7).decode(), *[line.decode() for line in body.iter_lines()]]
        listed = s3.list_objects_v2(Bucket="shop")["Contents"]
        try:
            s3.head_object(Bucket="shop", Key="three")
        except botocore.exceptions.ClientError as error:
            missing = error.response["Error"]
        return {
            "whole": whole["Body"].read().decode(),
            "etag": whole["ETag"],
            "changed": whole["LastModified"].isoformat(),
            "pieces": pieces,
            "keys": [[one["Key"], one["Size"]] for one in listed],
            "missing": missing,
        }

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    kinds = [event.kind for event in recording.lanes[0].events]
    assert kinds.count("http.wait") == 1  # 100-continue
    assert "secret-1" not in str([lane.events for lane in recording.lanes])
    assert_identical(recording, app)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_signed_url_says_when_it_was_signed(recordings: Path, version: str) -> None:
    """The application hands it on, in a page or a redirect: its time is the recorded one."""
    s3 = client("s3", "http://127.0.0.1:9", signature_version=version)

    def view() -> dict[str, Any]:
        asked = {"Bucket": "shop", "Key": "one"}
        return {
            "url": s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=60),
            "form": s3.generate_presigned_post("shop", "two"),
        }

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    later = int(time.time()) + 2
    while time.time() < later:  # of both versions the times have seconds
        time.sleep(0.1)
    assert_identical(recording, app)


def test_sqs_and_dynamodb_come_back(recordings: Path, aws: str) -> None:
    """A message sent and received; an item put, read, and refused by a condition."""
    sqs, dynamodb = client("sqs", aws), client("dynamodb", aws)
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    dynamodb.create_table(
        TableName="stock",
        KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def view() -> dict[str, Any]:
        sent = sqs.send_message(QueueUrl=queue, MessageBody=str(random.random()))
        (got,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        item = {"sku": {"S": "a"}, "left": {"N": "3"}}
        dynamodb.put_item(TableName="stock", Item=item)
        try:
            dynamodb.put_item(
                TableName="stock", Item=item, ConditionExpression="attribute_not_exists(sku)"
            )
        except dynamodb.exceptions.ConditionalCheckFailedException as error:
            refused = error.response["Error"]["Code"]
        read = dynamodb.get_item(TableName="stock", Key={"sku": {"S": "a"}})["Item"]
        return {"sent": sent["MessageId"], "got": got["Body"], "refused": refused, "read": read}

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_retries_come_back(recordings: Path) -> None:
    """A service that fails each time: asked three times, with the same pauses in between."""
    with origin() as (base, _):
        failing = client("s3", f"{base}/error", retries={"total_max_attempts": 3})

        def view() -> dict[str, Any]:
            try:
                failing.list_buckets()
            except botocore.exceptions.ClientError as error:
                return error.response["ResponseMetadata"]
            return {}

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b'"RetryAttempts":2' in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_a_service_that_is_not_there_comes_back(recordings: Path) -> None:
    """As botocore's own error."""
    s3 = client("s3", "http://127.0.0.1:9", retries={"total_max_attempts": 1})

    def view() -> dict[str, Any]:
        try:
            s3.list_buckets()
        except botocore.exceptions.EndpointConnectionError as error:
            return {"error": str(error)}
        return {}

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"Could not connect" in b"".join(recording.response.body)
    assert_identical(recording, app)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_a_masked_answer_keeps_its_checksum(recordings: Path, aws: str, mode: str) -> None:
    """S3 and DynamoDB say a checksum of what they answer, and botocore reckons it again."""
    s3, dynamodb = client("s3", aws), client("dynamodb", aws, retries={"mode": mode})
    name = f"customers-{mode}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=name, Key="one", Body=b"to ada.lovelace@example.com")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    mail = {"S": "ada.lovelace@example.com"}
    dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}, "mail": mail})

    def view() -> dict[str, Any]:
        item = dynamodb.get_item(TableName=name, Key={"id": {"S": "1"}})["Item"]
        got = s3.get_object(Bucket=name, Key="one")
        assert "x-amz-checksum-crc32" in got["ResponseMetadata"]["HTTPHeaders"]
        return {"item": item, "letter": got["Body"].read().decode()}

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    assert b"lovelace" not in b"".join(recording.response.body)
    assert_identical(recording, app)
