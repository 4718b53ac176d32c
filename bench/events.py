"""How fast events come in through the HTTP API, and how soon people read the worst of ten million errors.

The first runs `hms-sys serve` over SQLite in a process of its own: NDJSON is parsed, cleaned, fingerprinted,
grouped, counted and committed before it is answered. No two messages are equal, so nothing is remembered.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench.figures import Figure, Floor, Topic, at_least, at_most, median
from bench.programs import Program, free_port, running, until_ready
from bench.scene import bot_variables, kubernetes_part, write_config
from bench.slack import open_workspace
from bench.worst import measure_worst

_TOKEN = "made-up-token"
_EVENTS, _BATCH, _SENDERS = 60_000, 500, 8
_KINDS = 300
_ROUNDS = 3
_LEAST = 5000.0
_MOST_MB = 200.0
_COMMIT = 2000
_TABLE = "bare_events"


@dataclass(frozen=True, slots=True)
class Round:
    """One flood: events a second, how many calls were told to wait, and what plain inserts made."""

    rate: float
    refused: int
    bare: float


async def measure() -> list[Figure]:
    """Floods of events, then the list of errors."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place = Path(name)
        rounds, resident = await _flood_bot(place)
    return [*_figures(rounds, resident), *await measure_worst()]


async def _flood_bot(place: Path) -> tuple[list[Round], float]:
    _write_config(place / "hms.yaml")
    async with open_workspace() as workspace:
        port = free_port()
        variables = bot_variables(place, workspace.api_url, port)
        async with running(["-m", "bot", "serve"], variables) as bot:
            await until_ready(bot, port, ["/healthz", "/readyz"])
            await _flood(port, list(_bodies(-1))[:10])
            rounds, resident = [], 0.0
            for number in range(_ROUNDS):
                bodies = list(_bodies(number))
                (rate, refused), peak = await _watched(bot, port, bodies)
                resident = max(resident, peak)
                bare = await asyncio.to_thread(_insert_bare, place / f"bare-{number}.db", bodies)
                rounds.append(Round(rate, refused, bare))
    _check_stored(place / "hms.db", _ROUNDS * _EVENTS + 10 * _BATCH)
    return rounds, resident


async def _watched(
    bot: Program, port: int, bodies: Sequence[bytes]
) -> tuple[tuple[float, int], float]:
    """The flood's figures, and the most that the bot had resident meanwhile, in MB."""
    peak = [bot.resident_mb]

    async def look() -> None:
        while True:
            peak[0] = max(peak[0], bot.resident_mb)
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        looker = group.create_task(look(), name="looker")
        found = await _flood(port, bodies)
        looker.cancel()
    return found, peak[0]


async def _flood(port: int, bodies: Sequence[bytes]) -> tuple[float, int]:
    """Events a second until the last is committed, and calls that were told to wait and came again."""
    waiting = list(reversed(bodies))
    refused = 0
    headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/x-ndjson"}
    url = f"http://127.0.0.1:{port}/api/v1/events"

    async def send(session: aiohttp.ClientSession) -> None:
        nonlocal refused
        while waiting:
            body = waiting.pop()
            async with session.post(url, data=body) as answer:
                if answer.status == 429:
                    refused += 1
                    waiting.append(body)
                    await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
                elif answer.status != 202:
                    raise RuntimeError(
                        f"The server answered {answer.status}: {await answer.text()}"
                    )

    async with aiohttp.ClientSession(headers=headers) as session:
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(_SENDERS):
                group.create_task(send(session), name=f"sender {number}")
        return len(bodies) * _BATCH / (time.perf_counter() - begun), refused


def _bodies(round_: int) -> Iterator[bytes]:
    """NDJSON of errors of so many kinds, each with numbers of its own; about 250 bytes each."""
    for begin in range(0, _EVENTS, _BATCH):
        lines = [json.dumps(_event(round_, n)) for n in range(begin, begin + _BATCH)]
        yield "\n".join(lines).encode()


def _event(round_: int, number: int) -> dict[str, object]:
    kind = number % _KINDS
    return {
        "project": "myapp",
        "environment": "prod",
        "level": "error",
        "message": (
            f"service-{_word(kind)} did not answer within {number % 977} ms for order {number} "
            f"of round {round_}: connection to 10.0.{kind % 256}.{number % 256}:5432 reset"
        ),
        "fields": {
            "type": "TimeoutError",
            "request": f"{number:032x}",
            "host": f"web-{number % 9}",
        },
    }


def _word(number: int) -> str:
    """Letters only: digits make no other kind."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def _write_config(path: Path) -> None:
    write_config(path, {"myapp": kubernetes_part("web")})
    config = json.loads(path.read_text(encoding="utf-8"))
    token = hashlib.sha256(_TOKEN.encode()).hexdigest()
    config["components"] = {
        "bench": {"token_sha256": token, "may": ["events"], "requests_a_minute": 1_000_000}
    }
    config["errors"] = {"new_groups": _KINDS}
    path.write_text(json.dumps(config), encoding="utf-8")


def _check_stored(path: Path, wanted: int) -> None:
    """All of them are there, in the groups that they belong to."""
    with closing(sqlite3.connect(path)) as raw:
        found = raw.execute("SELECT count(*), sum(count) FROM error_groups").fetchone()
    if found != (_KINDS, wanted):
        raise RuntimeError(f"These events were not stored as they should: {found}")


def _insert_bare(path: Path, bodies: Sequence[bytes]) -> float:
    """Rows of the same events, parsed already, in one table with one index; events a second."""
    events = [json.loads(line) for body in bodies for line in body.splitlines()]
    at = int(datetime.now(UTC).timestamp() * 1_000_000)
    rows = [
        (at, e["project"], e["environment"], e["level"], e["message"], json.dumps(e["fields"]))
        for e in events
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute(
            f"CREATE TABLE {_TABLE}"
            " (id INTEGER PRIMARY KEY, at, project, environment, level, message, fields)"
        )
        raw.execute(f"CREATE INDEX bare_by_time ON {_TABLE} (at)")
        begun = time.perf_counter()
        for begin in range(0, len(rows), _COMMIT):
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(
                f"INSERT INTO {_TABLE} (at, project, environment, level, message, fields)"  # noqa: S608 -- our own name
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows[begin : begin + _COMMIT],
            )
            raw.execute("COMMIT")
        return len(rows) / (time.perf_counter() - begun)


def _figures(rounds: Sequence[Round], resident: float) -> list[Figure]:
    rate, bare = median([r.rate for r in rounds]), median([r.bare for r in rounds])
    shares = ", ".join(f"{r.rate / r.bare:.3f}" for r in rounds)
    refused = sum(r.refused for r in rounds)
    return [
        Figure(
            topic=Topic.EVENTS,
            name=f"Events in through HTTP, NDJSON of {_BATCH}, {_KINDS} groups",
            value=rate,
            unit="/s",
            limit=at_least(_LEAST, f"at least {_LEAST:.0f}/s"),
            floor=Floor(bare, f"the same rows by sqlite3, {_COMMIT} a commit"),
            note=(
                f"median of {_ROUNDS} times {_EVENTS:,} different messages from {_SENDERS} senders; "
                f"share of the floor by turn: {shares}; {refused} calls were told to wait"
            ),
        ),
        Figure(
            topic=Topic.EVENTS,
            name="Resident memory meanwhile, the most",
            value=resident,
            unit="MB",
            limit=at_most(_MOST_MB, f"at most {_MOST_MB:.0f} MB"),
            note="10^6 bytes, looked at every 50 ms",
        ),
    ]
