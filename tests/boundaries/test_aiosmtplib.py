"""aiosmtplib: replies of a real mail server come back, and refusals."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiosmtplib
import trustme

from tests.boundaries.test_smtplib import Mailbox, mail, mail_server
from tests.recorded import assert_identical, identical_body, record_asgi
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def test_mail_is_sent_again_to_nobody(recordings: Path) -> None:
    """Greeting, logging in, three recipients of whom one is refused, and the end."""
    mailbox = Mailbox()

    async def handler() -> dict[str, Any]:
        server = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=5)
        async with server:
            await server.login("shop", "secret-1")
            refused, said = await server.send_message(mail())
            return {
                "refused": {who: list(answer) for who, answer in refused.items()},
                "said": said,
                "noop": (await server.noop()).message,
                "size": server.esmtp_extensions["size"],
            }

    with served(mail_server(mailbox)) as port:
        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    events = str([lane.events for lane in recording.lanes])
    assert "rcpt to:<" in events.lower() and "@example.org>" in events  # the name is masked
    assert "secret-1" not in events and "AHNob3AAc2VjcmV0LTE=" not in events
    assert_identical(recording, app)
    assert mailbox.taken == 1


def test_refusals_are_raised_again(recordings: Path) -> None:
    """A wrong password, no recipient left, STARTTLS not offered, and no server at all."""

    async def handler() -> list[Any]:
        found: list[Any] = []
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=5) as server:
            for asked in (
                server.login("shop", "wrong"),
                server.sendmail("shop@example.org", ["nobody@example.org"], "hello"),
                server.starttls(),
            ):
                try:
                    await asked
                except aiosmtplib.SMTPException as error:
                    found.append([type(error).__name__, str(error)])
        try:
            await aiosmtplib.send(mail(), hostname="127.0.0.1", port=9, timeout=5)
        except aiosmtplib.SMTPConnectError as error:
            found.append(str(error))
        return found

    with served(mail_server(Mailbox())) as port:
        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    login, recipients, tls, nobody = json.loads(recording.response.body[0])
    assert (login[0], recipients[0], tls[0]) == (
        "SMTPAuthenticationError",
        "SMTPRecipientsRefused",
        "SMTPException",
    )
    assert "Connect call failed" in nobody
    assert_identical(recording, app)


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS of a server on loopback, and that of a client that trusts it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


def test_turning_to_tls(recordings: Path) -> None:
    """STARTTLS as the client does it by itself where it is offered; and an unknown certificate."""
    server, client = contexts()
    mailbox = Mailbox()

    async def handler() -> list[Any]:
        found: list[Any] = []
        found += await aiosmtplib.send(
            mail(), hostname="127.0.0.1", port=port, timeout=5, tls_context=client
        )
        try:
            await aiosmtplib.send(mail(), hostname="127.0.0.1", port=port, timeout=5)
        except OSError as error:
            found.append(type(error).__name__)
        return found

    with served(mail_server(mailbox, server)) as port:
        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200, recording.failure
    assert b"SSLCertVerificationError" in recording.response.body[0]
    assert_identical(recording, app)
    assert mailbox.taken == 1


@asynccontextmanager
async def leaving_server() -> AsyncIterator[int]:
    """Yield the port of a server that greets, reads a line, and goes away."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_a_server_that_goes_away(recordings: Path) -> None:
    """The connection is lost after a greeting: on replay it is lost again, and not used."""

    async def handler() -> list[Any]:
        server = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=5, start_tls=False)
        await server.connect()
        found: list[Any] = []
        for _ in range(2):
            try:
                await server.ehlo()
            except aiosmtplib.SMTPServerDisconnected as error:
                found += [str(error), server.is_connected]
        return found

    with served(leaving_server()) as port:
        app, recording = record_asgi(recordings, handler)
    identical_body(recording, app)
