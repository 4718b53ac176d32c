"""A letter as an RFC 5322 message, with text, HTML and pictures.

`email.message` refuses a line break in a header; what comes from outside is made one line before all the
same, so that such a title is sent and not refused.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from operations.letters import Letter

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_NAME = "HMS-SYS"


def write_message(letter: Letter, sender: str, recipients: list[str]) -> EmailMessage:
    """The sender's domain makes its Message-ID unique in the world."""
    domain = _domain_of(sender)
    is_ascii = all(address.isascii() for address in (sender, *recipients))
    message = EmailMessage(policy=SMTP if is_ascii else SMTPUTF8)
    message["Message-ID"] = _message_id(letter.id, domain)
    if letter.thread:
        message["In-Reply-To"] = _message_id(letter.thread, domain)
        message["References"] = _message_id(letter.thread, domain)
    message["Date"] = format_datetime(letter.at)
    message["From"] = _address(sender, _NAME)
    message["To"] = [_address(recipient) for recipient in recipients]
    message["Subject"] = _LINE_BREAKS.sub(" ", letter.title)
    # RFC 3834: no out-of-office replies to a program.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    _add_pictures(message, letter)
    return message


def _add_pictures(message: EmailMessage, letter: Letter) -> None:
    parts = message.get_payload()
    if not isinstance(parts, list):
        return
    html = parts[-1]
    if isinstance(html, EmailMessage):
        for picture in letter.pictures:
            html.add_related(
                picture.data, "image", "png", cid=f"<{picture.name}>", disposition="inline"
            )


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
