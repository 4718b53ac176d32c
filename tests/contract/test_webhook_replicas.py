"""Several replicas call the same components from one database: in order, and not twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping

from bot.clock import SystemClock
from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.errors import ProviderUnavailable
from operations.integration.webhooks.calling import Calling, Switchboard
from operations.integration.webhooks.delivery import Delivery
from operations.integration.webhooks.feeding import Feeding
from operations.integration.webhooks.listener import Listener
from storage.database import Database, open_database
from tests.fakes_cli import open_guard
from tests.slack_stand_in import until

pytest_plugins = ("tests.contract.database_fixtures",)

CLOCK = SystemClock()
NAMES = ("hms-dev", "hms-doc")


class Fickle:
    """Takes its time for every call, and refuses some of them once."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self._random = random.Random(7)  # noqa: S311 - not a secret
        self._refused: set[str] = set()

    async def call(self, delivery: Delivery, body: str) -> None:
        """One call, by whichever replica."""
        await asyncio.sleep(self._random.random() / 100)
        if delivery.id % 7 == 0 and delivery.event_id not in self._refused:
            self._refused.add(delivery.event_id)
            raise ProviderUnavailable("answered 503")
        self.taken.append((delivery.component, delivery.subject, json.loads(body)["type"]))


async def describe(subject: str) -> Mapping[str, object] | None:
    return {"id": subject}


def replica(database: Database, receiver: Fickle) -> Calling:
    listeners = {name: Listener(name, reads=True) for name in NAMES}
    return Calling(
        Switchboard(
            feeding=Feeding(list(listeners.values()), database.store, CLOCK, describe),
            queue=database.delivery_queue,
            listeners=listeners,
            callers=dict.fromkeys(NAMES, receiver),
            clock=CLOCK,
            guard=open_guard,
            idle_seconds=0.02,
        )
    )


async def test_each_change_comes_once_and_in_order(database_url: str) -> None:
    receiver = Fickle()
    async with (
        await open_database(database_url) as first,
        await open_database(database_url) as second,
        await open_database(database_url) as third,
    ):
        async with first.store.transaction() as tx:
            for name in NAMES:
                await tx.feeds.place(name)
        async with asyncio.timeout(50), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(replica(each, receiver).run()) for each in (first, second, third)
            ]
            for step in range(6):
                async with second.store.transaction() as tx:
                    for subject in ("D-1", "D-2", "D-3"):
                        event = AuditEvent(
                            at=CLOCK.now(),
                            actor=SYSTEM,
                            action=f"rollout.step{step}",
                            subject=subject,
                        )
                        await tx.audit.add(event)
            await until(lambda: len(receiver.taken) >= 36, seconds=40)
            for task in tasks:
                task.cancel()

    assert len(receiver.taken) == 36
    for name in NAMES:
        for subject in ("D-1", "D-2", "D-3"):
            heard = [type_ for c, s, type_ in receiver.taken if (c, s) == (name, subject)]
            assert heard == [f"hms.rollout.step{step}" for step in range(6)]
