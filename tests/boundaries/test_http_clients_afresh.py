"""aiohttp, gRPC, websockets, boto3 and mail in one request, replayed where none of them answers."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from tests.boundaries.test_smtplib import Mailbox, mail_server
from tests.boundaries.test_websockets import echo
from tests.fresh import record_in_a_process, replay_in_a_process
from tests.grpc_server import grpc_server
from tests.http_origin import origin
from tests.served import served

if TYPE_CHECKING:
    from pathlib import Path

APP = """
import asyncio
import os
import smtplib

import aiohttp
import boto3
import grpc
import grpc.aio
from fastapi import FastAPI
from websockets.asyncio.client import connect

from retrace_mw import RetraceMiddleware

app = FastAPI()
env = os.environ


def blocking():
    options = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    sqs = boto3.client("sqs", endpoint_url=env["AWS_BASE"], **options)
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello")["MessageId"]
    with smtplib.SMTP("127.0.0.1", int(env["MAIL_PORT"])) as server:
        server.sendmail("shop@example.org", ["ann@example.org"], "hello")
    with grpc.insecure_channel(env["GRPC_BASE"]) as channel:
        return [sent, channel.unary_unary("/shop/One")(b"sync", timeout=9).decode()]


@app.get("/")
async def root():
    found = await asyncio.to_thread(blocking)
    async with aiohttp.ClientSession() as session:
        async with session.get(env["HTTP_BASE"] + "/chunked") as answer:
            found += [part.decode() async for part in answer.content.iter_any()]
    async with grpc.aio.insecure_channel(env["GRPC_BASE"]) as channel:
        found.append((await channel.unary_unary("/shop/One")(b"aio", timeout=9)).decode())
    async with connect(env["WS_BASE"], subprotocols=["chat"]) as channel:
        await channel.send("hello")
        found.append(await channel.recv())
    return found


app.add_middleware(RetraceMiddleware)
"""


@pytest.mark.parametrize(
    "library",
    "aiohttp botocore.awsrequest grpc grpc.aio httpx httpx2 openai smtplib"
    " websockets.asyncio.client websockets.sync.client".split(),
)
def test_a_library_may_be_imported_after_installing(library: str) -> None:
    """Its boundaries come into place while it is imported, whatever it imports in between."""
    code = (
        "from retrace_core import failsafe, installer\n"
        "failsafe.strict = True\n"
        "installer.install()\n"
        f"import {library}\n"
        "assert not installer.failures(), installer.failures()\n"
        f"assert any(one.startswith({library[:4]!r}) for one in installer.installed())\n"
    )
    if library == "grpc":
        code += "grpc.insecure_channel('127.0.0.1:9').close()\n"  # imports grpc._channel
        code += "assert 'grpc._channel' in installer.installed()\n"
    if library == "openai":
        code = code.replace("'open'", "'httpx2'")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_all_come_back_in_a_fresh_process(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every server gone."""
    with ExitStack() as running:
        aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        aws.start()
        running.callback(aws.stop)
        monkeypatch.setenv("AWS_BASE", f"http://127.0.0.1:{aws.get_host_and_port()[1]}")
        monkeypatch.setenv("HTTP_BASE", running.enter_context(origin())[0])
        monkeypatch.setenv("GRPC_BASE", running.enter_context(grpc_server()))
        monkeypatch.setenv("WS_BASE", running.enter_context(served(echo())))
        port = running.enter_context(served(mail_server(Mailbox())))
        monkeypatch.setenv("MAIL_PORT", str(port))
        assert record_in_a_process(recordings, APP).startswith("200")
    replay_in_a_process(recordings)
