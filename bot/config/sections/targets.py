"""What is deployed, where to, and by whose consent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Union, get_args

from pydantic import BaseModel, Field, TypeAdapter, create_model

from bot.config.sections.section import Key, Login, Section, Status
from bot.config.values import (
    Channel,
    Duration,
    Member,
    Repository,
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

    deploy: dict[Key, Annotated[list[Member], Field(min_length=1)]] = Field(default={})
    """By environment: who may deploy there. An environment that is not named: everybody."""
    admin: list[Member] = Field(default=[])
    """Who may lift locks of others and cancel rollouts of others."""
    cli: dict[Login, User] = Field(default={})
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
