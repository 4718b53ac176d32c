"""What a person orders of a program that the composition root brings, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOrder:
    """`target` "-": standard output. `secrets_file` "": secrets are named, not written."""

    source: str
    target: str
    secrets_file: str
    force: bool
    as_json: bool
    deploys_channel: str
    alerts_channel: str
    organization: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencesOrder:
    """`path` is a file or a folder. `program` is written where HMS-OPS was called by a path; "" unknown."""

    path: str
    apply: bool
    as_json: bool
    program: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOrder:
    """`path` is a checkout of HMS-OPS."""

    path: str
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOrder:
    """`path` is a log file or a folder of them. Times without a zone are in `timezone`.

    `project` and `environment` are those of errors that name none, "" unknown. `dry_run`: nothing is stored.
    """

    path: str
    timezone: str = "UTC"
    project: str = ""
    environment: str = ""
    dry_run: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOrder:
    """`target` is a file that is not there yet."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredOrder:
    """`by`: so much higher do numbers go on."""

    by: int


class ComponentsAction(StrEnum):
    """What is done about components."""

    LIST = "list"
    ADD = "add"
    ROTATE = "rotate"
    REMOVE = "remove"
    TEST = "test"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsOrder:
    """`name` "": all. `may`, `webhook`, `private` and `ticket_url` are for one that is added.

    `secret_only`: of one that is rotated, the webhook's secret and not the token.
    """

    action: ComponentsAction
    name: str = ""
    may: tuple[str, ...] = ()
    webhook: str = ""
    private: bool = False
    ticket_url: str = ""
    secret_only: bool = False
    as_json: bool = False
