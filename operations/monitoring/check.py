"""A standing question about a target, what was answered, and what follows from the answers so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class CheckKind(StrEnum):
    """What is asked."""

    TARGET = "target"  # the provider's own view
    HTTP = "http"
    TCP = "tcp"
    ERROR_RATE = "error_rate"


class Redirects(StrEnum):
    """Where an address may lead on to. What is configured itself may be anywhere."""

    REFUSE = "refuse"
    PUBLIC = "public"
    ANY = "any"


class Outcome(StrEnum):
    """One answer. ERROR: the question itself went wrong; INCONCLUSIVE: nobody could be asked."""

    OK = "ok"
    FAILING = "failing"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"


class CheckState(StrEnum):
    """What holds by the answers so far."""

    UNKNOWN = "unknown"  # not enough answers yet
    OK = "ok"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`failures` misses in a row make it failing, `recoveries` good answers in a row well again.

    `id` is unique and lasting: `myapp/prod:web`. `url` is empty for the provider's own view. `body` is a
    regular expression that must match in the beginning of the page, "" for none; a good answer that
    takes more than `slower_than` is none. More errors than `limit` in `span` are too many.
    """

    id: str
    name: str
    project: str
    environment: str
    kind: CheckKind
    url: str = ""
    expect: int = 200
    body: str = ""
    slower_than: timedelta | None = None
    redirects: Redirects = Redirects.REFUSE
    limit: int = 0
    span: timedelta = timedelta(0)
    every: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=5)
    failures: int = 3
    recoveries: int = 2

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One answer: `detail` in a few words (`answered 503, wanted 200`), `took` until it came."""

    outcome: Outcome
    at: datetime
    detail: str = ""
    took: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """What the database keeps of a check.

    `bad` and `good` count answers in a row; `first_bad_at` is when the present row of misses began.
    `flips` are the times of the newest state changes, for flapping. `stopped_by` is the id of who
    stopped it, "" when nobody did. `due_at` is None until a bot has made the check known.
    `unasked_since` is when it began that nobody could ask it, None while it answers.
    """

    check_id: str
    state: CheckState = CheckState.UNKNOWN
    bad: int = 0
    good: int = 0
    first_bad_at: datetime | None = None
    flips: tuple[datetime, ...] = ()
    is_flapping: bool = False
    stopped_by: str = ""
    last: Observation | None = None
    due_at: datetime | None = None
    unasked_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A stored change of a check's state; the only cause of our own alerts.

    `new` is UNKNOWN when a person resolved the alert by hand: what was held against the check is void.
    """

    check_id: str
    old: CheckState
    new: CheckState
    reason: str
    at: datetime
