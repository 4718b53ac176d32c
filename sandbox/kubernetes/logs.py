"""What containers write, and how a kubelet gives it out: by instance, by time, cut at a number of bytes.

Times are fixed to nine digits; `sinceTime` counts in whole seconds, as the API server hands it on so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sandbox.kubernetes.statuses import ApiError

_KEPT = 5000
"""Lines of an instance; a demo that runs for days must not grow."""

Written = tuple[datetime, str]


class PodLogs:
    """By the uid of a pod; each has one container, and that one or several instances after each other."""

    def __init__(self) -> None:
        self._instances: dict[str, list[deque[Written]]] = {}

    def begin(self, uid: str, *lines: str) -> None:
        """The container starts, and says something at once. Only the instance before is kept."""
        former = self._instances.get(uid, [])[-1:]
        self._instances[uid] = [*former, deque(maxlen=_KEPT)]
        self.write(uid, *lines)

    def write(self, uid: str, *lines: str, at: datetime | None = None) -> None:
        """The instance that runs says more; all of it at one moment."""
        now = at or datetime.now(UTC)
        self._instances[uid][-1].extend((now, line) for line in lines)

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        self._instances.pop(uid, None)

    def of(self, uid: str, *, previous: bool, is_running: bool) -> list[Written] | None:
        """An instance's lines; None when it never was. While none runs, the last one is either."""
        found = self._instances.get(uid, [])
        back = 2 if previous and is_running else 1
        return list(found[-back]) if len(found) >= back else None


def select(written: list[Written], query: Mapping[str, str]) -> str:
    """What the query asks for of these lines. Raises ApiError for what the real one refuses."""
    if "sinceTime" in query and "sinceSeconds" in query:
        raise ApiError(422, "at most one of `sinceTime` or `sinceSeconds` may be specified")
    since = _since(query)
    kept = [(at, text) for at, text in written if since is None or at >= since]
    if "tailLines" in query:
        tail = _number(query, "tailLines", 0)
        kept = kept[-tail:] if tail else []
    stamped = query.get("timestamps") == "true"
    told = "".join(f"{_stamp(at)} {text}\n" if stamped else f"{text}\n" for at, text in kept)
    if "limitBytes" in query:
        told = told.encode()[: _number(query, "limitBytes", 1)].decode(errors="ignore")
    return told


def _since(query: Mapping[str, str]) -> datetime | None:
    if "sinceSeconds" in query:
        return datetime.now(UTC) - timedelta(seconds=_number(query, "sinceSeconds", 1))
    if "sinceTime" not in query:
        return None
    given = _time(query["sinceTime"])
    if given is None:
        raise ApiError(400, f'parsing time "{query["sinceTime"]}" as "2006-01-02T15:04:05Z07:00"')
    return given.replace(microsecond=0)


def _time(text: str) -> datetime | None:
    """RFC 3339, which has a zone."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    return given if given.tzinfo else None


def _number(query: Mapping[str, str], name: str, least: int) -> int:
    text = query[name]
    if not text.isdigit() or int(text) < least:
        raise ApiError(
            422, f"{name}: Invalid value: {text}: must be greater than or equal to {least}"
        )
    return int(text)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
