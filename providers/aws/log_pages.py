"""A log group, page by page, by FilterLogEvents: each event once, also one that CloudWatch shows late.

One reading after another goes through the group from a time on, page by page to the end; then the next one
begins a little before the end of the last, for what comes late. What was read in that overlap is known by
its id. A page may be empty and still not be the last.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from operations.errors import ProviderError
from operations.monitoring.errors.log_ports import LogLine, LogPage
from providers.aws.errors import code_of
from providers.aws.gateway import Clients, Gateway, Place

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import (
        FilteredLogEventTypeDef,
        FilterLogEventsRequestTypeDef,
        FilterLogEventsResponseTypeDef,
    )

LATE = timedelta(minutes=1)
"""An event that shows up later than this after its own time may be missed."""
MOST_KNOWN = 2000
"""Ids that are remembered; where there are more, the overlap is shorter."""
_PAGES = 10
_PAGE_BYTES = 2 * 1024 * 1024
_MOST_EVENTS = 10_000  # of one answer, by CloudWatch's own rule
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Times are milliseconds. `start` and `token` are the request that is due next.

    `begun` is when the present way through the group began; `known` are events from `start` on, with
    their times, by a short form of their ids.
    """

    start: int
    begun: int
    token: str = ""
    known: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str) -> _Cursor:
        """Reads what `dump` wrote; raises ValueError, KeyError or TypeError for anything else."""
        body = json.loads(text)
        known = {str(key): int(at) for key, at in body["known"].items()}
        return cls(int(body["start"]), int(body["begun"]), str(body["token"]), known)

    def dump(self) -> str:
        """As text for the database."""
        body = {"start": self.start, "begun": self.begun, "token": self.token, "known": self.known}
        return json.dumps(body, separators=(",", ":"))

    def passed(self, token: str, read: dict[str, int]) -> _Cursor:
        """What follows a page: the same way, further on. A long way is not remembered from its start."""
        known = self.known | read
        if len(known) > 4 * MOST_KNOWN:
            known = dict(sorted(known.items(), key=lambda item: item[1])[-2 * MOST_KNOWN :])
        return replace(self, token=token, known=known)

    def anew(self) -> _Cursor:
        """The same way again without its token, from what is still known of it."""
        start = self.start if len(self.known) < MOST_KNOWN else min(self.known.values())
        return replace(self, start=start, token="")

    def ended(self, now: int) -> _Cursor:
        """What the next way through begins with."""
        start = max(self.start, self.begun - LATE // timedelta(milliseconds=1))
        newest = sorted(self.known.items(), key=lambda item: item[1])[-MOST_KNOWN:]
        if len(newest) < len(self.known):
            # Those of the oldest millisecond may be known in part only.
            start = max(start, newest[0][1] + 1)
        known = {key: at for key, at in newest if at >= start}
        return _Cursor(start, now, "", known)


class LogGroups:
    """Reads log groups on."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def read(
        self, place: Place, group: str, cursor: str, *, limit: int, now: datetime
    ) -> LogPage:
        """See `operations.monitoring.errors.log_ports.LogReader`."""
        here = _cursor(cursor, _milliseconds(now))
        lines: list[LogLine] = []
        size, is_more = 0, bool(cursor)
        for _ in range(_PAGES if cursor else 0):
            answer = await self._page(place, group, here, limit)
            fresh = [e for e in answer["events"] if _key(e) not in here.known]
            lines += map(_line, fresh)
            size += sum(len(line.text) for line in lines[-len(fresh) :]) if fresh else 0
            token = answer.get("nextToken", "")
            here = here.passed(token, {_key(e): e.get("timestamp", 0) for e in fresh})
            if not token:
                here, is_more = here.ended(_milliseconds(now)), False
                break
            if len(lines) >= limit or size >= _PAGE_BYTES:
                break
        return LogPage(lines=lines, cursor=here.dump(), more=is_more)

    async def _page(
        self, place: Place, group: str, here: _Cursor, limit: int
    ) -> FilterLogEventsResponseTypeDef:
        request: FilterLogEventsRequestTypeDef = {
            "logGroupName": group,
            "startTime": here.start,
            "limit": max(1, min(limit, _MOST_EVENTS)),
        }
        if here.token:
            request["nextToken"] = here.token

        def call(aws: Clients) -> FilterLogEventsResponseTypeDef:
            return aws.logs.filter_log_events(**request)

        try:
            return await self._gateway.read(place, "read the log", call)
        except ProviderError as exc:
            if not here.token or code_of(exc) != "InvalidParameterException":
                raise
        # Tokens end after a day. What was read is known, as far as ids are remembered.
        return await self._page(place, group, here.anew(), limit)


def _cursor(text: str, now: int) -> _Cursor:
    """One that cannot be read is a beginning, as an empty one is."""
    try:
        return _Cursor.load(text) if text else _Cursor(now, now)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _Cursor(now, now)


def _key(event: FilteredLogEventTypeDef) -> str:
    """Ids have 56 digits; 12 characters of a hash are enough to tell a minute's events apart."""
    return hashlib.blake2b(event.get("eventId", "").encode(), digest_size=6).hexdigest()


def _line(event: FilteredLogEventTypeDef) -> LogLine:
    at = _EPOCH + timedelta(milliseconds=event.get("timestamp", 0))
    return LogLine(at, event.get("message", "").rstrip("\r\n"), event.get("logStreamName", ""))


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
