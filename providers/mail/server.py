"""A mail server as configured: `smtp://USER@HOST:587` or `smtps://USER@HOST:465`."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Guarding(StrEnum):
    """How the connection is kept from being read."""

    TLS = "tls"  # from the first byte on
    STARTTLS = "starttls"  # before anything is said; without it nothing is sent
    NONE = "none"  # within one machine


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """`password` counts only with a `user`. `context`: whom to trust; None: whom the machine trusts."""

    host: str
    port: int
    guarding: Guarding
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None


def parse_server(url: str, password: str = "") -> MailServer:
    """What `email.smtp` says; its form was checked when the configuration was read.

    `smtp://` upgrades by STARTTLS (port 587) and sends nothing where that is not offered, but to the
    machine's own loopback, which nobody else can read. `smtps://` is TLS from the start (port 465).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        guarding, port = Guarding.TLS, 465
    else:
        guarding, port = (Guarding.NONE if _is_loopback(host) else Guarding.STARTTLS), 587
    return MailServer(
        host=host,
        port=parts.port or port,
        guarding=guarding,
        user=unquote(parts.username or ""),
        password=password,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
