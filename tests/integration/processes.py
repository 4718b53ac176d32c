"""The bot and the command line as real processes, in a world of stand-ins that outlives them.

Slack's and the platform's stand-ins run in the test; only the database's file and HTTP join them to the
processes, so a process can be killed at any moment and the test sees what is left.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from operations.actor import Actor
from operations.deployment.rollout import Phase, Rollout, RolloutState
from sandbox.kubernetes import KubernetesStandIn
from sandbox.registry import RegistryStandIn
from storage.database import Database, open_database
from tests.contract.databases import run_sql, sqlite_url
from tests.factories import ALICE
from tests.slack_stand_in import BOT_TOKEN, Said, SlackStandIn, open_slack, until

ROOT = Path(__file__).resolve().parents[2]
SECRET = "made-up signing secret"
_ALWAYS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")
_START_SECONDS = 20.0
_COMMAND_SECONDS = 30.0


@dataclass
class BotProcess:
    """`python -m bot serve`, listening at `url`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def said(self) -> str:
        """All that it wrote to stderr."""
        return self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(5)

    async def terminate(self, seconds: float = 10.0) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def ended(self, seconds: float = 10.0) -> int:
        """Wait for its end; the exit code."""
        await until(lambda: self.process.poll() is not None, seconds)
        return self.process.returncode


@dataclass(kw_only=True)
class World:
    """Projects, each with a Deployment of its name that runs 1.0.

    `staging` is open to everybody, `prod` asks for one vote, `guarded` is for Bob only.
    """

    slack: SlackStandIn
    kubernetes: KubernetesStandIn
    registry: RegistryStandIn
    database: Database
    database_url: str
    directory: Path
    session: aiohttp.ClientSession
    bots: list[BotProcess] = field(default_factory=list)

    def environment(self, port: int = 0) -> dict[str, str]:
        """What a bot or a command line reads."""
        kept = {name: os.environ[name] for name in _ALWAYS if name in os.environ}
        return kept | {
            "HMS_CONFIG": str(self.directory / "hms.yaml"),
            "HMS_DATABASE_URL": self.database_url,
            "HMS_PORT": str(port),
            "HMS_LOG_LEVEL": "info",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "KUBECONFIG": str(self.directory / "kubeconfig"),
            "LOGNAME": "alice",
            "PYTHONWARNINGS": "error",
            "NO_PROXY": "*",
        }

    def spawn(self, **changes: str) -> BotProcess:
        """Start a bot, and wait for nothing. `changes` are variables."""
        port = int(changes.get("HMS_PORT") or free_port())
        log = self.directory / f"bot-{len(self.bots) + 1}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"],
                cwd=ROOT,
                env=self.environment(port) | changes,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        bot = BotProcess(process, f"http://127.0.0.1:{port}", log)
        self.bots.append(bot)
        return bot

    async def start(self) -> BotProcess:
        """Start a bot, and wait until it is ready."""
        bot = self.spawn()
        await self.ready(bot)
        return bot

    async def ready(self, bot: BotProcess) -> None:
        """Wait until it takes requests."""

        async def is_ready() -> bool:
            assert bot.process.poll() is None, bot.said
            try:
                async with self.session.get(f"{bot.url}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(is_ready, _START_SECONDS)

    async def send(
        self, bot: BotProcess, body: Mapping[str, str], *, age: int = 0, secret: str = SECRET
    ) -> int:
        """A request as Slack signs it; returns the status."""
        raw, stamp = urlencode(body), str(int(time.time()) - age)
        signed = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": SignatureVerifier(secret).generate_signature(
                timestamp=stamp, body=raw
            )
            or "",
        }
        async with self.session.post(f"{bot.url}/slack/events", data=raw, headers=signed) as answer:
            self.slack.hear_ack(body, await answer.text())
            return answer.status

    def command(self, words: str, who: Actor = ALICE) -> dict[str, str]:
        """What Slack sends for `/hms words`."""
        return {
            "command": "/hms",
            "text": words,
            "user_id": who.id,
            "user_name": who.name,
            "channel_id": "C01GEN",
            "team_id": "T01",
            "response_url": self.slack.make_response_url(who.id),
            "trigger_id": self.slack.make_trigger(),
        }

    def click(self, label: str, card: Said, who: Actor) -> dict[str, str]:
        """What Slack sends for a click on the message as it is now."""
        button = next(
            element
            for block in card.blocks
            if block["type"] == "actions" and isinstance(block["elements"], list)
            for element in block["elements"]
            if element["text"]["text"] == label
        )
        payload = {
            "type": "block_actions",
            "actions": [{**button, "type": "button"}],
            "container": {"message_ts": card.ts, "channel_id": card.channel},
            "channel": {"id": card.channel},
            "message": {"ts": card.ts},
            "team": {"id": "T01"},
            "user": {"id": who.id, "username": who.name},
            "response_url": self.slack.make_response_url(who.id),
            "trigger_id": self.slack.make_trigger(),
        }
        return {"payload": json.dumps(payload)}

    async def say(self, bot: BotProcess, words: str, who: Actor = ALICE) -> str:
        """`/hms words`; the private answer's text."""
        before = len(self.slack.private)
        assert await self.send(bot, self.command(words, who)) == 200
        await until(lambda: len(self.slack.private) > before, 10)
        return self.slack.private[-1].text

    async def cli(
        self, *words: str, stdout: IO[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`hms-sys …` as alice, to its end; what it prints is kept, or goes to `stdout`."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "bot", *words],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )

    async def rollout(self, project: str) -> Rollout:
        """The project's newest rollout."""
        async with self.database.store.snapshot() as tx:
            for number in range(1000 + 50, 1000, -1):
                found = await tx.rollouts.get(number)
                if found is not None and found.project == project:
                    return found
        raise AssertionError(f"nothing was asked for {project}")

    async def reaches(
        self, project: str, *wanted: RolloutState | Phase, seconds: float = 20.0
    ) -> Rollout:
        """Wait until the project's rollout is in one of these states or phases."""

        async def is_there() -> bool:
            found = await self.rollout(project)
            return found.state in wanted or found.phase in wanted

        await until(is_there, seconds)
        return await self.rollout(project)

    async def card_says(self, words: str, seconds: float = 15.0) -> Said:
        """Wait for the one card that begins so."""
        await until(lambda: any(words in card.text for card in self.slack.cards()), seconds)
        (found,) = (card for card in self.slack.cards() if words in card.text)
        return found

    async def told_once(self, words: str, replies: int = 1) -> Said:
        """Wait until the card shows this and its thread is complete; both must stay so."""
        card = await self.card_says(words)
        await until(lambda: len(self.slack.thread(card)) >= replies, 15)
        await until(self.is_quiet, 15)
        assert len(self.slack.thread(card)) == replies
        assert words in card.text
        assert self.slack.refused == []
        return card

    async def is_quiet(self) -> bool:
        """Whether nothing is left to be told."""
        return await self.database.notice_queue.depth() == 0

    def patches(self, project: str) -> int:
        """How often the platform was changed for the project."""
        return sum(1 for _, name, _ in self.kubernetes.patches if name == project)

    def let_claims_end(self) -> None:
        """As if the time had passed for which a dead process keeps what it had claimed."""
        run_sql(
            self.database_url,
            "UPDATE rollouts SET lease_until = 0 WHERE lease_until IS NOT NULL",
            "UPDATE notices SET claim_until = 0 WHERE claim_until IS NOT NULL",
        )


@asynccontextmanager
async def open_world(
    directory: Path, projects: Mapping[str, str], database_url: str = ""
) -> AsyncIterator[World]:
    """Everything but the processes; those that were started are killed at the end.

    `projects` by name with their one environment.
    """
    url = database_url or sqlite_url(directory)
    async with (
        RegistryStandIn() as registry,
        KubernetesStandIn(pace=0.05, registry=registry) as kubernetes,
        open_slack() as slack,
        aiohttp.ClientSession() as session,
        await open_database(url) as database,
    ):
        image = f"{registry.host}/acme/app"
        for project in projects:
            kubernetes.add_deployment("default", project, f"{image}:1.0", replicas=2)
        kubernetes.kubeconfig(directory / "kubeconfig")
        _write_config(directory / "hms.yaml", projects, image)
        world = World(
            slack=slack,
            kubernetes=kubernetes,
            registry=registry,
            database=database,
            database_url=url,
            directory=directory,
            session=session,
        )
        with _killing(world.bots):
            yield world
        assert kubernetes.unexpected == []
        assert registry.unexpected == []


@contextmanager
def _killing(bots: list[BotProcess]) -> Iterator[None]:
    try:
        yield
    finally:
        for bot in bots:
            bot.kill()


def _write_config(path: Path, projects: Mapping[str, str], image: str) -> None:
    places = {
        project: {
            environment: {
                "provider": "k8s",
                "workload": f"deployment/{project}",
                "container": "app",
                "image": image,
                "timeout": "50s",
            }
        }
        for project, environment in projects.items()
    }
    config = {
        "slack": {"deploys_channel": "C01GEN"},
        "environments": {"staging": {}, "prod": {"approvals": {"required": 1}}, "guarded": {}},
        "access": {"deploy": {"guarded": ["U02BOB"]}, "cli": {"alice": "U01ALICE"}},
        "projects": {project: {"environments": where} for project, where in places.items()},
    }
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
