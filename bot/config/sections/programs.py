"""Other programs: HMS-OPS, those that call us, and those that carry what people are told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from bot.config.sections.section import Key, Section, Variable
from bot.config.values import (
    Mailbox,
    MailServer,
    Right,
    Sha256,
    TargetName,
    TicketUrl,
    Url,
)

Occasion = Literal["alert", "rollout_failed", "digest"]
_OCCASIONS: list[Occasion] = ["alert", "rollout_failed", "digest"]


class Legacy(Section):
    """HMS-OPS, while both are in use (`dual`)."""

    command: Annotated[list[str], Field(min_length=1)]
    """The program and its first arguments: `[/opt/hms-ops/hms-ops.sh]`. It is run without a shell."""
    environment: Annotated[list[Variable], Field(max_length=100)] = Field(default=[])
    """Variables that HMS-OPS gets besides the usual ones (PATH, HOME, LC_…, KUBECONFIG, AWS_…, proxies);
    what they hold is masked in what it says. Without being named here, none of HMS-SYS's or Slack's."""
    state_directory: Annotated[str, Field(min_length=1)] | None = None
    """Where it is kept for two weeks what HMS-OPS said and how it ended; it must outlast a restart. Unset:
    `hms-ops-runs` in systemd's StateDirectory, else beside the SQLite database, else where the bot runs."""


class Notify(Section):
    """One more way to tell people, by a URL of the Apprise library: PagerDuty, Teams, Telegram, …"""

    name: Key
    """What it is called in logs and metrics."""
    url_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,127}$")]
    """Environment variable with the URL, which holds secrets: `pagerduty://…`, `msteams://…`."""
    on: Annotated[list[Occasion], Field(min_length=1)] = Field(default=["alert", "rollout_failed"])
    """What is told."""


class Hook(Section):
    """What another system sends to `POST /hooks/SYSTEM/TOKEN`."""

    token_sha256: Sha256
    """SHA-256 of the token in its address, in hexadecimal digits."""
    target: TargetName | None = None
    """PROJECT/ENVIRONMENT that events count for when they do not say one that is configured."""
    targets: dict[Key, TargetName] = Field(default={})
    """By the sender's own name of a project or job: the target that its events count for."""


class SentryHook(Hook):
    """What Sentry sends to `POST /hooks/sentry/TOKEN`."""

    secret_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,127}$")] | None = None
    """Environment variable with the integration's Client Secret. Absent: signatures are not looked at."""


class Hooks(Section):
    """Systems that may call us."""

    alertmanager: Hook | None = None
    """Prometheus' Alertmanager: its alerts become ours."""
    sentry: SentryHook | None = None
    """Sentry: its issues become errors."""
    forge: Hook | None = None
    """Laravel Forge: deployments that failed become errors."""


class Email(Section):
    """Mail beside Slack's messages. The password is HMS_SMTP_PASSWORD."""

    smtp: MailServer
    """smtp://USER@HOST:587 or smtps://USER@HOST:465."""
    sender: Mailbox = Field(alias="from")
    """The sender's address."""
    to: Annotated[list[Mailbox], Field(min_length=1)]
    """Who gets it."""
    on: Annotated[list[Occasion], Field(min_length=1)] = _OCCASIONS
    """What is mailed."""


class Component(Section):
    """Another program of HMS that calls the HTTP API or hears of events."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {
                "webhook": ["secret_env"],
                "secret_env": ["webhook"],
                "private": ["webhook"],
            }
        }
    )

    token_sha256: Sha256
    """SHA-256 of its bearer token, in hexadecimal digits."""
    may: Annotated[list[Right], Field(min_length=1)]
    """`read`, `events`, `deploy:ENVIRONMENT`."""
    requests_a_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """How often it may call; beyond that it is told to wait."""
    ticket_url: TicketUrl | None = None
    """Where people read about what it asks for: https://HOST/PATH/{external_id}. Absent: no link."""
    webhook: Url | None = None
    """Where changes of rollouts, alerts and errors are sent; without `read`: of its own rollouts only."""
    private: bool = False
    """Whether the webhook may be at a private address: in a network of one's own."""
    secret_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,127}$")] | None = None
    """Environment variable with the secret that signs them: `whsec_` and 24 to 64 bytes in base64."""
