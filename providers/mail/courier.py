"""Hands letters to an SMTP server. One connection for each: there are few, and none is left to go stale.

SMTP cannot be asked whether a message arrived. When the connection is lost after the message was sent and
before it was answered, nobody knows; it is then sent again with the same Message-ID, by which the receiver's
programs can drop the double. Told twice is better than not at all.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from operations.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.letters import Letter
from operations.redaction import clean
from providers.mail.message import write_message
from providers.mail.server import Guarding, MailServer

if TYPE_CHECKING:
    from email.message import EmailMessage

    from aiosmtplib import SMTP, SMTPResponseException

_LOG = logging.getLogger("hms.mail")
_REMEMBERED = 500
_AUTHENTICATION = frozenset({530, 534, 535, 538})
"""RFC 4954: what a server answers whose user or password is not right, or who wants one."""
_OF_THE_WHOLE = _AUTHENTICATION | {421}
_QUIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the server said of each recipient; a message went out when any was accepted."""

    accepted: list[str] = field(default_factory=list)
    put_off: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class MailCourier:
    """Implements `operations.letters.Courier`. `seconds` is the deadline of a whole delivery."""

    def __init__(
        self, server: MailServer, *, sender: str, recipients: Sequence[str], seconds: float = 60.0
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = tuple(dict.fromkeys(recipients))
        self._seconds = seconds
        self._taken: OrderedDict[str, frozenset[str]] = OrderedDict()

    async def send(self, letter: Letter) -> None:
        """Hand it over for every recipient.

        Recipients that are refused for good are logged, and the others have it: that counts as sent. Those
        that are put off are tried again alone, for as long as this process remembers who has it already.
        """
        taken = self._taken.pop(letter.id, frozenset())
        asked = [each for each in self._recipients if each not in taken]
        message = write_message(letter, self._sender, list(self._recipients))
        try:
            answers = await _HandOver(self._server, self._sender, self._seconds).run(message, asked)
        except ProviderError:
            self._remember(letter.id, taken)
            raise
        taken |= set(answers.accepted)
        for recipient, words in answers.refused.items():
            _LOG.error("the mail server refuses %s for good: %s", recipient, words)
        for recipient, words in answers.put_off.items():
            self._remember(letter.id, taken)
            raise ProviderUnavailable(f"The mail server puts {recipient} off: {words}")
        if not taken:
            raise ProviderRejected(
                f"The mail server refuses every recipient: {next(iter(answers.refused.values()))}",
                hint="See `email.to`.",
            )

    async def greet(self) -> None:
        """Connect and log in, and send nothing; raises ProviderError when a letter could not be sent."""
        await _HandOver(self._server, self._sender, self._seconds).greet()

    def _remember(self, letter_id: str, taken: frozenset[str]) -> None:
        if taken:
            self._taken[letter_id] = taken
        while len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)


class _HandOver:
    """One conversation."""

    def __init__(self, server: MailServer, sender: str, seconds: float) -> None:
        self._server = server
        self._sender = sender
        self._seconds = seconds
        self._is_sent = False

    async def run(self, message: EmailMessage, recipients: Sequence[str]) -> _Answers:
        """Offer it to the recipients, and hand it in when there are any."""
        smtp = _client(self._server, self._seconds)
        try:
            with self._translated():
                async with asyncio.timeout(self._seconds):
                    await self._open(smtp)
                    answers = await self._offer(smtp, recipients)
                    if answers.accepted:
                        await self._hand_in(smtp, message)
            await _leave(smtp)
        finally:
            smtp.close()
        return answers

    async def greet(self) -> None:
        """The beginning and the end of a conversation, with nothing between."""
        smtp = _client(self._server, self._seconds)
        try:
            with self._translated():
                async with asyncio.timeout(self._seconds):
                    await self._open(smtp)
            await _leave(smtp)
        finally:
            smtp.close()

    async def _open(self, smtp: SMTP) -> None:
        server = self._server
        await smtp.connect()
        smtp.local_hostname = _own_name(smtp)
        if server.guarding is Guarding.STARTTLS:
            await smtp.ehlo()
            if not smtp.supports_extension("starttls"):
                raise ProviderRejected(
                    f"{server.host} does not offer STARTTLS, and without it nothing is sent.",
                    hint="Use smtps:// in `email.smtp`, or a server that offers it.",
                )
            await smtp.starttls(tls_context=server.context)
        if server.user:
            await smtp.ehlo()
            if not smtp.supports_extension("auth"):
                raise ProviderUnauthorized(
                    f"{server.host} offers no way to log in.",
                    hint="Leave the user out of `email.smtp` if none is needed.",
                )
            await smtp.login(server.user, server.password)

    async def _offer(self, smtp: SMTP, recipients: Sequence[str]) -> _Answers:
        """The envelope. A server that wants a login, or closes, says that of the whole and not of one."""
        from aiosmtplib import SMTPResponseException

        is_ascii = all(address.isascii() for address in (self._sender, *recipients))
        options, encoding = ([], "ascii") if is_ascii else (["SMTPUTF8"], "utf-8")
        await smtp.mail(self._sender, options=options, encoding=encoding)
        answers = _Answers()
        for recipient in recipients:
            try:
                await smtp.rcpt(recipient, encoding=encoding)
                answers.accepted.append(recipient)
            except SMTPResponseException as exc:
                if exc.code in _OF_THE_WHOLE:
                    raise
                said = answers.refused if exc.code >= 500 else answers.put_off
                said[recipient] = _words(exc)
        return answers

    async def _hand_in(self, smtp: SMTP, message: EmailMessage) -> None:
        self._is_sent = True
        await smtp.data(message.as_bytes())
        self._is_sent = False

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from aiosmtplib import SMTPException, SMTPResponseException

        host = self._server.host
        try:
            yield
        except SMTPResponseException as exc:
            raise _refusal(host, exc) from exc
        except (SMTPException, OSError, TimeoutError) as exc:
            if self._is_sent:
                raise OutcomeUnknown(
                    f"The connection to {host} was lost before it said whether it took the mail."
                ) from exc
            why = clean(str(exc), limit=200) or f"no answer in {self._seconds:.0f} s"
            raise ProviderUnavailable(
                f"The mail server {host} cannot be reached: {why}",
                hint="See `email.smtp`, and whether this machine may reach that port.",
            ) from exc


def _client(server: MailServer, seconds: float) -> SMTP:
    from aiosmtplib import SMTP

    return SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.guarding is Guarding.TLS,
        start_tls=False,
        tls_context=server.context if server.guarding is Guarding.TLS else None,
        # Asked of the machine by the library it may take seconds, where names are not resolved. What is
        # said is known once there is a connection.
        local_hostname=literal_of(None),
        timeout=seconds,
    )


async def _leave(smtp: SMTP) -> None:
    """What was handed in stays so, however the other side takes our leave."""
    from aiosmtplib import SMTPException

    with suppress(SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(_QUIT_SECONDS):
            await smtp.quit()


def _own_name(smtp: SMTP) -> str:
    """What EHLO says; RFC 5321 wants a name with dots, or the address that it is said from."""
    name = socket.gethostname()
    if name.isascii() and "." in name:
        return name
    return literal_of(smtp.get_transport_info("sockname"))


def literal_of(sockname: object) -> str:
    """An address as greetings have it; loopback's where the socket does not tell its own."""
    if not isinstance(sockname, tuple) or not sockname:
        return "[127.0.0.1]"
    host = str(sockname[0]).partition("%")[0]
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"


def _refusal(
    host: str, exc: SMTPResponseException
) -> ProviderRejected | ProviderUnauthorized | ProviderUnavailable:
    words = f"{host} answers: {_words(exc)}"
    if exc.code in _AUTHENTICATION:
        return ProviderUnauthorized(
            words, hint="See the user in `email.smtp`, and HMS_SMTP_PASSWORD."
        )
    if exc.code >= 500:
        return ProviderRejected(words)
    return ProviderUnavailable(words)


def _words(exc: SMTPResponseException) -> str:
    return f"{exc.code} {clean(' '.join(exc.message.split()), limit=200)}"
