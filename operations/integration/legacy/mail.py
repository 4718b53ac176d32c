"""A legacy configuration's mail server and recipients as `email:` of `hms.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from operations.integration.legacy.document import Path
from operations.integration.legacy.spelling import Reading, whole_number

_SECTIONS = ("", "smtp.", "mail.", "mailer.", "email.smtp.", "mail.smtp.", "notifications.smtp.",
             "notifications.email.smtp.", "notify.smtp.", "alerts.smtp.", "email.", "notifications.email.",
             "notifications.mail.", "email.server.")  # fmt: skip
_TO = ("emails", "email.to", "email.recipients", "email.addresses", "mail.to", "mail.recipients", "smtp.to",
       "notify_emails", "alert_emails", "notification_emails", "email_list", "mailing_list", "mail_to",
       "notifications.email.to", "notifications.email.recipients", "notifications.email.addresses",
       "notifications.emails", "notifications.email_recipients", "notifications.mail_recipients",
       "notifications.recipients", "notifications.to", "notify.email", "notify.emails", "alerts.email",
       "alerts.emails", "alerts.recipients", "email_recipients", "mail_recipients", "alert_email",
       "alert_recipients", "notify_email", "notification_email", "email_to", "admin_email", "ops_email",
       "notifications.email", "recipients", "email", "notifications.mail", "mail")  # fmt: skip
_HOST = ("smtp_host", "smtp_server", "mail_host", "mail_server", "host", "server", "hostname")
_PORT = ("smtp_port", "mail_port", "port")
_USER = ("smtp_user", "smtp_username", "mail_user", "mail_username", "username", "user", "login")
_FROM = (
    "smtp_from",
    "email_from",
    "mail_from",
    "from",
    "sender",
    "from_address",
    "from_email",
    "mail_sender",
)
_URL = ("smtp_url", "mail_url", "mailer_url", "mailer_dsn", "smtp_uri", "url", "uri", "smtp")


@dataclass(frozen=True, slots=True)
class Mail:
    """`keys` is `email:`, {} for none. `trouble` says what a person has to decide."""

    keys: Mapping[str, object]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    user: str
    scheme: str


def read_mail(reading: Reading) -> Mail:
    """Whoever got mail gets it of everything: HMS-SYS has one list."""
    to = _recipients(reading)
    server = _server(reading)
    sender = _text(reading, _FROM)
    sender = sender if _is_mailbox(sender) else _bracketed(sender)
    if not to:
        return Mail({})
    if server is None:
        count = f"{len(to)} people" if len(to) > 1 else "one person"
        return Mail(
            {}, f"{count} got mail, but no mail server is named: add `email:` when you know it"
        )
    login = f"{quote(server.user, safe='')}@" if server.user else ""
    usual = server.user if _is_mailbox(server.user) else f"hms-sys@{server.host}"
    keys: dict[str, object] = {
        "smtp": f"{server.scheme}://{login}{server.host}:{server.port}",
        "from": sender or usual,
        "to": to,
    }
    return Mail(keys)


def _recipients(reading: Reading) -> list[str]:
    """Every list there is; what is no address of a mailbox stays not understood."""
    found: list[str] = []
    for spelling in _TO:
        for each in reading.every((), spelling):
            if isinstance(each.value, dict) and spelling in _HOLDERS:
                continue
            if isinstance(each.value, bool):
                continue
            found += _mailboxes(reading, each.path)
    return list(dict.fromkeys(found))


_HOLDERS = frozenset(
    {"email", "mail", "notifications.email", "notifications.mail", "notify.email", "alerts.email"}
)
"""These may be an object of settings, whose lists have spellings of their own."""


def _mailboxes(reading: Reading, path: Path) -> list[str]:
    value = reading.value(path)
    match value:
        case str(text):
            parts = [part.strip() for part in re.split(r"[,;\s|]+", text) if part.strip()]
            if not parts or not all(_is_mailbox(part) for part in parts):
                return []
            reading.used.add(path)
            return parts
        case list(items):
            return [each for i in range(len(items)) for each in _mailboxes(reading, (*path, i))]
        case dict(children):
            return [each for key in children for each in _mailboxes(reading, (*path, key))]
    return []


def _server(reading: Reading) -> _Server | None:
    host, port = _text(reading, _HOST), _number(reading, _PORT)
    user = _text(reading, _USER)
    if host and "://" not in host:
        name, _, written = host.partition(":")
        port = port or whole_number(written) or 587
        return _Server(name, port, user, "smtps" if port == 465 else "smtp")
    for section in _SECTIONS:
        for found in reading.every((), *(f"{section}{key}" for key in _URL)):
            server = _of_address(str(found.value)) if isinstance(found.value, str) else None
            if server is not None:
                reading.used.add(found.path)
                return server
    return None


def _of_address(text: str) -> _Server | None:
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("smtp", "smtps") or not host or parts.password is not None:
        return None
    usual = 465 if parts.scheme == "smtps" else 587
    return _Server(host, port or usual, unquote(parts.username or ""), parts.scheme)


def _text(reading: Reading, keys: tuple[str, ...]) -> str:
    """Only within a section of mail, or by a key that says mail itself."""
    for section in _SECTIONS:
        named = keys if section else tuple(key for key in keys if _says_mail(key))
        if text := reading.text((), *(f"{section}{key}" for key in named)):
            return text
    return ""


def _number(reading: Reading, keys: tuple[str, ...]) -> int | None:
    for section in _SECTIONS:
        named = keys if section else tuple(key for key in keys if _says_mail(key))
        number = reading.number((), *(f"{section}{key}" for key in named))
        if number is not None:
            return number
    return None


def _says_mail(key: str) -> bool:
    return key.startswith(("smtp_", "mail_", "email_"))


def _is_mailbox(text: str) -> bool:
    return re.fullmatch(r"[^\s@<>,;:/\x00-\x1f]+@[^\s@<>,;:/\x00-\x1f]+", text) is not None


def _bracketed(text: str) -> str:
    """`HMS-OPS <ops@example.com>` as the address alone."""
    found = re.fullmatch(r"[^<>]*<([^<>\s]+)>\s*", text)
    return found[1] if found and _is_mailbox(found[1]) else ""
