"""A letter as an RFC 5322 message, with text, HTML and pictures.

`email.message` refuses a line break in a header; what comes from outside is made one line before all the
same, so that such a title is sent and not refused.
"""

from __future__ import annotations

import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from operations.letters import Letter, Picture

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_NAME = "HMS-SYS"


class _Policy(EmailPolicy):
    """Encodes a title as a whole: the library's own way loses the spaces of a long one with umlauts."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """As it goes over the wire."""
        if name.lower() != "subject" or value.isascii() or self.utf8:
            return super().fold_binary(name, value)
        encoded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}".encode("ascii")


_ASCII = _Policy(linesep="\r\n")
_UNICODE = _Policy(linesep="\r\n", utf8=True)


def write_message(letter: Letter, sender: str, recipients: list[str]) -> EmailMessage:
    """The sender's domain makes its Message-ID unique in the world."""
    domain = _domain_of(sender)
    is_ascii = all(address.isascii() for address in (sender, *recipients))
    message = EmailMessage(policy=_ASCII if is_ascii else _UNICODE)
    message["Message-ID"] = _message_id(letter.id, domain)
    if letter.thread:
        message["In-Reply-To"] = _message_id(letter.thread, domain)
        message["References"] = _message_id(letter.thread, domain)
    message["Date"] = format_datetime(letter.at)
    message["From"] = _address(sender, _NAME)
    message["To"] = [_address(recipient) for recipient in recipients]
    message["Subject"] = _one_line(letter.title)
    # RFC 3834: no out-of-office replies to a program.
    message["Auto-Submitted"] = "auto-generated"
    # RFC 2919: what people's filters go by.
    message["List-Id"] = f"{_NAME} <hms-sys.{domain}>"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(_html_of(letter, domain), subtype="html", cte="quoted-printable")
    _add_pictures(message, letter, domain)
    for part in list(message.walk())[1:]:
        del part["MIME-Version"]  # the library writes it into every part; it is the whole's
    return message


def _one_line(title: str) -> str:
    """Nor any line break in disguise: the library decodes what looks encoded, and writes it out as it is."""
    return _LINE_BREAKS.sub(" ", title).replace("=?", "= ?")


def _html_of(letter: Letter, domain: str) -> str:
    """With each picture named as it is sent: by an id that the world has once (RFC 2392)."""
    html = letter.html
    for picture in letter.pictures:
        html = html.replace(
            f'src="cid:{picture.name}"', f'src="cid:{_picture_id(letter, picture, domain)}"'
        )
    return html


def _add_pictures(message: EmailMessage, letter: Letter, domain: str) -> None:
    parts = message.get_payload()
    if not isinstance(parts, list):
        return
    html = parts[-1]
    if isinstance(html, EmailMessage) and letter.pictures:
        for picture in letter.pictures:
            cid = f"<{_picture_id(letter, picture, domain)}>"
            html.add_related(picture.data, "image", "png", cid=cid, disposition="inline")
        html.set_param("type", "text/html")  # RFC 2387


def _picture_id(letter: Letter, picture: Picture, domain: str) -> str:
    return _message_id(f"{picture.name}.{letter.id}", domain)[1:-1]


def _address(text: str, name: str = "") -> Address:
    user, _, domain = text.rpartition("@")
    return Address(display_name=name, username=user, domain=domain)


def _domain_of(sender: str) -> str:
    domain = sender.rpartition("@")[2]
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return "hms-sys.invalid"


def _message_id(name: str, domain: str) -> str:
    """Deterministic: whoever gets the same version twice can tell."""
    return f"<{re.sub(r'[^A-Za-z0-9._-]', '-', name)}@{domain}>"
