"""The shape of `hms.yaml`, key by key.

What holds between keys (a target that exists, an approval that can be given) is in `rules`; how faults are
worded is in `sentences`. Docstrings of fields become the JSON Schema's descriptions and the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Union, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, create_model

from bot.config.values import (
    Channel,
    CheckUrl,
    Duration,
    Mailbox,
    MailServer,
    Member,
    Rate,
    Regex,
    Repository,
    Right,
    Sha256,
    TargetName,
    TicketUrl,
    TimeOfDay,
    Url,
    User,
    WindowDays,
    WindowHours,
    Zone,
)
from operations.deployment.target import TargetSpec
from providers.specs import ProviderSpec

SPECS: tuple[type[BaseModel], ...] = get_args(get_args(ProviderSpec)[0])
"""The models of the providers' own parts of a target."""

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,62}$")]
Status = Annotated[int, Field(ge=100, le=599)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


class Section(BaseModel):
    """Keys that are not known are faults, and nothing is guessed from a value of another type."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class Slack(Section):
    """Where the bot speaks."""

    deploys_channel: Channel
    """Channel (C…) where rollouts are announced, unless the project names its own."""
    alerts_channel: Channel | None = None
    """Channel where alerts go. Default: the deploys channel."""
    native_charts: bool = False
    """Whether Slack draws the digest's chart by its own block, which not every client knows yet."""


class Approvals(Section):
    """Who must agree before a rollout starts."""

    required: Annotated[int, Field(ge=1, le=20)] = 1
    """Votes that a rollout needs."""
    voters: Annotated[list[Member], Field(min_length=1)] | None = Field(default=None, alias="from")
    """Slack users (U… or W…) and user groups (S…). Absent: anyone who may deploy there."""
    self_approval: bool = False
    """Whether the vote of the one who asked counts."""
    expires: Duration = timedelta(hours=1)
    """How long a request waits for votes."""


class OpenHours(Section):
    """Hours in which deploying is allowed."""

    days: WindowDays
    """`mon-fri`, `mon,wed`, `weekdays`, `weekends` or `daily`."""
    hours: WindowHours
    """`"09:00-17:30"`; an end before the start is on the next day."""
    timezone: Zone
    """IANA name, such as Europe/London."""


class Environment(Section):
    """The rules that hold for every project in this environment."""

    approvals: Approvals | None = None
    """Absent: no approval is asked."""
    windows: Annotated[list[OpenHours], Field(min_length=1)] | None = None
    """Absent: any time."""


class Access(Section):
    """Who may do what. Absent: everybody may do everything that approvals allow."""

    deploy: dict[Key, Annotated[list[Member], Field(min_length=1)]] = {}
    """By environment: who may deploy there. An environment that is not named: everybody."""
    admin: list[Member] = []
    """Who may lift locks of others and cancel rollouts of others."""
    cli: dict[Login, User] = {}
    """Login name on the command line → the Slack user it counts as."""


class Health(Section):
    """A URL that must answer as expected after the rollout."""

    url: Url
    """http:// or https:// address."""
    expect: Status = 200
    """HTTP status."""
    span: Duration = Field(default=timedelta(seconds=10), alias="for")
    """How long it must answer so without a miss."""


class Placement(Section):
    """What every target has beside its provider's own keys."""

    timeout: Duration = timedelta(minutes=10)
    """How long the rollout may take."""
    on_failure: Literal["rollback", "leave"] = "rollback"
    """What a failed rollout does with the target."""
    health: Health | None = None
    """Asked after the rollout."""
    dual: Literal["shadow", "verify"] | None = None
    """While moving from HMS-OPS: it deploys and HMS-SYS watches, or the other way round."""

    def spec(self) -> TargetSpec:
        """The provider's own part alone."""
        fields = type(self).model_fields
        return read_spec({name: getattr(self, name) for name in fields})


COMMON_KEYS = frozenset(Placement.model_fields)
"""The keys that every provider's targets have."""

_SPEC: TypeAdapter[TargetSpec] = TypeAdapter(ProviderSpec)


def read_spec(keys: Mapping[str, object]) -> TargetSpec:
    """The provider's own part among a target's keys; raises pydantic's ValidationError."""
    return _SPEC.validate_python({key: keys[key] for key in keys if key not in COMMON_KEYS})


if TYPE_CHECKING:
    AnyPlacement = Placement
else:
    # Built from the union, so that a new provider's keys are known here without another line.
    AnyPlacement = Annotated[
        Union[  # noqa: UP007 - a tuple's members cannot be joined with |
            tuple(
                create_model(kind.__name__, __base__=(Placement, kind), __doc__=kind.__doc__)
                for kind in SPECS
            )
        ],
        Field(discriminator="provider"),
    ]


class Project(Section):
    """What is deployed, and where to."""

    channel: Channel | None = None
    """Where its rollouts are announced. Default: slack.deploys_channel."""
    repository: Repository | None = None
    """OWNER/NAME on GitHub, for telling what ships."""
    environments: Annotated[dict[Key, AnyPlacement], Field(min_length=1)]
    """By environment: the target."""


class Check(Section):
    """A standing question. With neither `url` nor `error_rate`: the provider's own view of the target."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {"required": ["url", "error_rate"]},
            "dependentRequired": {
                key: ["url"] for key in ("expect", "timeout", "body", "slower_than", "redirects")
            },
        }
    )

    name: Key | None = None
    """What people call it. Default: what it asks."""
    target: TargetName
    """PROJECT/ENVIRONMENT."""
    url: CheckUrl | None = None
    """Address that must answer: http://, https://, or tcp://HOST:PORT for a port."""
    error_rate: Rate | None = None
    """`"50/5m"`: failing with more than 50 error events in 5 minutes."""
    expect: Status = 200
    """HTTP status that `url` must answer with."""
    body: Regex | None = None
    """Regular expression that must match in the first 64 KiB of what `url` answers."""
    slower_than: Duration | None = None
    """An answer of `url` that takes longer is a failing one."""
    redirects: Literal["refuse", "public", "any"] = "refuse"
    """Whether redirects of `url` are followed: not at all, to public addresses only, or anywhere."""
    timeout: Duration = timedelta(seconds=5)
    """How long `url` may take to answer."""
    every: Duration = timedelta(seconds=30)
    """How often it is asked."""
    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """Misses in a row that make it failing."""
    recoveries: Annotated[int, Field(ge=1, le=100)] = 2
    """Good answers in a row that make it well again."""

    @property
    def label(self) -> str:
        """Its name, or what it asks."""
        asks = "errors" if self.error_rate else "url" if self.url else "target"
        return self.name or asks


class ErrorSource(Section):
    """Where error events of a target are read."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [key]} for key in ("cloudwatch", "pods", "site")]}
    )

    target: TargetName
    """PROJECT/ENVIRONMENT."""
    cloudwatch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/#-]{1,512}$")] | None = None
    """Log group in CloudWatch, in the target's region."""
    pods: Literal[True] | None = None
    """The logs of the target's pods."""
    site: Literal[True] | None = None
    """The application log of the target's site on Forge."""
    pattern: Regex | None = None
    """Regular expression: what it matches is an error. Absent: what says so itself, and stack traces."""


class Keep(Section):
    """How long the central log is kept. A group that is not seen any more goes with its counts."""

    events: Duration = timedelta(days=7)
    """Single events."""
    samples: Duration = timedelta(days=30)
    """Samples of errors."""
    counts: Duration = timedelta(days=365)
    """Counts an hour."""
    megabytes: Annotated[int, Field(ge=10, le=1_000_000)] = 1000
    """The oldest events go when all of them together are larger."""


class Errors(Section):
    """Where errors come from, beside what is sent to the HTTP API, and how long they are kept."""

    sources: list[ErrorSource] = []
    """Logs that are read."""
    keep: Keep = Keep()
    """How long they are kept."""
    new_groups: Annotated[int, Field(ge=1, le=10_000)] = 100
    """New groups of errors that may begin on a target in an hour; what is beyond counts in one group."""


class Escalation(Section):
    """Who hears of an alert that nobody acknowledges."""

    after: Duration
    """How long it fires before."""
    channel: Channel | None = None
    """A second channel."""
    people: Annotated[list[User], Field(min_length=1, max_length=20)] | None = None
    """Slack users (U… or W…), who get a direct message."""


class Alerts(Section):
    """What becomes of alerts."""

    escalation: Escalation | None = None
    """Absent: nobody else is told."""


class Heartbeat(Section):
    """A dead man's switch: whoever waits for the call raises the alarm when it stays away."""

    url: Url
    """Is called with GET while this process works."""
    every: Duration = timedelta(minutes=1)
    """How often."""


Occasion = Literal["alert", "rollout_failed", "digest"]
_OCCASIONS: list[Occasion] = ["alert", "rollout_failed", "digest"]


class Legacy(Section):
    """HMS-OPS, while both are in use (`dual`)."""

    command: Annotated[list[str], Field(min_length=1)]
    """The program and its first arguments: `[/opt/hms-ops/hms-ops.sh]`. It is run without a shell."""
    environment: Annotated[list[Variable], Field(max_length=100)] = []
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
    on: Annotated[list[Occasion], Field(min_length=1)] = ["alert", "rollout_failed"]
    """What is told."""


class Hook(Section):
    """What another system sends to `POST /hooks/SYSTEM/TOKEN`."""

    token_sha256: Sha256
    """SHA-256 of the token in its address, in hexadecimal digits."""
    target: TargetName | None = None
    """PROJECT/ENVIRONMENT that events count for when they do not say one that is configured."""
    targets: dict[Key, TargetName] = {}
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


class Digest(Section):
    """The daily summary."""

    channel: Channel
    """Where it is posted."""
    at: TimeOfDay
    """Time of day, in quotes."""
    timezone: Zone
    """IANA name, such as Europe/London."""


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
