"""The ways beside Slack: mail, and what Apprise reaches. Which they are, and who carries letters there.

Every process puts notices on them; only `serve` opens couriers, needs their secrets, and delivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.config import Config
from bot.config.sections.programs import Email, Notify
from bot.faults import Fault, SettingsError
from bot.settings import Settings, load_secrets
from operations.errors import InvalidRequest
from operations.letters import Courier
from operations.outbox import MAIL
from operations.routing import Occasion, Routing, Way

Couriers = Mapping[str, Courier]
"""By route."""


def build_routing(config: Config) -> Routing:
    """Mail first: it is what Slack's notices fall back on, and without it the first of the others."""
    mail = [(MAIL, config.email.on)] if config.email else []
    others = [(_route(each), each.on) for each in config.notify]
    return Routing(
        tuple(Way(route, frozenset(map(Occasion, on))) for route, on in [*mail, *others])
    )


def open_couriers(
    settings: Settings, config: Config, environ: Mapping[str, str] | None = None
) -> Couriers:
    """One for each way; raises SettingsError with everything that is wrong with their secrets."""
    couriers: dict[str, Courier] = {}
    faults: list[Fault] = []
    if config.email is not None:
        faults += mail_faults(config.email, settings)
        couriers[MAIL] = _mail_courier(config.email, settings)
    for each in config.notify:
        try:
            couriers[_route(each)] = _notify_courier(each, environ)
        except SettingsError as exc:
            faults += exc.faults
        except InvalidRequest as exc:
            faults.append(Fault(each.url_env, 0, 0, exc.message))
    if faults:
        raise SettingsError(faults)
    return couriers


def _route(way: Notify) -> str:
    return f"notify:{way.name}"


def _mail_courier(email: Email, settings: Settings) -> Courier:
    from providers.mail import MailCourier, parse_server

    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    server = parse_server(email.smtp, password)
    return MailCourier(server, sender=email.sender, recipients=email.to)


def mail_faults(email: Email, settings: Settings) -> list[Fault]:
    """A mail server that asks for a password, and none is set."""
    if urlsplit(email.smtp).username and settings.smtp_password is None:
        sentence = "is not set, and `email.smtp` names a user; HMS_SMTP_PASSWORD_FILE would do too"
        return [Fault("HMS_SMTP_PASSWORD", 0, 0, sentence)]
    return []


def _notify_courier(way: Notify, environ: Mapping[str, str] | None) -> Courier:
    url = load_secrets([way.url_env], environ)[way.url_env]
    from providers.notify import NotifyCourier

    return NotifyCourier(way.name, url)
