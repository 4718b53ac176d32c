"""The JSON documents of error groups; see `documents`, whose promise holds here too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from handlers.documents import timestamp, timestamp_or_none
from operations.actor import Actor
from operations.monitoring.errors.group import Change, ErrorGroup, GroupDetail, GroupReport, Sample


class GroupDocument(TypedDict):
    """`release` is the version that ran when it was last seen, `hours` the last 24, oldest first.

    `count` is of all time, `imported` how many of it HMS-OPS's logs told of; `rollout` is the one after
    which it began or came back. `formerly_resolved_at` and `formerly_resolved_by` are null unless it was
    resolved, was seen again and is open since.
    """

    id: str
    project: str
    environment: str
    title: str
    level: str
    state: str
    count: int
    imported: int
    hours: list[int]
    first_seen: str
    last_seen: str
    first_release: str | None
    release: str | None
    rollout: str | None
    silenced_until: str | None
    resolved_at: str | None
    resolved_by: str | None
    formerly_resolved_at: str | None
    formerly_resolved_by: str | None


class SampleDocument(TypedDict):
    """One event of a group."""

    at: str
    message: str
    release: str | None
    source: str | None
    fields: Mapping[str, str]


class ChangeDocument(TypedDict):
    """Something that happened on the target before the group began; `subject` is a rollout's id."""

    at: str
    subject: str
    text: str


class GroupDetailDocument(GroupDocument):
    """All that is known of a group: the newest samples first, the changes before it newest first."""

    samples: list[SampleDocument]
    changes: list[ChangeDocument]


class ErrorsDocument(TypedDict):
    """`errors`."""

    groups: list[GroupDocument]


class ErrorDocument(TypedDict):
    """`errors E-12`: a list of one, so that programs read the same key."""

    groups: list[GroupDetailDocument]


def errors_document(reports: Iterable[GroupReport]) -> ErrorsDocument:
    """Groups in the order they were asked for."""
    return {"groups": [_group_document(report) for report in reports]}


def error_document(detail: GroupDetail) -> ErrorDocument:
    """One group with its samples, and with what changed before it began."""
    return {
        "groups": [
            {
                **_group_document(detail.report),
                "samples": [_sample_document(sample) for sample in detail.samples],
                "changes": [_change_document(change) for change in detail.changes],
            }
        ]
    }


def _group_document(report: GroupReport) -> GroupDocument:
    group = report.group
    at, by = timestamp_or_none(group.resolved_at), _id(group.resolved_by)
    return {
        "id": group.label,
        "project": group.project,
        "environment": group.environment,
        "title": group.title,
        "level": group.level.word,
        "state": group.state.value,
        "count": group.count,
        "imported": group.imported,
        "hours": list(report.hours),
        "first_seen": timestamp(group.first_seen),
        "last_seen": timestamp(group.last_seen),
        "first_release": group.first_release or None,
        "release": _last_release(group),
        "rollout": group.rollout or None,
        "silenced_until": timestamp_or_none(group.silenced_until),
        "resolved_at": None if group.has_come_back else at,
        "resolved_by": None if group.has_come_back else by,
        "formerly_resolved_at": at if group.has_come_back else None,
        "formerly_resolved_by": by if group.has_come_back else None,
    }


def _last_release(group: ErrorGroup) -> str | None:
    return group.last_release or group.first_release or None


def _sample_document(sample: Sample) -> SampleDocument:
    return {
        "at": timestamp(sample.at),
        "message": sample.message,
        "release": sample.release or None,
        "source": sample.source or None,
        "fields": dict(sample.fields),
    }


def _change_document(change: Change) -> ChangeDocument:
    return {"at": timestamp(change.at), "subject": change.subject, "text": change.text}


def _id(actor: Actor | None) -> str | None:
    return actor.id if actor else None
