"""How many `/hms deploy` a second are accepted and stored on SQLite, beside bare inserts of the same rows.

Each of 32 senders asks again and again for its own target, which wants a vote, so that every request but the
first also ends the one before it. Only what is in the database at the end counts.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bench.figures import Figure, Floor, Topic, at_least, at_most, percentile
from bench.load import SENDERS, Ack, Volley, Wire, command, fire
from bench.programs import free_port, running, until_ready
from bench.rows import count_rollouts, insert_all, read_inserts
from bench.scene import bot_variables, kubernetes_part, write_config
from bench.slack import Workspace, open_workspace
from storage.migration import migrate

_SECONDS = 10.0
_WARM_UP = 1.5
_RATE = 200.0
_SLOWEST_MS = 1000.0
_FLOOR_ROLLOUTS = 1500


async def measure() -> list[Figure]:
    """The rate of stored rollouts, and the slowest ack."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place = Path(name)
        projects = {f"app{number}": kubernetes_part(f"app{number}") for number in range(SENDERS)}
        write_config(place / "hms.yaml", projects, votes=1)
        async with open_workspace() as workspace:
            port = free_port()
            variables = bot_variables(place, workspace.api_url, port)
            async with running(["-m", "bench.shop"], variables) as bot:
                await until_ready(bot, port, ["/healthz", "/readyz"])
                await _fire_answered(port, _WARM_UP, workspace)
                before = count_rollouts(place / "hms.db")
                volley = await _fire_answered(port, _SECONDS, workspace)
        stored = count_rollouts(place / "hms.db") - before
        floor = await _floor(place)
    return _figures(volley, stored, floor)


async def _fire_answered(port: int, seconds: float, workspace: Workspace) -> Volley:
    """The time goes on until the last command has been answered."""

    async def send(wire: Wire, number: int) -> Ack:
        name, url = workspace.make_response_url()
        ack = await wire.post(command(f"deploy app{number} prod 1.1", url))
        workspace.hear_ack(name, ack.body)
        return ack

    before = len(workspace.answers)
    volley = await fire(port, seconds, send)
    volley.seconds += await workspace.until_answered(before + len(volley.acks))
    return volley


async def _floor(place: Path) -> float:
    inserts = read_inserts(place / "hms.db", _FLOOR_ROLLOUTS)
    await migrate(f"sqlite:///{place / 'floor.db'}")
    return await asyncio.to_thread(insert_all, place / "floor.db", inserts)


def _figures(volley: Volley, stored: int, floor: float) -> list[Figure]:
    seconds = [ack.seconds for ack in volley.acks]
    note = f"{stored} stored of {len(volley.acks)} acknowledged"
    return [
        Figure(
            topic=Topic.DEPLOYS,
            name="Deploys accepted and stored, SQLite",
            value=stored / volley.seconds,
            unit="/s",
            limit=at_least(_RATE, "at least 200 /s"),
            floor=Floor(floor, "bare inserts of the same rows"),
            note=note,
        ),
        Figure(
            topic=Topic.DEPLOYS,
            name="Slowest ack of a deploy",
            value=1000 * max(seconds),
            unit="ms",
            limit=at_most(_SLOWEST_MS, "at most 1000 ms"),
            note=f"median {1000 * percentile(seconds, 50):.0f} ms,"
            f" p99 {1000 * percentile(seconds, 99):.0f} ms",
        ),
    ]
