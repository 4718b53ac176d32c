"""Claiming notices for delivery.

A claim has a number, known to the queue that took it. Who comes back after the claim ended and was taken
by another changes nothing of the other's; only that something was delivered is recorded in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from operations.outbox import SLACK, Delay, Notice, NoticeKind, PostedMessage, Urgency
from storage.rows import from_time, to_optional_time, to_time
from storage.schema import NOTICES, UNDELIVERED
from storage.session import Engine, Row, Topic
from storage.statements import Statement
from storage.waiting import Now, Waiting

_N = NOTICES.c
_IS_UNDELIVERED = sa.literal_column(UNDELIVERED, sa.Boolean)
_WAS_CLAIMED = _N.claim_owner.is_not(None)
_PICK = (
    sa.select(_N.subject, _N.kind, _N.route)
    .where(
        _IS_UNDELIVERED,
        _N.route == sa.bindparam("on_route"),
        _N.due_at <= sa.bindparam("now"),
        sa.or_(_N.claim_until.is_(None), _N.claim_until <= sa.bindparam("now")),
    )
    .order_by(_N.urgency, _N.created_at, _N.subject, _N.kind)
    .limit(sa.bindparam("rows", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_PICK_DUE = Statement(_PICK)
_OF_SUBJECT = (
    _N.subject == sa.bindparam("at_subject"),
    _N.kind == sa.bindparam("at_kind"),
    _N.route == sa.bindparam("at_route"),
)
_OURS = (*_OF_SUBJECT, _N.claim_number == sa.bindparam("at_claim"))
_CLAIM = Statement(
    sa.update(NOTICES)
    .where(*_OF_SUBJECT)
    .values(
        claim_owner=sa.bindparam("owner"),
        claim_number=_N.claim_number + 1,
        claim_until=sa.bindparam("until"),
        # An earlier claim that nobody settled: whether it was delivered, nobody knows.
        uncertain=sa.or_(_N.uncertain, _WAS_CLAIMED),
        attempts=_N.attempts + sa.case((_WAS_CLAIMED, 1), else_=0),
    )
    .returning(*NOTICES.columns)
)
_FREE = {"claim_owner": sa.null(), "claim_until": sa.null()}
_RECORD = Statement(
    sa.update(NOTICES)
    .where(*_OF_SUBJECT)
    .values(
        delivered_version=sa.case(
            (_N.delivered_version < sa.bindparam("seen"), sa.bindparam("seen")),
            else_=_N.delivered_version,
        ),
        posted_channel=sa.func.coalesce(
            sa.bindparam("new_channel", type_=sa.Text), _N.posted_channel
        ),
        posted_ts=sa.func.coalesce(sa.bindparam("new_ts", type_=sa.Text), _N.posted_ts),
    )
)
_FINISH = Statement(
    sa.update(NOTICES)
    .where(*_OURS)
    .values(
        **_FREE,
        uncertain=sa.literal_column("false"),
        attempts=sa.literal_column("0"),
        last_error=sa.literal_column("''"),
        created_at=_N.put_at,
    )
    .returning(_N.version, _N.delivered_version)
)
_POSTPONE = Statement(
    sa.update(NOTICES)
    .where(*_OURS)
    .values(
        **_FREE,
        # A decision or an end that was put meanwhile is tried at once, as `put` says.
        due_at=sa.case(
            (sa.and_(_N.attempts == 0, _N.version > sa.bindparam("seen")), _N.due_at),
            else_=sa.bindparam("until"),
        ),
        attempts=_N.attempts + 1,
        last_error=sa.bindparam("error"),
        uncertain=sa.or_(_N.uncertain, sa.bindparam("unsure", type_=sa.Boolean)),
    )
)
_GIVE_BACK = Statement(sa.update(NOTICES).where(*_OURS).values(**_FREE))
_POSTED = Statement(
    sa.select(_N.posted_channel, _N.posted_ts).where(*_OF_SUBJECT, _N.posted_ts.is_not(None))
)
_DEPTH = Statement(
    sa.select(sa.func.count().label("depth")).select_from(NOTICES).where(_IS_UNDELIVERED)
)
_DELAY = Statement(
    sa.select(_N.created_at, _N.last_error).where(
        *_OF_SUBJECT, _IS_UNDELIVERED, _N.last_error != sa.literal_column("''")
    )
)
_DUE_AT = sa.case((_N.claim_until > _N.due_at, _N.claim_until), else_=_N.due_at)
_EARLIEST = Statement(
    sa.select(sa.func.min(_DUE_AT).label("due_at")).where(
        _IS_UNDELIVERED, _N.route == sa.bindparam("on_route")
    )
)

_UNCLAIMED = -1
_Key = tuple[str, NoticeKind, str, int, int]


class SqlNoticeQueue:
    """The port `NoticeQueue`."""

    def __init__(self, engine: Engine, now: Now) -> None:
        self._engine = engine
        self._claims: dict[_Key, int] = {}
        self._now = now

    async def claim(
        self, owner: str, now: datetime, until: datetime, *, limit: int, route: str = SLACK
    ) -> Sequence[Notice]:
        """Take due notices of one route."""
        async with self._engine.session(writing=True) as session:
            picked = await session.fetch(_PICK_DUE, now=from_time(now), rows=limit, on_route=route)
            rows = [
                (
                    await session.fetch(
                        _CLAIM,
                        at_subject=pick["subject"],
                        at_kind=pick["kind"],
                        at_route=pick["route"],
                        owner=owner,
                        until=from_time(until),
                    )
                )[0]
                for pick in picked
            ]
        notices = [_notice_of(row) for row in rows]
        for notice, row in zip(notices, rows, strict=True):
            self._claims[_key(notice)] = row["claim_number"]
        return notices

    async def delivered(self, notice: Notice, posted: PostedMessage | None) -> None:
        """Done with the version that was claimed."""
        async with self._engine.session(writing=True) as session:
            await session.fetch(
                _RECORD,
                **_place(notice),
                seen=notice.version,
                new_channel=None if posted is None else posted.channel,
                new_ts=None if posted is None else posted.ts,
            )
            rows = await session.fetch(_FINISH, **self._claim_of(notice))
            if rows and rows[0]["version"] > rows[0]["delivered_version"]:
                session.announce(Topic.NOTICES)
        self._forget(notice)

    async def postpone(
        self, notice: Notice, until: datetime, error: str, *, uncertain: bool
    ) -> None:
        """Due again later; once in doubt, it stays in doubt until it is delivered."""
        async with self._engine.session(writing=True) as session:
            await session.fetch(
                _POSTPONE,
                **self._claim_of(notice),
                seen=notice.version,
                until=from_time(until),
                error=error,
                unsure=uncertain,
            )
        self._forget(notice)

    async def give_back(self, notice: Notice) -> None:
        """Due again at once."""
        async with self._engine.session(writing=True) as session:
            await session.fetch(_GIVE_BACK, **self._claim_of(notice))
            session.announce(Topic.NOTICES)
        self._forget(notice)

    async def posted(
        self, subject: str, kind: NoticeKind, *, route: str = SLACK
    ) -> PostedMessage | None:
        """Where it stands on its route."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(
                _POSTED, at_subject=subject, at_kind=kind.value, at_route=route
            )
        if not rows:
            return None
        return PostedMessage(channel=rows[0]["posted_channel"], ts=rows[0]["posted_ts"])

    async def depth(self) -> int:
        """How many wait undelivered, postponed ones too: while Slack is down, they are the backlog."""
        async with self._engine.session(writing=False) as session:
            return int((await session.fetch(_DEPTH))[0]["depth"])

    async def delay(self, subject: str, kind: NoticeKind) -> Delay | None:
        """What keeps it from Slack."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(
                _DELAY, at_subject=subject, at_kind=kind.value, at_route=SLACK
            )
        if not rows:
            return None
        return Delay(since=to_time(rows[0]["created_at"]), error=rows[0]["last_error"])

    async def wait(self, seconds: float, *, route: str = SLACK) -> None:
        """Return when a notice of the route may be due: another route's would only wake it in vain."""
        earliest = partial(self._earliest, route)
        await Waiting(self._engine, Topic.NOTICES, self._now, earliest).wait(seconds)

    def _claim_of(self, notice: Notice) -> dict[str, object]:
        number = self._claims.get(_key(notice), _UNCLAIMED)
        return {**_place(notice), "at_claim": number}

    def _forget(self, notice: Notice) -> None:
        self._claims.pop(_key(notice), None)

    async def _earliest(self, route: str) -> datetime | None:
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(_EARLIEST, on_route=route)
        return to_optional_time(rows[0]["due_at"])


def _key(notice: Notice) -> _Key:
    """Tells two claims of the same notice apart: a take-over counts as an attempt."""
    return notice.subject, notice.kind, notice.route, notice.version, notice.attempts


def _place(notice: Notice) -> dict[str, object]:
    return {
        "at_subject": notice.subject,
        "at_kind": notice.kind.value,
        "at_route": notice.route,
    }


def _notice_of(row: Row) -> Notice:
    return Notice(
        subject=row["subject"],
        kind=NoticeKind(row["kind"]),
        route=row["route"],
        channel=row["channel"],
        urgency=Urgency(row["urgency"]),
        version=row["version"],
        attempts=row["attempts"],
        created_at=to_time(row["created_at"]),
        uncertain=bool(row["uncertain"]),
    )
