"""The application's own log, where its containers write to CloudWatch through the awslogs driver."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from operations.errors import ProviderError, ProviderRejected
from operations.redaction import clean
from providers.aws.errors import code_of
from providers.aws.gateway import Clients, Gateway, Place

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ContainerDefinitionOutputTypeDef
    from mypy_boto3_logs.type_defs import (
        FilterLogEventsRequestTypeDef,
        FilterLogEventsResponseTypeDef,
    )

LOOK_BACK = (timedelta(minutes=15), timedelta(hours=3), timedelta(days=1), timedelta(days=7))
"""How far back to look for enough lines, step by step: pages are read oldest first."""
PAGES = 40
LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where a container writes: a group, and streams `prefix/container/task` when it has a prefix."""

    place: Place
    group: str
    stream_prefix: str

    def stream(self, task: str) -> str:
        """The stream of one task, "" when streams are not named after tasks."""
        return f"{self.stream_prefix}{task.rpartition('/')[2]}" if self.stream_prefix else ""


def log_place(place: Place, container: ContainerDefinitionOutputTypeDef) -> LogPlace:
    """Raises ProviderRejected for any driver but awslogs: others have no address to look up."""
    settings = container.get("logConfiguration")
    options = settings.get("options", {}) if settings else {}
    if not settings or settings["logDriver"] != "awslogs" or "awslogs-group" not in options:
        driver = settings["logDriver"] if settings else "none"
        raise ProviderRejected(
            f"The container's log cannot be read: its log driver is {driver}.",
            hint="Only the awslogs driver can be read here.",
        )
    prefix = options.get("awslogs-stream-prefix", "")
    return LogPlace(
        Place(place.profile, options.get("awslogs-region") or place.region),
        options["awslogs-group"],
        f"{prefix}/{container.get('name', '')}/" if prefix else "",
    )


class Logs:
    """Reads log groups. Lines come out clean: no secrets, no control characters, not too long."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def newest(
        self, where: LogPlace, *, lines: int, now: datetime, since: timedelta | None
    ) -> Sequence[str]:
        """The newest lines of all the container's streams, oldest first."""
        found: list[str] = []
        for span in (since,) if since is not None else LOOK_BACK:
            found = await self._within(where, lines, now - span)
            if len(found) >= lines:
                break
        return found

    async def of_task(self, where: LogPlace, task: str, *, lines: int) -> Sequence[str]:
        """The newest lines that one task wrote; none when it never got so far."""
        stream = where.stream(task)
        if not stream:
            return []
        try:
            answer = await self._gateway.read(
                where.place,
                "read the task's log",
                lambda aws: aws.logs.get_log_events(
                    logGroupName=where.group, logStreamName=stream, limit=lines, startFromHead=False
                ),
            )
        except ProviderError as exc:
            if code_of(exc) == "ResourceNotFoundException":
                return []
            raise
        return [_line(event.get("message", "")) for event in answer["events"]]

    async def _within(self, where: LogPlace, lines: int, start: datetime) -> list[str]:
        request: FilterLogEventsRequestTypeDef = {
            "logGroupName": where.group,
            "startTime": int(start.timestamp() * 1000),
        }
        if where.stream_prefix:
            request["logStreamNamePrefix"] = where.stream_prefix
        kept: deque[tuple[int, str]] = deque(maxlen=lines)
        for _ in range(PAGES):
            answer = await self._page(where, request)
            if answer is None:
                break
            for event in answer["events"]:
                if event.get("logStreamName", "").startswith(where.stream_prefix):
                    kept.append((event.get("timestamp", 0), _line(event.get("message", ""))))
            # An empty page with a token is not the end.
            if not answer.get("nextToken"):
                break
            request["nextToken"] = answer["nextToken"]
        return [text for _, text in sorted(kept, key=lambda pair: pair[0])]

    async def _page(
        self, where: LogPlace, request: FilterLogEventsRequestTypeDef
    ) -> FilterLogEventsResponseTypeDef | None:
        def call(aws: Clients) -> FilterLogEventsResponseTypeDef:
            return aws.logs.filter_log_events(**request)

        try:
            return await self._gateway.read(where.place, "read the log", call)
        except ProviderError as exc:
            if code_of(exc) == "ResourceNotFoundException":
                return None
            raise


def _line(message: str) -> str:
    return clean(message.rstrip("\n"), limit=LONGEST_LINE)
