"""Makes calls ready: what the audit trail gained since last time, for each component that listens."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from operations.audit import AuditEvent
from operations.clock import Clock
from operations.errors import OperationError, StorageUnavailable
from operations.integration.webhooks.delivery import GIVEN_UP_AFTER, Draft
from operations.integration.webhooks.listener import Data, Listener
from operations.integration.webhooks.ports import Store

_AT_ONCE = 200
SOURCE = "/hms-sys"
_NAME = re.compile(r"([DAE])-[0-9]+", re.ASCII)
_ABOUT = {"D": "rollout", "A": "alert", "E": "error"}
"""What components are told of, by the letter of a subject's name, and the word for it."""

Describe = Callable[[str], Awaitable[Mapping[str, object] | None]]
"""A subject's document as it is now, by its name; None when it is not there any more."""


class Feeding:
    """One for the process; several replicas may each have one, as places are held while they move."""

    def __init__(
        self, listeners: Sequence[Listener], store: Store, clock: Clock, describe: Describe
    ) -> None:
        self._listeners = listeners
        self._store = store
        self._clock = clock
        self._describe = describe
        self._done: dict[str, int] = {}

    async def feed(self) -> int:
        """Make ready what there is; how many calls there are to make now."""
        async with self._store.snapshot() as tx:
            newest = await tx.feeds.newest()
        made = 0
        for listener in self._listeners:
            while self._done.get(listener.name, -1) < newest:
                made += await self._feed(listener)
        return made

    async def _feed(self, listener: Listener) -> int:
        async with self._store.transaction() as tx:
            place = await tx.feeds.place(listener.name)
            events = await tx.feeds.events_after(place, limit=_AT_ONCE)
            drafts = await self._drafts(listener, [event for _, event in events])
            if events:
                place = events[-1][0]
                await tx.feeds.advance(listener.name, place, drafts, self._clock.now())
        # Only now: what was not stored after all is read once more.
        self._done[listener.name] = place
        return len(drafts)

    async def _drafts(self, listener: Listener, events: Sequence[AuditEvent]) -> list[Draft]:
        """A component that comes back after long is not told what would have been given up by now."""
        drafts = []
        oldest = self._clock.now() - GIVEN_UP_AFTER
        for event in events:
            about = _NAME.fullmatch(event.subject)
            if about is None or event.at < oldest:
                continue
            data = await self._data(event, _ABOUT[about[1]])
            if listener.hears(data):
                drafts.append(_draft(listener, event, data))
        return drafts

    async def _data(self, event: AuditEvent, word: str) -> Data:
        return {
            "action": event.action,
            "actor": {"id": event.actor.id, "name": event.actor.name},
            "detail": dict(event.detail),
            word: await self._described(event.subject),
        }

    async def _described(self, subject: str) -> Mapping[str, object] | None:
        """One subject that cannot be read must not keep back every call about the others."""
        try:
            return await self._describe(subject)
        except StorageUnavailable:
            raise
        except OperationError:
            return None


def _draft(listener: Listener, event: AuditEvent, data: Data) -> Draft:
    """CloudEvents 1.0 in structured mode; the id is given with the row."""
    type_ = f"hms.{event.action}"
    body = {
        "specversion": "1.0",
        "source": SOURCE,
        "type": type_,
        "subject": event.subject,
        "time": event.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Draft(
        component=listener.name,
        subject=event.subject,
        type=type_,
        at=event.at,
        # In ASCII: every text can be stored and sent, half of a surrogate pair included.
        body=json.dumps(body),
    )
