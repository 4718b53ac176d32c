"""What watching costs, how punctual it is, and how soon people hear of a third failure.

`hms-sys serve` watches a thousand pages of a server in this process, beside a bare loop that asks as many.
Then another bot watches a few pages that begin to fail in turns, before a Slack that takes 100 ms.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from aiohttp import web

from bench.figures import Figure, Floor, Topic, at_most, percentile
from bench.programs import Program, free_port, running, until_ready
from bench.scene import bot_variables, kubernetes_part
from bench.slack import Workspace, open_workspace

_CHECKS, _EVERY = 1000, 30.0
_WARM_UP, _WATCHED = 6.0, 36.0
"""Seconds. Each check falls due at least once while it is watched."""

_ALARMS, _TURN_SECONDS, _SLACK_SECONDS = 10, 1.4, 0.1
_SHARE, _JITTER, _LATEST, _TOLD = 5.0, 1.0, 2.0, 1.0
Asked = list[tuple[str, float]]


@dataclass(slots=True)
class Pages:
    """200 for every path but those that fail. `asked`: paths and when (`time.time`)."""

    asked: Asked = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    misses: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """As a page that has nothing to say."""
        now = time.time()
        self.asked.append((request.path, now))
        if request.path not in self.failing:
            return web.Response()
        self.misses[request.path].append(now)
        return web.Response(status=503)


class SlowWorkspace(Workspace):
    """Answers after `_SLACK_SECONDS`, and knows when it had answered each post."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[tuple[str, float]] = []

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """The text of a post is in its body, whatever its form."""
        body = (await request.read()).decode("utf-8", errors="replace")
        await asyncio.sleep(_SLACK_SECONDS)
        answer = await super().serve(request)
        if request.path.endswith("chat.postMessage"):
            self.posted.append((body, time.time()))
        return answer


async def measure() -> list[Figure]:
    """CPU, punctuality, and the way from a failure to Slack."""
    return [*await _watch_many(), await _hear_of_failures()]


async def _watch_many() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place, pages, others = Path(name), Pages(), Pages()
        async with _serving(pages) as url, _serving(others) as other_url, open_workspace() as slack:
            checks = [_check(f"c{n}", "myapp", f"{url}/{n}", "30s") for n in range(_CHECKS)]
            _write_config(place, ["myapp"], checks)
            words = ["-m", "bench.bare_checks", other_url, str(_CHECKS), str(_EVERY)]
            async with _bot(place, slack) as bot, running(words, {}) as bare:
                await asyncio.sleep(_WARM_UP)
                pages.asked.clear()
                others.asked.clear()
                shares = await _cpu_shares(bot, bare)
            return _figures(shares, _lateness(place, pages), len(others.asked))


async def _hear_of_failures() -> Figure:
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place, pages = Path(name), Pages()
        names = [f"alarm-{n}" for n in range(_ALARMS)]
        slack = SlowWorkspace()
        async with _serving(pages) as url, open_workspace(slack):
            _write_config(place, names, [_check("page", n, f"{url}/{n}", "1s") for n in names])
            async with _bot(place, slack):
                for path in names:
                    pages.failing.add(f"/{path}")
                    # Slack takes one message a second and channel: the next one is not to wait for it.
                    await asyncio.sleep(_TURN_SECONDS)
                await _until(lambda: len(slack.posted) >= _ALARMS)
        return _told_figure([_seconds_to_slack(path, pages, slack) for path in names])


def _seconds_to_slack(name: str, pages: Pages, slack: SlowWorkspace) -> float:
    """From the third miss to Slack's answer to the post that names it."""
    told_at = next(
        at for body, at in slack.posted if f"{name}/prod" in body or f"{name}%2Fprod" in body
    )
    return told_at - pages.misses[f"/{name}"][2]


def _lateness(place: Path, pages: Pages) -> list[float]:
    """Seconds from when each was due to when the page was asked."""
    with closing(sqlite3.connect(place / "hms.db")) as raw:
        rows = raw.execute("SELECT id, due_at FROM checks WHERE due_at IS NOT NULL").fetchall()
    due = {f"/{name.rpartition(':c')[2]}": at / 1e6 for name, at in rows}
    return [(at - due[path]) % _EVERY for path, at in pages.asked]


async def _cpu_shares(*programs: Program) -> list[float]:
    """Of one core, in per cent, while nothing else is asked of them."""
    watched = [psutil.Process(program.process.pid) for program in programs]
    before, begun = [_cpu_seconds(process) for process in watched], time.monotonic()
    await asyncio.sleep(_WATCHED)
    span = time.monotonic() - begun
    return [
        100 * (_cpu_seconds(process) - was) / span
        for process, was in zip(watched, before, strict=True)
    ]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _figures(shares: Sequence[float], late: Sequence[float], bare_asked: int) -> list[Figure]:
    ours, bare = shares
    note = f"{len(late)} asked in {_WATCHED:g} s, by the bare loop {bare_asked}"
    spread = f"median {percentile(late, 50):.2f} s"
    return [
        Figure(
            topic=Topic.CHECKS,
            name="1,000 checks every 30 s: share of a core",
            value=ours,
            unit="%",
            limit=at_most(_SHARE, f"at most {_SHARE:g} %"),
            floor=Floor(bare, "a bare loop of the same requests"),
            note=note,
        ),
        Figure(
            topic=Topic.CHECKS,
            name="Asked after it was due: 99th percentile",
            value=percentile(late, 99),
            unit="s",
            limit=at_most(_JITTER, f"under {_JITTER:g} s"),
            note=spread,
        ),
        Figure(
            topic=Topic.CHECKS,
            name="Asked after it was due: the latest",
            value=max(late),
            unit="s",
            limit=at_most(_LATEST, f"at most {_LATEST:g} s"),
        ),
    ]


def _told_figure(samples: Sequence[float]) -> Figure:
    return Figure(
        topic=Topic.CHECKS,
        name="From a third failure to Slack's answer: the slowest",
        value=max(samples),
        unit="s",
        limit=at_most(_TOLD, f"at most {_TOLD:g} s"),
        floor=Floor(_SLACK_SECONDS, "Slack's own time"),
        note=f"{len(samples)} alerts, median {percentile(samples, 50):.2f} s",
    )


def _check(name: str, project: str, url: str, every: str) -> dict[str, object]:
    return {"name": name, "target": f"{project}/prod", "url": url, "every": every, "timeout": "1s"}


def _write_config(place: Path, projects: Sequence[str], checks: list[dict[str, object]]) -> None:
    config = {
        "slack": {"deploys_channel": "C01GEN"},
        "environments": {"prod": {}},
        "projects": {n: {"environments": {"prod": kubernetes_part(n)}} for n in projects},
        "checks": checks,
    }
    (place / "hms.yaml").write_text(json.dumps(config), encoding="utf-8")


@asynccontextmanager
async def _serving(pages: Pages) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(pages.serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.2).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _bot(place: Path, slack: Workspace) -> AsyncIterator[Program]:
    port = free_port()
    async with running(["-m", "bot", "serve"], bot_variables(place, slack.api_url, port)) as bot:
        await until_ready(bot, port, ["/healthz", "/readyz"])
        yield bot


async def _until(is_done: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_done():  # noqa: ASYNC110 - what is waited for happens in the bot
            await asyncio.sleep(0.05)
