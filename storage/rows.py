"""Values of operations to columns and back. JSON that a newer version wrote may hold more than is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.actor import Actor, ActorKind
from operations.deployment.progress import Failure, Handle, Step, StepState
from operations.deployment.release import Release
from operations.deployment.rollout import (
    Lease,
    Phase,
    Review,
    Rollout,
    RolloutKind,
    RolloutState,
    Vote,
    VoteKind,
    rollout_name,
)
from operations.errors import StorageError
from storage.session import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Columns = dict[str, object]


def from_time(time: datetime) -> int:
    """Microseconds since 1970; a naive time is a TypeError."""
    return (time - _EPOCH) // _MICROSECOND


def to_time(number: int) -> datetime:
    """The aware time in UTC."""
    return _EPOCH + timedelta(microseconds=number)


def from_optional_time(time: datetime | None) -> int | None:
    """As `from_time`; None stays None."""
    return None if time is None else from_time(time)


def to_optional_time(number: int | None) -> datetime | None:
    """As `to_time`; None stays None."""
    return None if number is None else to_time(number)


def to_json(value: object) -> str:
    """Compact; keys stay in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def actor_columns(prefix: str, actor: Actor) -> Columns:
    """The three columns of an actor."""
    return {
        f"{prefix}_id": actor.id,
        f"{prefix}_kind": actor.kind.value,
        f"{prefix}_name": actor.name,
    }


def actor_of(row: Row, prefix: str) -> Actor:
    """Reads what `actor_columns` wrote."""
    kind = ActorKind(row[f"{prefix}_kind"])
    return Actor(id=row[f"{prefix}_id"], kind=kind, name=row[f"{prefix}_name"])


def vote_columns(rollout: Rollout) -> list[Columns]:
    """One row for each vote."""
    return [
        {
            "rollout_id": rollout.id,
            **actor_columns("actor", vote.actor),
            "vote": vote.kind.value,
            "at": from_time(vote.at),
            "position": position,
        }
        for position, vote in enumerate(rollout.votes)
    ]


def rollout_columns(rollout: Rollout) -> Columns:
    """Every column but the id and the lease's."""
    return {
        "project": rollout.project,
        "environment": rollout.environment,
        "provider": rollout.provider,
        "kind": rollout.kind.value,
        "state": rollout.state.value,
        "phase": rollout.phase.value,
        "revision": rollout.revision,
        "version": rollout.release.version,
        "artifact": rollout.release.artifact,
        "pin": rollout.release.pin,
        "previous": _release_json(rollout.previous),
        **actor_columns("requested_by", rollout.requested_by),
        "requested_at": from_time(rollout.requested_at),
        "reason": rollout.reason,
        "channel": rollout.channel,
        "external_id": rollout.external_id,
        "emergency": rollout.emergency,
        "warnings": to_json(rollout.warnings),
        "votes_required": rollout.votes_required,
        "expires_at": from_optional_time(rollout.expires_at),
        "start_at": from_optional_time(rollout.start_at),
        "cancelled_by": actor_json(rollout.cancelled_by),
        "started_at": from_optional_time(rollout.started_at),
        "ended_at": from_optional_time(rollout.ended_at),
        "steps": to_json([_step_json(step) for step in rollout.steps]),
        "handle": None if rollout.handle is None else to_json(dict(rollout.handle)),
        "failure": _failure_json(rollout.failure),
        "outcome": rollout.outcome,
        "reviewed": _review_json(rollout.review),
    }


class Unreadable(StorageError):
    """A row that this version cannot make sense of: written by a newer one, or damaged."""

    def __init__(self, rollout_id: int) -> None:
        super().__init__(
            f"{rollout_name(rollout_id)} cannot be read: a newer version wrote it, or it is damaged.",
            hint="Run the newest version that has been used with this database.",
        )
        self.rollout_id = rollout_id


def rollouts_of(rows: Sequence[Row]) -> list[Rollout]:
    """Rollouts from rows that repeat a rollout for each of its votes, in the rows' order.

    Raises Unreadable.
    """
    return [_read(group) for group in _grouped(rows).values()]


def readable_of(rows: Sequence[Row]) -> list[Rollout]:
    """As `rollouts_of`, without those that cannot be read: one of them must not hide all others."""
    found: list[Rollout] = []
    for group in _grouped(rows).values():
        with suppress(Unreadable):
            found.append(_read(group))
    return found


def _grouped(rows: Sequence[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["id"], []).append(row)
    return grouped


def _read(rows: Sequence[Row]) -> Rollout:
    try:
        return _rollout_of(rows[0], _votes_of(rows))
    except (ValueError, LookupError, TypeError) as exc:
        raise Unreadable(rows[0]["id"]) from exc


def _rollout_of(row: Row, votes: tuple[Vote, ...]) -> Rollout:
    return Rollout(
        id=row["id"],
        project=row["project"],
        environment=row["environment"],
        provider=row["provider"],
        kind=RolloutKind(row["kind"]),
        release=Release(version=row["version"], artifact=row["artifact"], pin=row["pin"]),
        previous=_to_release(row["previous"]),
        requested_by=actor_of(row, "requested_by"),
        requested_at=to_time(row["requested_at"]),
        reason=row["reason"],
        channel=row["channel"],
        external_id=row["external_id"],
        emergency=bool(row["emergency"]),
        warnings=tuple(json.loads(row["warnings"])),
        state=RolloutState(row["state"]),
        phase=Phase(row["phase"]),
        revision=row["revision"],
        votes=votes,
        votes_required=row["votes_required"],
        expires_at=to_optional_time(row["expires_at"]),
        start_at=to_optional_time(row["start_at"]),
        cancelled_by=to_actor(row["cancelled_by"]),
        started_at=to_optional_time(row["started_at"]),
        ended_at=to_optional_time(row["ended_at"]),
        steps=tuple(_to_step(step) for step in json.loads(row["steps"])),
        handle=_to_handle(row["handle"]),
        failure=_to_failure(row["failure"]),
        outcome=row["outcome"],
        review=_to_review(row["reviewed"]),
        lease=_lease_of(row),
    )


def _votes_of(rows: Iterable[Row]) -> tuple[Vote, ...]:
    return tuple(
        Vote(actor=actor_of(row, "vote_by"), kind=VoteKind(row["vote"]), at=to_time(row["vote_at"]))
        for row in rows
        if row["vote"] is not None
    )


def _lease_of(row: Row) -> Lease | None:
    if row["lease_owner"] is None:
        return None
    until = to_time(row["lease_until"])
    return Lease(owner=row["lease_owner"], number=row["lease_number"], until=until)


def _release_json(release: Release | None) -> str | None:
    if release is None:
        return None
    return to_json({"version": release.version, "artifact": release.artifact, "pin": release.pin})


def _to_release(text: str | None) -> Release | None:
    if text is None:
        return None
    body: Mapping[str, str] = json.loads(text)
    return Release(version=body["version"], artifact=body["artifact"], pin=body["pin"])


def actor_json(actor: Actor | None) -> str | None:
    """An actor in one column."""
    if actor is None:
        return None
    return to_json({"id": actor.id, "kind": actor.kind.value, "name": actor.name})


def to_actor(text: str | None) -> Actor | None:
    """Reads what `actor_json` wrote."""
    if text is None:
        return None
    body: Mapping[str, str] = json.loads(text)
    return Actor(id=body["id"], kind=ActorKind(body["kind"]), name=body["name"])


def _step_json(step: Step) -> Mapping[str, object]:
    return {
        "name": step.name,
        "state": step.state.value,
        "detail": step.detail,
        "ready": step.ready,
        "total": step.total,
        "at": from_optional_time(step.at),
    }


def _to_step(body: Mapping[str, Any]) -> Step:
    return Step(
        name=body["name"],
        state=StepState(body["state"]),
        detail=body["detail"],
        ready=body["ready"],
        total=body["total"],
        at=to_optional_time(body["at"]),
    )


def _to_handle(text: str | None) -> Handle | None:
    if text is None:
        return None
    handle: Handle = json.loads(text)
    return handle


def _failure_json(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    return to_json(
        {"summary": failure.summary, "reason": failure.reason, "evidence": failure.evidence}
    )


def _to_failure(text: str | None) -> Failure | None:
    if text is None:
        return None
    body = json.loads(text)
    return Failure(summary=body["summary"], reason=body["reason"], evidence=tuple(body["evidence"]))


def _review_json(review: Review | None) -> str | None:
    if review is None:
        return None
    return to_json(
        {"by": actor_json(review.actor), "at": from_time(review.at), "note": review.note}
    )


def _to_review(text: str | None) -> Review | None:
    if text is None:
        return None
    body = json.loads(text)
    actor = to_actor(body["by"])
    if actor is None:
        raise ValueError("a review is somebody's")
    return Review(actor=actor, at=to_time(body["at"]), note=body["note"])
