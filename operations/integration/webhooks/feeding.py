"""Makes calls ready: what the audit trail gained since last time, for each component that listens."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from operations.audit import AuditEvent
from operations.clock import Clock
from operations.integration.webhooks.delivery import Draft
from operations.integration.webhooks.ports import Store, Transaction

_AT_ONCE = 200
SOURCE = "/hms-sys"
_ABOUT = {"D": "rollout", "A": "alert", "E": "error"}
"""What components are told of, by the letter that a subject's name begins with, and the word for it."""

Describe = Callable[[str], Awaitable[Mapping[str, object] | None]]
"""A subject's document as it is now, by its name; None when it is not there any more."""


class Feeding:
    """One for the process; several replicas may each have one, as places are held while they move."""

    def __init__(
        self, components: Sequence[str], store: Store, clock: Clock, describe: Describe
    ) -> None:
        self._components = components
        self._store = store
        self._clock = clock
        self._describe = describe
        self._done: dict[str, int] = {}

    async def feed(self) -> int:
        """Make ready what there is; how many calls there are to make now."""
        async with self._store.snapshot() as tx:
            newest = await tx.feeds.newest()
        made = 0
        for component in self._components:
            while self._done.get(component, -1) < newest:
                made += await self._feed(component)
        return made

    async def _feed(self, component: str) -> int:
        async with self._store.transaction() as tx:
            place = await tx.feeds.place(component)
            events = await tx.feeds.events_after(place, limit=_AT_ONCE)
            self._done[component] = events[-1][0] if events else place
            drafts = await self._drafts(component, [event for _, event in events])
            if events:
                await self._advance(tx, component, drafts)
        return len(drafts)

    async def _advance(self, tx: Transaction, component: str, drafts: Sequence[Draft]) -> None:
        await tx.feeds.advance(component, self._done[component], drafts, self._clock.now())

    async def _drafts(self, component: str, events: Sequence[AuditEvent]) -> list[Draft]:
        return [
            await self._draft(component, event) for event in events if event.subject[:1] in _ABOUT
        ]

    async def _draft(self, component: str, event: AuditEvent) -> Draft:
        """CloudEvents 1.0 in structured mode; the id is given with the row."""
        type_ = f"hms.{event.action}"
        data: dict[str, object] = {
            "action": event.action,
            "actor": {"id": event.actor.id, "name": event.actor.name},
            "detail": dict(event.detail),
            _ABOUT[event.subject[:1]]: await self._describe(event.subject),
        }
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
            component=component,
            subject=event.subject,
            type=type_,
            at=event.at,
            body=json.dumps(body, ensure_ascii=False),
        )
