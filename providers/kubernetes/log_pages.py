"""The logs of a target's pods, page by page: what each has said since it was last asked.

The API gives a log from a whole second on, up to a number of bytes; there is no cursor. So a pod's mark is
the second that was read last, and how many of its lines have been: they are skipped when they come again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from operations.deployment.target import Target
from operations.errors import ProviderRejected
from operations.monitoring.errors.log_ports import LogLine, LogPage
from providers.kubernetes.cluster import Cluster, path_of
from providers.kubernetes.log_marks import Mark, dump_marks, load_marks
from providers.kubernetes.objects import JsonObject, is_owned, items, name, number, text, uid
from providers.kubernetes.revisions import read_revisions
from providers.kubernetes.workload import Workload, read_workload, spec_of

_LOG = logging.getLogger("hms.kubernetes")

USUAL_BYTES = 256 * 1024
MOST_BYTES = 8 * 1024 * 1024
"""For a second in which more was written than `USUAL_BYTES`. A busier one is read as far as this."""
_PAGE_BYTES = 2 * 1024 * 1024
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A line with its time in nanoseconds since 1970."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class _Told:
    """What one request for a log brought. `is_cut`: there was more than the limit of bytes."""

    lines: Sequence[_Stamped]
    is_cut: bool
    size: int


@dataclass(frozen=True, slots=True)
class _Speaker:
    """A container of a pod."""

    path: str
    pod: str
    container: str
    restarts: int


async def read_page(
    cluster: Cluster, target: Target, cursor: str, *, limit: int, now: datetime
) -> LogPage:
    """See `operations.monitoring.errors.log_ports.LogReader`. Those behind are read first."""
    spec = spec_of(target)
    workload = await read_workload(cluster, spec)
    speakers = await _speakers(cluster, workload, workload.container(spec.container))
    if not cursor:
        begun = _nanoseconds(now.replace(microsecond=0))
        marks = {key: Mark(begun, restarts=s.restarts) for key, s in speakers.items()}
        return LogPage(lines=[], cursor=dump_marks(marks))
    known = load_marks(cursor)
    reading = _Reading(cluster, speakers, {k: known.get(k, Mark()) for k in speakers}, limit)
    return await reading.read()


class _Reading:
    """One page in the making."""

    def __init__(
        self,
        cluster: Cluster,
        speakers: Mapping[str, _Speaker],
        marks: dict[str, Mark],
        limit: int,
    ) -> None:
        self._cluster = cluster
        self._speakers = speakers
        self._marks = marks
        self._limit = limit
        self._lines: list[LogLine] = []
        self._size = 0
        self._is_cut = False

    async def read(self) -> LogPage:
        """All pods, or those for which there is room."""
        for key in sorted(self._speakers, key=lambda key: self._marks[key].at):
            if len(self._lines) >= self._limit or self._size >= _PAGE_BYTES:
                self._is_cut = True
                break
            await self._read_one(key, self._speakers[key])
        return LogPage(lines=self._lines, cursor=dump_marks(self._marks), more=self._is_cut)

    async def _read_one(self, key: str, speaker: _Speaker) -> None:
        if speaker.restarts > self._marks[key].restarts:
            # The last words of the instance before; those of older ones are gone.
            self._take(key, speaker, await self._ask(speaker, self._marks[key], previous=True))
            self._marks[key] = replace(self._marks[key], restarts=speaker.restarts)
        mark = self._marks[key]
        told = await self._ask(speaker, mark)
        if told.is_cut and not mark.newer(told.lines):
            told = await self._ask(speaker, mark, MOST_BYTES)
        if not self._take(key, speaker, told) and told.is_cut:
            _LOG.warning("pod %s writes too much in a second: some is not read", speaker.pod)
            self._marks[key] = self._marks[key].beyond()

    def _take(self, key: str, speaker: _Speaker, told: _Told) -> bool:
        """Whether there was anything new."""
        mark = self._marks[key]
        fresh = mark.newer(told.lines)
        self._marks[key] = mark.after(told.lines)
        self._lines += [LogLine(_time(line.at), line.text, speaker.pod) for line in fresh]
        self._size += told.size
        self._is_cut |= told.is_cut
        return bool(fresh)

    async def _ask(
        self, speaker: _Speaker, mark: Mark, size: int = USUAL_BYTES, *, previous: bool = False
    ) -> _Told:
        """Nothing of a container that has not started, or is gone meanwhile."""
        query = {
            "container": speaker.container,
            "timestamps": "true",
            "limitBytes": str(size),
        }
        if mark.at:
            query["sinceTime"] = f"{_time(mark.since):%Y-%m-%dT%H:%M:%SZ}"
        if previous:
            query["previous"] = "true"
        try:
            told = await self._cluster.text(speaker.path, query)
        except ProviderRejected:
            return _Told([], is_cut=False, size=0)
        return _told(told, size)


async def _speakers(cluster: Cluster, workload: Workload, container: str) -> Mapping[str, _Speaker]:
    """By the pod's uid. Pods on their way out still speak; a namesake's are not ours."""
    namespace = text(workload.raw, "metadata", "namespace")
    owners = {workload.uid, *map(uid, await read_revisions(cluster, workload))}
    listed = await cluster.list(path_of("pods", namespace), {"labelSelector": workload.selector})
    return {
        uid(pod): _Speaker(
            path=path_of("pods", namespace, name(pod), "log"),
            pod=name(pod),
            container=container,
            restarts=_restarts(pod, container),
        )
        for pod in listed.items
        if any(is_owned(pod, owner) for owner in owners)
    }


def _restarts(pod: JsonObject, container: str) -> int:
    found = (
        number(status, "restartCount")
        for status in items(pod, "status", "containerStatuses")
        if text(status, "name") == container
    )
    return next(found, 0)


def _told(answer: str, size: int) -> _Told:
    """Lines with their times. One that has none goes on the line before: it has an end of line in it.

    At the limit, the last line is left for the next time when it is not whole; a single one is not.
    """
    weight = len(answer.encode())
    # The cut may fall into a character, of which less is left then.
    is_cut = weight >= size - 4
    lines = answer.split("\n")
    if (not lines[-1]) or (is_cut and len(lines) > 1):
        lines.pop()
    stamped: list[_Stamped] = []
    for line in lines:
        found = _STAMP.match(line)
        at = _stamp(found) if found else stamped[-1].at if stamped else 0
        stamped.append(_Stamped(at, (line[found.end() :] if found else line).rstrip("\r")))
    return _Told(stamped, is_cut=is_cut, size=weight)


def _stamp(found: re.Match[str]) -> int:
    moment, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(moment + zone)
    except ValueError:
        return 0
    return _nanoseconds(at) + int((fraction or "").ljust(9, "0"))


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
