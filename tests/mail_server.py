"""A real SMTP server (aiosmtpd) on loopback that a test can have refuse, hang, or hang up.

What it took is in `taken`, as it came off the wire.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "hms", "made-up password"


@dataclass
class Taken:
    """One message, and whom it was for."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    raw: bytes


@dataclass
class MailServer:
    """Answers wait in lists and are given once each; without one, all is taken.

    `hangs_up_after_data`: so many times the message is taken, and the connection lost before the answer.
    """

    taken: list[Taken] = field(default_factory=list)
    rcpt_answers: dict[str, list[str]] = field(default_factory=dict)
    data_answers: list[str] = field(default_factory=list)
    hangs_up_after_data: int = 0
    hangs: bool = False
    is_down: bool = False
    port: int = 0
    logins: int = 0
    greeted: list[str] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """As aiosmtpd asks of a handler."""
        answers = self.rcpt_answers.get(address, [])
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Hang, or take it."""
        if self.hangs:
            await asyncio.sleep(3600)
        envelope.mail_from = address
        self.greeted.append(str(session.host_name))
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep it, unless an answer waits."""
        if self.data_answers:
            return self.data_answers.pop(0)
        raw = envelope.content
        assert isinstance(raw, bytes)
        message = message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(Taken(str(envelope.mail_from), list(envelope.rcpt_tos), message, raw))
        if self.hangs_up_after_data:
            self.hangs_up_after_data -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """The one login that is right."""
        self.logins += 1
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == right, handled=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How the server is entered."""

    starttls: bool = False
    tls: bool = False
    login: bool = False


@asynccontextmanager
async def mail_server(door: Door | None = None) -> AsyncIterator[MailServer]:
    """On a free port, until the end of the block."""
    door = door or Door()
    kept = MailServer()
    loop = asyncio.get_running_loop()

    def protocol() -> asyncio.Protocol:
        if kept.is_down:
            return _Gone()
        return SMTP(
            kept,
            hostname="mail.test",
            tls_context=server_context() if door.starttls else None,
            require_starttls=door.starttls,
            authenticator=kept.authenticate if door.login else None,
            auth_required=door.login,
            auth_require_tls=True,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    context = server_context() if door.tls else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()


class _Gone(asyncio.Protocol):
    """Nobody is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


def client_context() -> ssl.SSLContext:
    """Trusts the server's certificate, and no other."""
    return ssl.create_default_context(cadata=_certificate()[0])


def server_context() -> ssl.SSLContext:
    """With a certificate of its own making for 127.0.0.1."""
    import tempfile

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "both.pem"
        file.write_text("".join(_certificate()))
        context.load_cert_chain(file)
    return context


@cache
def _certificate() -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
