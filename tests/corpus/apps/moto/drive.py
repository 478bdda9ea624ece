"""Moto's server: it plays AWS for programs under test (Flask), asked by boto3."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.corpus.application import Application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus.visitor import Visitor

ANY = tuple(range(200, 600))


class _Body(io.BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self, amount: int = 65536, **_: Any) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part


def _client(visitor: Visitor, service: str) -> Any:
    """Return a client of boto3 whose requests the visitor makes."""
    client: Any = boto3.client(
        service,
        endpoint_url=visitor.base,
        region_name="eu-west-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=Config(retries={"max_attempts": 1, "mode": "standard"}),
    )

    def send(request: Any, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
            if name.lower() not in ("content-length", "expect", "transfer-encoding")
        }
        body = request.body.read() if hasattr(request.body, "read") else request.body
        answer = visitor.ask(request.method, path, *ANY, headers=headers, content=body)
        return AWSResponse(request.url, answer.status_code, answer.headers, _Body(answer.content))

    client.meta.events.register("before-send", send)
    return client


def drive(visitor: Visitor) -> None:
    """Buckets, tables, queues, topics, secrets, keys, functions; good calls and bad ones."""
    visitor.get("/moto-api/", 200)
    s3 = _client(visitor, "s3")
    s3.create_bucket(
        Bucket="invoices", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3.put_object(Bucket="invoices", Key="2026/a.txt", Body=b"Lemons, 3 kg", Metadata={"by": "ann"})
    s3.put_object(Bucket="invoices", Key="2026/b.txt", Body=b"Plums, 1 kg")
    s3.list_objects_v2(Bucket="invoices", Prefix="2026/")
    s3.get_object(Bucket="invoices", Key="2026/a.txt")
    with suppress(ClientError):
        s3.get_object(Bucket="invoices", Key="2027/absent.txt")
    with suppress(ClientError):
        s3.head_object(Bucket="nowhere", Key="a")
    s3.put_bucket_versioning(Bucket="invoices", VersioningConfiguration={"Status": "Enabled"})
    part = s3.create_multipart_upload(Bucket="invoices", Key="big.bin")
    sent = s3.upload_part(
        Bucket="invoices", Key="big.bin", UploadId=part["UploadId"], PartNumber=1, Body=b"x" * 70000
    )
    s3.complete_multipart_upload(
        Bucket="invoices",
        Key="big.bin",
        UploadId=part["UploadId"],
        MultipartUpload={"Parts": [{"ETag": sent["ETag"], "PartNumber": 1}]},
    )
    s3.delete_object(Bucket="invoices", Key="2026/b.txt")
    tables = _client(visitor, "dynamodb")
    tables.create_table(
        TableName="customers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.put_item(
        TableName="customers",
        Item={"id": {"S": "1"}, "email": {"S": "ann@example.com"}, "age": {"N": "41"}},
    )
    tables.get_item(TableName="customers", Key={"id": {"S": "1"}})
    tables.scan(TableName="customers")
    with suppress(ClientError):
        tables.get_item(TableName="absent", Key={"id": {"S": "1"}})
    queues = _client(visitor, "sqs")
    address = queues.create_queue(QueueName="orders")["QueueUrl"]
    queues.send_message(QueueUrl=address, MessageBody=json.dumps({"order": 7}))
    got = queues.receive_message(QueueUrl=address)["Messages"][0]
    queues.delete_message(QueueUrl=address, ReceiptHandle=got["ReceiptHandle"])
    topics = _client(visitor, "sns")
    topic = topics.create_topic(Name="news")["TopicArn"]
    topics.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:orders"
    )
    topics.publish(TopicArn=topic, Message="Lemons are in.")
    queues.receive_message(QueueUrl=address)
    secrets = _client(visitor, "secretsmanager")
    secrets.create_secret(Name="db", SecretString='{"user": "app", "password": "s3cret-Of-Ours"}')
    secrets.get_secret_value(SecretId="db")
    secrets.get_random_password(PasswordLength=20)
    people = _client(visitor, "iam")
    people.create_user(UserName="grace")
    people.create_access_key(UserName="grace")
    people.list_users()
    with suppress(ClientError):
        people.create_user(UserName="grace")
    _client(visitor, "sts").get_caller_identity()
    keys = _client(visitor, "kms")
    key = keys.create_key(Description="for invoices")["KeyMetadata"]["KeyId"]
    sealed = keys.encrypt(KeyId=key, Plaintext=b"a secret of ours")["CiphertextBlob"]
    keys.decrypt(CiphertextBlob=sealed)
    ec2 = _client(visitor, "ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=2, InstanceType="t3.micro")
    ec2.describe_instances()
    ec2.create_key_pair(KeyName="ops")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return 1")
    role = people.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = _client(visitor, "lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=role,
        Handler="f.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    functions.list_functions()
    visitor.post("/moto-api/seed?a=42", 200)
    visitor.get("/moto-api/data.json", 200, 500)
    visitor.post("/moto-api/reset", 200)
    s3.list_buckets()


APP = Application(
    name="moto",
    framework="Flask",
    uses=("files", "threads", "random"),
    packages=("moto[server]==5.2.5",),
    server=("moto_server", "-H", "127.0.0.1", "-p", "{port}"),
    drive=drive,
)
