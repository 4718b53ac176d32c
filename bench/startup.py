"""How soon the programs are there, and how much memory the bot holds.

`serve` has a configuration with all three providers, a new database and a Slack on loopback that is as
strict as the tests' own. Memory is read some seconds after it is ready, and once more after it has asked
every platform, for only then is every vendor's SDK loaded.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure, Floor, Topic, at_most, median
from bench.load import SECRET
from bench.programs import Program, environment, free_port, running, until_ready
from sandbox import scene
from sandbox.ecs import EcsStandIn
from sandbox.forge import ForgeStandIn
from sandbox.github import GitHubStandIn, demo_repository
from sandbox.kubernetes import KubernetesStandIn
from sandbox.registry import RegistryStandIn
from sandbox.slack import LocalSlack
from tests.slack_stand_in import APP_TOKEN, BOT_TOKEN, SlackStandIn, open_slack, until

_HELPS = 10
_STARTS = 5
_IDLE_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_HELP_MS = 400.0
_READY_SECONDS = 2.0
_RESIDENT_MB = 150.0
_READY = ("/healthz", "/readyz")


@dataclass(slots=True)
class Starts:
    """What was seen of all starts: seconds until ready by way, and MB."""

    socket: list[float] = field(default_factory=list)
    http: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)


async def measure() -> list[Figure]:
    """The command line, then `serve`."""
    helps = [await asyncio.to_thread(_run, _help()) for _ in range(_HELPS + 1)][1:]
    nothing = [await asyncio.to_thread(_run, [sys.executable, "-c", "pass"]) for _ in helps]
    starts = Starts()
    async with AsyncExitStack() as stack:
        platforms = await _open_platforms(stack)
        slack = await stack.enter_async_context(open_slack())
        for number in range(_STARTS):
            await _start_all(platforms, slack, starts, measures_memory=not number)
    return [_help_figure(helps, nothing), *_serve_figures(starts), *_memory_figures(starts)]


async def _start_all(
    platforms: scene.Platforms, slack: SlackStandIn, starts: Starts, *, measures_memory: bool
) -> None:
    http = {"SLACK_SIGNING_SECRET": SECRET, "SLACK_APP_TOKEN": ""}
    async with _bot(platforms, slack, http) as (_, seconds):
        starts.http.append(seconds)
    begun, port = time.perf_counter(), free_port()
    async with running(["-m", "bench.bare", str(port), slack.api_url], {}) as bare:
        await until_ready(bare, port, ["/readyz"])
        starts.bare.append(time.perf_counter() - begun)
    async with _bot(platforms, slack, {}) as (bot, seconds):
        starts.socket.append(seconds)
        if measures_memory:
            await asyncio.sleep(_IDLE_SECONDS)
            starts.idle.append(bot.resident_mb)
            await _ask_status(slack, bot)
            starts.asked.append(bot.resident_mb)


@asynccontextmanager
async def _bot(
    platforms: scene.Platforms, slack: SlackStandIn, more: dict[str, str]
) -> AsyncIterator[tuple[Program, float]]:
    """`serve` with a database of its own, and how many seconds passed until it was ready."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place, port = Path(name), free_port()
        scene.write_config(place / "hms.yaml", platforms)
        variables = scene.environment(place, platforms, LocalSlack(slack.root_url, 0), port)
        tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}
        begun = time.perf_counter()
        async with running(["-m", "bot", "serve"], {**variables, **tokens, **more}) as bot:
            await until_ready(bot, port, _READY)
            yield bot, time.perf_counter() - begun


async def _ask_status(slack: SlackStandIn, bot: Program) -> None:
    """Somebody asks what serves everywhere, and is told; raises RuntimeError with the log."""
    before = len(slack.private)
    command = {
        "command": "/hms",
        "text": "status",
        "user_id": "U01ALICE",
        "user_name": "alice",
        "channel_id": "C01GEN",
        "team_id": "T01",
        "response_url": slack.make_response_url("U01ALICE"),
        "trigger_id": slack.make_trigger(),
    }
    await slack.sockets.deliver("slash_commands", command)
    try:
        await until(lambda: len(slack.private) > before, _ANSWER_SECONDS)
    except TimeoutError as exc:
        raise RuntimeError(f"Nobody answered:\n{bot.tail()}") from exc


async def _open_platforms(stack: AsyncExitStack) -> scene.Platforms:
    site = demo_repository()
    registry = await stack.enter_async_context(RegistryStandIn())
    platforms = scene.Platforms(
        registry=registry,
        kubernetes=await stack.enter_async_context(KubernetesStandIn(registry=registry)),
        ecs=await stack.enter_async_context(EcsStandIn()),
        github=await stack.enter_async_context(GitHubStandIn(repositories=[site])),
        forge=await stack.enter_async_context(ForgeStandIn(repositories=[site])),
    )
    scene.set_scene(platforms)
    return platforms


def _help() -> list[str]:
    """The installed program, as people start it."""
    return [str(Path(sys.executable).with_name("hms-sys")), "--help"]


def _run(words: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(
        words, env=environment({}), check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def _help_figure(helps: list[float], nothing: list[float]) -> Figure:
    return Figure(
        topic=Topic.STARTUP,
        name="hms-sys --help",
        value=1000 * median(helps),
        unit="ms",
        limit=at_most(_HELP_MS, f"at most {_HELP_MS:.0f} ms"),
        floor=Floor(1000 * median(nothing), "python -c pass"),
        note=f"median of {len(helps)}, slowest {1000 * max(helps):.0f} ms",
    )


def _serve_figures(starts: Starts) -> list[Figure]:
    ways = {"Socket Mode": starts.socket, "HTTP": starts.http}
    return [
        Figure(
            topic=Topic.STARTUP,
            name=f"hms-sys serve ready, {way}",
            value=median(seconds),
            unit="s",
            limit=at_most(_READY_SECONDS, f"at most {_READY_SECONDS:.0f} s"),
            floor=Floor(median(starts.bare), "a bare Bolt app"),
            note=f"median of {len(seconds)}, slowest {max(seconds):.2f} s",
        )
        for way, seconds in ways.items()
    ]


def _memory_figures(starts: Starts) -> list[Figure]:
    return [
        Figure(
            topic=Topic.STARTUP,
            name="Resident memory, idle",
            value=max(starts.idle),
            unit="MB",
            limit=at_most(_RESIDENT_MB, f"at most {_RESIDENT_MB:.0f} MB"),
            note=f"{_IDLE_SECONDS:.0f} s after ready; Socket Mode, three providers configured",
        ),
        Figure(
            topic=Topic.STARTUP,
            name="Resident memory, every platform asked once",
            value=max(starts.asked),
            unit="MB",
            note="the same process after `/hms status`: every vendor's SDK is loaded",
        ),
    ]
