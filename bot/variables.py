"""Which variables the configuration asks for that are not set: all of them at once, with where to get each.

`serve`, `config check` and `doctor` say the same. What is set but wrong is found by whoever uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.config import Config
from bot.faults import Fault, SettingsError
from bot.routes import mail_faults
from bot.settings import Settings, check_serve, load_secrets

_FORGE_ADVICE = "Make one on Forge, in your account's settings under API."
_SMTP_ADVICE = "It is the password of the user that `email.smtp` names."
_SLACK_ADVICE = {
    "SLACK_BOT_TOKEN": "Copy it from your app in Slack, under OAuth & Permissions.",
    "SLACK_APP_TOKEN": "Make one in your app in Slack, under Basic Information, where the other one is.",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """`needed`: `serve` does not start without it. `advice` says where to get it."""

    fault: Fault
    advice: str = ""
    needed: bool = True


def missing_variables(
    settings: Settings, config: Config, environ: Mapping[str, str] | None = None
) -> list[Missing]:
    """Every one, Slack's first; `environ` None: the process's own."""
    found = [Missing(fault, _SLACK_ADVICE.get(fault.path, "")) for fault in check_serve(settings)]
    found += _of_targets(settings, config)
    found += _of_mail(settings, config)
    for name, advice in _named(config):
        try:
            load_secrets([name], environ)
        except SettingsError as exc:
            found += [Missing(fault, advice) for fault in exc.faults]
    return list({each.fault.path: each for each in reversed(found)}.values())[::-1]


def _of_targets(settings: Settings, config: Config) -> Iterator[Missing]:
    on_forge = [t.name for t in config.catalog().targets if t.provider == "forge"]
    if on_forge and settings.forge_api_token is None:
        sentence = f"is not set, and nothing can be deployed to {on_forge[0]} without it"
        yield Missing(Fault("FORGE_API_TOKEN", 0, 0, sentence), _FORGE_ADVICE, needed=False)


def _of_mail(settings: Settings, config: Config) -> Iterator[Missing]:
    if config.email:
        yield from (Missing(each, _SMTP_ADVICE) for each in mail_faults(config.email, settings))


def _named(config: Config) -> Iterator[tuple[str, str]]:
    """The variables that the configuration gives names to."""
    for way in config.notify:
        yield (
            way.url_env,
            f"It is the address of `notify: {way.name}`, as the Apprise library writes it.",
        )
    for name, component in config.components.items():
        if component.secret_env:
            yield (
                component.secret_env,
                f"`hms-sys components rotate {name} --webhook-secret` makes one.",
            )
    sentry = config.hooks.sentry
    if sentry and sentry.secret_env:
        yield sentry.secret_env, "It is the Client Secret of the integration in Sentry."
