"""Rollouts in the database: reading, and storing with the comparisons that keep two writers apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from operations.deployment.rollout import (
    HistoryPage,
    HistoryQuery,
    Rollout,
    RolloutDraft,
    RolloutState,
)
from operations.deployment.statistics import PastRollout
from operations.errors import LeaseLost, StorageError, VersionConflict
from storage.history import read_page
from storage.past_rollouts import read_past
from storage.rows import (
    from_time,
    readable_of,
    rollout_columns,
    rollouts_of,
    vote_columns,
)
from storage.schema import ACTIVE, PENDING, ROLLOUTS, SUCCEEDED, VOTES, WAITING, WORKING
from storage.session import Session, Topic, UniqueViolation, require_writing
from storage.statements import Statement
from storage.whole_rollouts import IS_OWN, picked, rule, with_votes

_R = ROLLOUTS.c
_STORED = [c.name for c in ROLLOUTS.columns if c.name != "id" and not c.name.startswith("lease_")]
_OF_TARGET = (
    _R.project == sa.bindparam("project"),
    _R.environment == sa.bindparam("environment"),
)


def _newest(*rules: sa.ColumnElement[bool]) -> Statement:
    return with_votes(picked(*rules).order_by(_R.id.desc()).limit(sa.literal_column("1")))


BY_ID = with_votes(picked(_R.id == sa.bindparam("id")))
_HOLD = Statement(sa.select(_R.id).where(_R.id == sa.bindparam("id")).with_for_update())
_HOLD_WAITING = Statement(
    sa.select(_R.id).where(*_OF_TARGET, rule(WAITING)).order_by(_R.id).with_for_update()
)
_ADD = Statement(sa.insert(ROLLOUTS).returning(_R.id), columns=_STORED)
_WAITING = with_votes(picked(*_OF_TARGET, rule(WAITING)))
_ACTIVE = with_votes(picked(*_OF_TARGET, rule(ACTIVE)))
_IS_QUEUED = (rule(WORKING), _R.state == sa.literal_column(f"'{RolloutState.QUEUED}'"))
_QUEUED = with_votes(picked(*_IS_QUEUED))
_UNENDED = with_votes(picked(sa.or_(rule(PENDING), rule(WORKING))))
_EXPIRED = with_votes(picked(rule(PENDING), _R.expires_at <= sa.bindparam("now")))
_MISSED = with_votes(picked(*_IS_QUEUED, _R.start_at <= sa.bindparam("moment")))
_LAST_LIVE = _newest(*_OF_TARGET, rule(SUCCEEDED), IS_OWN, _R.id < sa.bindparam("before"))
_LIVE_WITH_VERSION = _newest(
    *_OF_TARGET, _R.version == sa.bindparam("version"), rule(SUCCEEDED), IS_OWN
)
_ADD_VOTE = Statement(sa.insert(VOTES), columns=[c.name for c in VOTES.columns])
_DROP_VOTES = Statement(sa.delete(VOTES).where(VOTES.c.rollout_id == sa.bindparam("id")))
_VOTES_STORED = (
    sa.select(sa.func.count())
    .select_from(VOTES)
    .where(VOTES.c.rollout_id == _R.id)
    .correlate(ROLLOUTS)
    .scalar_subquery()
    .label("votes_stored")
)
_SAVE = (
    sa.update(ROLLOUTS)
    .where(_R.id == sa.bindparam("at_id"), _R.revision == sa.bindparam("at_revision"))
    .returning(_VOTES_STORED)
)
SAVE = Statement(_SAVE, columns=_STORED)
SAVE_LEASED = Statement(
    _SAVE.where(
        _R.lease_number == sa.bindparam("at_lease"), _R.lease_owner == sa.bindparam("at_owner")
    ),
    columns=_STORED,
)
_STANDING = Statement(
    sa.select(_R.revision, _R.lease_number, _R.lease_owner).where(_R.id == sa.bindparam("id"))
)
_NEWEST_OF_ALL = 1 << 62


class SqlRollouts:
    """The port `Rollouts` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, draft: RolloutDraft) -> Rollout:
        """Store a new rollout."""
        require_writing(self._session)
        rollout = _rollout_of(draft)
        try:
            rows = await self._session.fetch(_ADD, **rollout_columns(rollout))
        except UniqueViolation as exc:
            raise _second_active(rollout) from exc
        self._announce(rollout)
        return replace(rollout, id=rows[0]["id"])

    async def get(self, rollout_id: int, *, lock: bool = False) -> Rollout | None:
        """Read one.

        On PostgreSQL the row is held first and read by a statement of its own: one that had to wait
        for the row would still see the votes of before.
        """
        if lock:
            require_writing(self._session)
            await self._session.fetch(_HOLD, id=rollout_id)
        return _first(rollouts_of(await self._session.fetch(BY_ID, id=rollout_id)))

    async def save(self, rollout: Rollout) -> Rollout:
        """Compare, store, raise the revision."""
        require_writing(self._session)
        saved = replace(rollout, revision=rollout.revision + 1)
        try:
            votes_stored = await self._write(rollout, saved)
        except UniqueViolation as exc:
            raise _second_active(rollout) from exc
        if votes_stored or rollout.votes:
            await self._replace_votes(saved)
        self._announce(saved)
        return saved

    async def waiting(self, project: str, environment: str) -> Sequence[Rollout]:
        """Those that wait for approval or in the queue.

        Who writes has the target's queue to themselves until the end: on PostgreSQL two who ask at once
        would each not see the other, and both would wait.
        """
        if self._session.is_writing:
            await self._session.hold(f"{project}/{environment}")
            await self._session.fetch(_HOLD_WAITING, project=project, environment=environment)
        rows = await self._session.fetch(_WAITING, project=project, environment=environment)
        return rollouts_of(rows)

    async def active(self, project: str, environment: str) -> Rollout | None:
        """The one that is being carried out."""
        rows = await self._session.fetch(_ACTIVE, project=project, environment=environment)
        return _first(rollouts_of(rows))

    async def last_live(
        self, project: str, environment: str, *, before: int | None = None
    ) -> Rollout | None:
        """The newest succeeded one."""
        rows = await self._session.fetch(
            _LAST_LIVE,
            project=project,
            environment=environment,
            before=_NEWEST_OF_ALL if before is None else before,
        )
        return _first(rollouts_of(rows))

    async def live_with_version(
        self, project: str, environment: str, version: str
    ) -> Rollout | None:
        """The newest succeeded one of this version."""
        rows = await self._session.fetch(
            _LIVE_WITH_VERSION, project=project, environment=environment, version=version
        )
        return _first(rollouts_of(rows))

    async def search(self, query: HistoryQuery) -> HistoryPage:
        """A page of history."""
        return await read_page(self._session, query)

    async def queued(self) -> Sequence[Rollout]:
        """Those in the queue."""
        return readable_of(await self._session.fetch(_QUEUED))

    async def unended(self) -> Sequence[Rollout]:
        """Those that have not ended."""
        return readable_of(await self._session.fetch(_UNENDED))

    async def expired(self, now: datetime) -> Sequence[Rollout]:
        """Those whose approval comes too late."""
        return readable_of(await self._session.fetch(_EXPIRED, now=from_time(now)))

    async def missed(self, moment: datetime) -> Sequence[Rollout]:
        """Those whose time to start is over."""
        return readable_of(await self._session.fetch(_MISSED, moment=from_time(moment)))

    async def ended_since(self, since: datetime, project: str) -> Sequence[PastRollout]:
        """What is counted of those that ended since then."""
        return await read_past(self._session, since, project)

    async def _write(self, rollout: Rollout, saved: Rollout) -> int:
        """How many votes are stored of it; raises VersionConflict or LeaseLost when nothing fits."""
        values = {**rollout_columns(saved), "at_id": rollout.id, "at_revision": rollout.revision}
        statement = SAVE
        if rollout.lease is not None:
            statement = SAVE_LEASED
            values |= {"at_lease": rollout.lease.number, "at_owner": rollout.lease.owner}
        rows = await self._session.fetch(statement, **values)
        if not rows:
            await self._explain_miss(rollout)
        stored: int = rows[0]["votes_stored"]
        return stored

    async def _explain_miss(self, rollout: Rollout) -> None:
        rows = await self._session.fetch(_STANDING, id=rollout.id)
        if not rows:
            raise StorageError(f"{rollout.name} is not in the database.")
        lease, row = rollout.lease, rows[0]
        if lease is not None and (lease.number, lease.owner) != (
            row["lease_number"],
            row["lease_owner"],
        ):
            raise LeaseLost(f"Another worker took over {rollout.name}.")
        raise VersionConflict(f"{rollout.name} changed since it was read.")

    async def _replace_votes(self, rollout: Rollout) -> None:
        await self._session.fetch(_DROP_VOTES, id=rollout.id)
        try:
            await self._session.run_each(_ADD_VOTE, vote_columns(rollout))
        except UniqueViolation as exc:
            raise StorageError(f"Somebody would vote twice on {rollout.name}.") from exc

    def _announce(self, rollout: Rollout) -> None:
        """Wake workers when one may begin: this one, or the next of a target that became free."""
        if rollout.state is RolloutState.QUEUED or rollout.has_ended:
            self._session.announce(Topic.ROLLOUTS)


def _first(rollouts: Sequence[Rollout]) -> Rollout | None:
    return rollouts[0] if rollouts else None


def _second_active(rollout: Rollout) -> StorageError:
    return StorageError(f"{rollout.target_name} has another active rollout.")


def _rollout_of(draft: RolloutDraft) -> Rollout:
    return Rollout(
        id=0,
        project=draft.project,
        environment=draft.environment,
        provider=draft.provider,
        kind=draft.kind,
        release=draft.release,
        previous=draft.previous,
        requested_by=draft.requested_by,
        requested_at=draft.requested_at,
        reason=draft.reason,
        channel=draft.channel,
        external_id=draft.external_id,
        emergency=draft.emergency,
        warnings=draft.warnings,
        state=draft.state,
        votes_required=draft.votes_required,
        expires_at=draft.expires_at,
        start_at=draft.start_at,
    )
