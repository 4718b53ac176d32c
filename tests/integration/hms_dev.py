"""HMS-DEV beside a bot that is a real process: what examples/hms_dev.py does, with what it heard kept."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from examples.hms_dev import Event, Hms, Receiver, Rollout
from operations.audit import AuditEvent
from operations.integration.webhooks.delivery import DeliveryState
from tests.contract.databases import run_sql
from tests.integration.processes import BotProcess, World, free_port, open_world
from tests.scenario.counter import digest
from tests.slack_stand_in import until

TOKEN = "made-up-token-of-hms-dev"
SECRET = "whsec_bWFkZSB1cCwgYW5kIGxvbmcgZW5vdWdo"
EVERYTHING = ("read", "deploy:staging", "deploy:prod")
TRACKER = "https://tracker.internal/tickets/{external_id}"


@dataclass
class HmsDev:
    """A component that ships tickets of myapp, and listens at `port` while `listening`."""

    world: World
    bot: BotProcess
    port: int
    heard: list[Event] = field(default_factory=list)
    on_event: Callable[[Event], None] = lambda event: None

    async def ship(self, environment: str, key: str = "HMS-7", **changes: str) -> Rollout:
        """Ask for version 1.1 because of ticket HMS-7; raises Refused."""
        wish = {
            "project": "myapp",
            "environment": environment,
            "version": "1.1",
            "reason": "rounding fix",
            "external_id": "HMS-7",
        }

        def ask() -> Rollout:
            with Hms(self.bot.url, TOKEN) as hms:
                return hms.ship(wish | changes, f"{key}/{environment}")

        return await asyncio.to_thread(ask)

    async def follow(self, rollout: Rollout) -> list[str]:
        """Its states, to its end."""

        def look() -> list[str]:
            with Hms(self.bot.url, TOKEN) as hms:
                return [each["state"] for each in hms.follow(rollout, 0.05)]

        return await asyncio.to_thread(look)

    async def timeline(self, rollout: Rollout) -> list[str]:
        """What happened to it, as the audit trail tells."""
        return [f"hms.{event.action}" for event in await self.audited(rollout["id"])]

    async def audited(self, subject: str) -> Sequence[AuditEvent]:
        """What the audit trail holds of a rollout or a component."""
        async with self.world.database.store.snapshot() as tx:
            return await tx.audit.of(subject)

    def heard_of(self, rollout: Rollout) -> list[str]:
        """What was heard of it, in the order in which it came."""
        return [event["type"] for event in self.heard if self._is_of(event, rollout)]

    @staticmethod
    def _is_of(event: Event, rollout: Rollout) -> bool:
        document = cast(Mapping[str, str], event["data"]["rollout"])
        return document["id"] == rollout["id"]

    async def hears_all_of(self, *rollouts: Rollout) -> None:
        """Wait until everything about them has come; it came once, in order, and nothing else did."""
        expected = {rollout["id"]: await self.timeline(rollout) for rollout in rollouts}
        total = sum(map(len, expected.values()))
        await until(lambda: len(self.heard) >= total, 20)
        await until(lambda: self.counts(DeliveryState.PENDING, 0), 10)
        assert {rollout["id"]: self.heard_of(rollout) for rollout in rollouts} == expected
        ids = [event["id"] for event in self.heard]
        assert len(ids) == len(set(ids)) == total

    async def counts(self, state: DeliveryState, wanted: int) -> bool:
        """Whether there are so many calls in the state."""
        counts = await self.world.database.delivery_queue.counts()
        return counts.get("hms-dev", {}).get(state, 0) == wanted

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take webhooks meanwhile; each address is that of the configuration."""

        def hear(event: Event) -> None:
            self.heard.append(event)
            self.on_event(event)

        with Receiver(self.port, SECRET, hear) as receiver:
            thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield
            finally:
                receiver.shutdown()
                thread.join(5)

    async def restart(self, *rights: str) -> None:
        """The bot is killed and comes back, with other rights for HMS-DEV when some are named."""
        self.bot.kill()
        self.world.let_claims_end()
        self.hurry()
        if rights:
            _configure(self.world, self.port, rights)
        self.bot = await _start(self.world)

    def hurry(self) -> None:
        """As if the time had passed for which calls are claimed or put off."""
        run_sql(
            self.world.database_url,
            "UPDATE deliveries SET claim_until = NULL, due_at = 0 WHERE state = 'pending'",
        )


@asynccontextmanager
async def open_hms_dev(
    directory: Path, rights: Sequence[str] = EVERYTHING
) -> AsyncIterator[HmsDev]:
    """A bot with myapp in staging (open) and prod (one vote), and HMS-DEV, which does not listen yet."""
    async with open_world(directory, {"myapp": "staging", "myapp-prod": "prod"}) as world:
        port = free_port()
        _configure(world, port, rights)
        yield HmsDev(world, await _start(world), port)


async def _start(world: World) -> BotProcess:
    bot = world.spawn(HMS_DEV_WEBHOOK_SECRET=SECRET)
    await world.ready(bot)
    return bot


def _configure(world: World, port: int, rights: Sequence[str]) -> None:
    """myapp-prod becomes the prod of myapp."""
    file = world.directory / "hms.yaml"
    config = json.loads(file.read_text(encoding="utf-8"))
    other = config["projects"].pop("myapp-prod", None)
    if other:
        config["projects"]["myapp"]["environments"] |= other["environments"]
    config["components"] = {
        "hms-dev": {
            "token_sha256": digest(TOKEN),
            "may": list(rights),
            "ticket_url": TRACKER,
            "webhook": f"http://127.0.0.1:{port}/hooks/hms-sys",
            "private": True,
            "secret_env": "HMS_DEV_WEBHOOK_SECRET",
        }
    }
    file.write_text(json.dumps(config), encoding="utf-8")
