"""Mail by SMTP: `server` says where to and how guarded, `message` writes it down, `courier` hands it over."""

from __future__ import annotations

from providers.mail.courier import MailCourier
from providers.mail.server import MailServer, parse_server

__all__ = ["MailCourier", "MailServer", "parse_server"]
