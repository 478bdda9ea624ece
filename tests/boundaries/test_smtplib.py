"""smtplib: replies of a real mail server come back, and refusals."""

from __future__ import annotations

import asyncio
import smtplib
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult

from tests.recorded import assert_identical, identical_body, record_wsgi
from tests.served import served

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path


class Mailbox:
    """Takes mail for everybody but "nobody"."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        """Refuse one of the addresses."""
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Count the mail, and say so."""
        self.taken += 1
        return f"250 taken as number {self.taken}"


@asynccontextmanager
async def mail_server(mailbox: Mailbox, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield the port of a mail server that knows the user "shop"; with `tls` it offers STARTTLS."""

    def authenticate(_: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"secret-1", handled=False)

    def connection() -> SMTP:
        return SMTP(
            mailbox,
            authenticator=authenticate,
            auth_require_tls=False,
            hostname="mail",
            tls_context=tls,
        )

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def mail() -> EmailMessage:
    """Return a mail to three people."""
    message = EmailMessage()
    message["From"], message["Subject"] = "shop@example.org", "your order"
    message["To"] = "ann@example.org, nobody@example.org, bob@example.org"
    message.set_content("it is on its way\n")
    return message


def test_mail_is_sent_again_to_nobody(recordings: Path) -> None:
    """Greeting, logging in, three recipients of whom one is refused, and the end."""
    mailbox = Mailbox()

    def view() -> dict[str, Any]:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as server:
            found: dict[str, Any] = {"greeted": server.ehlo()[0]}
            server.login("shop", "secret-1")
            refused = server.send_message(mail())
            found["refused"] = {who: [code, said.decode()] for who, (code, said) in refused.items()}
            found["noop"] = server.noop()[1].decode()
            found["size"] = server.esmtp_features["size"]
        return found

    with served(mail_server(mailbox)) as port:
        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    events = str([lane.events for lane in recording.lanes])
    assert "rcpt to:<" in events.lower() and "@example.org>" in events  # the name is masked
    assert "secret-1" not in events and "AHNob3AAc2VjcmV0LTE=" not in events
    assert_identical(recording, app)
    assert mailbox.taken == 1


def test_refusals_are_raised_again(recordings: Path) -> None:
    """A wrong password, no recipient left, STARTTLS not offered, and no server at all."""

    def view() -> dict[str, Any]:
        found: dict[str, Any] = {}
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as server:
            try:
                server.login("shop", "wrong")
            except smtplib.SMTPAuthenticationError as error:
                found["login"] = [error.smtp_code, str(error.smtp_error)]
            try:
                server.sendmail("shop@example.org", ["nobody@example.org"], "hello")
            except smtplib.SMTPRecipientsRefused as error:
                found["refused"] = str(error.recipients)
            try:
                server.starttls()
            except smtplib.SMTPNotSupportedError as error:
                found["tls"] = str(error)
        try:
            smtplib.SMTP("127.0.0.1", 9, timeout=5)
        except ConnectionRefusedError as error:
            found["gone"] = str(error)
        return found

    with served(mail_server(Mailbox())) as port:
        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)
