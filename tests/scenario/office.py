"""People, a bot and a Slack: what scenarios are told with."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from handlers.slack import http
from handlers.slack.app import SlackParts, SlackSide, build_slack, client_session, web_client
from handlers.slack.digest_cards import DigestParts
from handlers.slack.doctor import Examining
from handlers.slack.groups import SlackMembers
from handlers.slack.notices import DeliverySettings
from handlers.slack.pace import Limits
from operations.actor import Actor
from operations.deployment.journal import announce
from operations.deployment.rollout import Rollout
from operations.deployment.target import Catalog
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check
from operations.routing import Routing
from tests.central_log import make_triage
from tests.factories import ALICE, make_catalog
from tests.fakes_deployment import ScriptedProvider
from tests.slack_stand_in import BOT_TOKEN, Said, SlackStandIn, listening, until
from tests.workshops import Engine, ShiftedClock, open_engine, run_plainly

SECRET = "made-up signing secret"
BRISK = DeliverySettings(
    idle_seconds=0.05,
    first_pause_seconds=0.05,
    longest_pause_seconds=0.2,
    refused_seconds=0.2,
    limits=Limits(post_seconds=0.0, progress_seconds=0.05),
)


@dataclass
class Office:
    """`say` and `press` are what people do; `slack` is what they see."""

    slack: SlackStandIn
    engine: Engine
    side: SlackSide
    url: str
    session: aiohttp.ClientSession

    async def say(self, words: str, who: Actor = ALICE, channel: str = "C01GEN") -> str:
        """`/hms words`; returns the private answer, all of it."""
        before = len(self.slack.private)
        status = await self.send(self.command_body(words, who, channel))
        assert status == 200
        await until(lambda: len(self.slack.private) > before)
        return self.told(who)

    async def press(self, label: str, card: Said, who: Actor) -> None:
        """Press the button of this text on the message as it is now."""
        status = await self.send(self.click_body(label, card, who))
        assert status == 200

    async def send(
        self, body: Mapping[str, str], *, headers: Mapping[str, str] | None = None
    ) -> int:
        """A request that Slack signed; returns the status."""
        raw = urlencode(body)
        stamp = str(int(time.time()))
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=raw)
        signed = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature or "",
        }
        async with self.session.post(
            f"{self.url}{http.PATH}", data=raw, headers={**signed, **(headers or {})}
        ) as answer:
            self.slack.hear_ack(body, await answer.text())
            return answer.status

    def command_body(self, words: str, who: Actor, channel: str = "C01GEN") -> dict[str, str]:
        """What Slack sends for a slash command."""
        return {
            "command": "/hms",
            "text": words,
            "user_id": who.id,
            "user_name": who.name,
            "channel_id": channel,
            "team_id": "T01",
            "response_url": self.slack.make_response_url(who.id),
            "trigger_id": self.slack.make_trigger(),
        }

    def click_body(self, label: str, card: Said, who: Actor) -> dict[str, str]:
        """What Slack sends for a click."""
        button = next(
            {**element, "block_id": block["block_id"]}
            for block in card.blocks
            if block["type"] == "actions" and isinstance(block["elements"], list)
            for element in block["elements"]
            if element["text"]["text"] == label
        )
        return self.interaction(
            {
                "type": "block_actions",
                "actions": [{**button, "type": "button"}],
                "container": {"message_ts": card.ts, "channel_id": card.channel},
                "channel": {"id": card.channel},
                "message": {"ts": card.ts},
                "response_url": self.slack.make_response_url(who.id),
                "trigger_id": self.slack.make_trigger(),
            },
            who,
        )

    @staticmethod
    def interaction(payload: Mapping[str, object], who: Actor) -> dict[str, str]:
        """What Slack sends for anything but commands."""
        common = {"team": {"id": "T01"}, "user": {"id": who.id, "username": who.name}}
        return {"payload": json.dumps({**payload, **common})}

    def told(self, who: Actor) -> str:
        """The newest private answer to this person, all its text."""
        mine = [p for p in self.slack.private if p.user == who.id]
        return "\n".join([mine[-1].text, json.dumps(mine[-1].blocks, ensure_ascii=False)])

    async def card(self, words: str, channel: str = "C01GEN") -> Said:
        """Wait until a card of the channel begins with these words of its state."""
        await until(lambda: any(words in m.text for m in self.slack.cards(channel)))
        return next(m for m in reversed(self.slack.cards(channel)) if words in m.text)

    async def change(self, rollout_id: int, **changes: object) -> Rollout:
        """As a worker would: store a change and make its notices due."""
        now = self.engine.clock.now()
        if "steps" not in changes and "ended_at" not in changes:
            changes.setdefault("started_at", now)
        async with self.engine.database.store.transaction() as tx:
            rollout = await tx.rollouts.get(rollout_id, lock=True)
            assert rollout is not None
            changed = replace(rollout, **changes)  # type: ignore[arg-type]  # checked by the dataclass
            saved = await tx.rollouts.save(changed)
            await announce(tx, saved, now)
        return saved

    async def end(self, rollout_id: int, **changes: object) -> Rollout:
        """The rollout has ended."""
        now = self.engine.clock.now()
        started = now - timedelta(seconds=48)
        return await self.change(rollout_id, started_at=started, ended_at=now, **changes)

    async def quiet(self) -> None:
        """Wait until nothing is due any more."""

        async def is_empty() -> bool:
            return await self.engine.database.notice_queue.depth() == 0

        await until(is_empty)


@asynccontextmanager
async def open_office(  # noqa: PLR0913 - each scene names only what is special about it
    tmp_path: Path,
    slack: SlackStandIn,
    *,
    catalog: Catalog | None = None,
    provider: ScriptedProvider | None = None,
    checks: Sequence[Check] = (),
    digests: Callable[[Engine], DigestParts] | None = None,
    delivering: bool = True,
    examining: Examining | None = None,
    routing: Routing | None = None,
) -> AsyncIterator[Office]:
    """A bot on the database of `tmp_path`; opened twice, it is a bot that was restarted."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session())
        client = web_client(BOT_TOKEN, slack.api_url, session)
        engine = await stack.enter_async_context(
            open_engine(
                tmp_path,
                catalog=catalog or make_catalog(),
                provider=provider,
                members=SlackMembers(client, ShiftedClock()),
                routing=routing,
            )
        )
        parts = SlackParts(
            deployments=engine.deployments,
            alerting=Alerting(checks=checks, store=engine.database.store, clock=engine.clock),
            queue=engine.database.notice_queue,
            clock=engine.clock,
            guard=run_plainly,
            capabilities={"k8s": engine.provider.capabilities},
            owner="bot-1",
            triage=make_triage(engine.database, engine.deployments.inquiries, engine.clock),
            digests=digests(engine) if digests else None,
            addresses={check.id: check.url for check in checks},
            delivery=BRISK,
            examining=examining,
        )
        side = build_slack(parts, client=client, signing_secret=SECRET)
        application = web.Application()
        application.router.add_post(http.PATH, http.SlackEvents(side.app).handle)
        url = await stack.enter_async_context(listening(application))
        people = await stack.enter_async_context(aiohttp.ClientSession())
        if delivering:
            await stack.enter_async_context(running(side))
        yield Office(slack=slack, engine=engine, side=side, url=url, session=people)


@asynccontextmanager
async def running(side: SlackSide) -> AsyncIterator[None]:
    """Deliver notices meanwhile."""
    async with asyncio.TaskGroup() as group:
        delivery = group.create_task(side.notices.run())
        try:
            yield
        finally:
            delivery.cancel()
