"""How quickly `/hms help` is acknowledged, beside a bare Bolt app under the same senders.

The two are measured in turns, each in a process of its own, so that a machine that is busy for a while is
busy for both. Ours is `hms-sys serve` in HTTP mode, as it runs in production, and all its answers must come.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Floor, Topic, at_least, at_most, median, percentile
from bench.load import Ack, Send, Volley, Wire, command, fire
from bench.programs import free_port, running, until_ready
from bench.scene import bot_variables, kubernetes_part, write_config
from bench.slack import Workspace, open_workspace

_TURNS = 5
_SECONDS = 4.0
_WARM_UP = 1.5
_RATE_SHARE = 0.7
_P99_SHARE = 1.5


@dataclass(frozen=True, slots=True)
class Turn:
    """One server's figures of one turn: acks a second, and the 99th percentile in milliseconds."""

    rate: float
    p99: float


async def measure() -> list[Figure]:
    """Throughput and p99: medians over the turns."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place = Path(name)
        write_config(place / "hms.yaml", {"myapp": kubernetes_part("web")})
        async with open_workspace() as workspace:
            port, bare_port = free_port(), free_port()
            variables = bot_variables(place, workspace.api_url, port)
            bare_words = ["-m", "bench.bare", str(bare_port), workspace.api_url]
            async with (
                running(["-m", "bot", "serve"], variables) as bot,
                running(bare_words, {}) as bare,
            ):
                await until_ready(bot, port, ["/healthz", "/readyz"])
                await until_ready(bare, bare_port, ["/readyz"])
                return _figures(*await _take_turns(port, bare_port, workspace))


async def _take_turns(
    port: int, bare_port: int, workspace: Workspace
) -> tuple[list[Turn], list[Turn]]:
    """Ours and the bare app's, without the first, which only warms up."""
    ours: list[Turn] = []
    bare: list[Turn] = []
    for number in range(_TURNS + 1):
        seconds = _SECONDS if number else _WARM_UP
        bare.append(_turn(await fire(bare_port, seconds, _help(workspace))))
        before = len(workspace.answers)
        volley = await fire(port, seconds, _help(workspace))
        await workspace.until_answered(before + len(volley.acks))
        ours.append(_turn(volley))
    return ours[1:], bare[1:]


def _help(workspace: Workspace) -> Send:
    async def send(wire: Wire, number: int) -> Ack:
        name, url = workspace.make_response_url()
        ack = await wire.post(command("help", url))
        workspace.hear_ack(name, ack.body)
        return ack

    return send


def _turn(volley: Volley) -> Turn:
    return Turn(volley.rate, 1000 * percentile([ack.seconds for ack in volley.acks], 99))


def _figures(ours: list[Turn], bare: list[Turn]) -> list[Figure]:
    rate, bare_rate = _median_of("rate", ours), _median_of("rate", bare)
    p99, bare_p99 = _median_of("p99", ours), _median_of("p99", bare)
    return [
        Figure(
            topic=Topic.ACKS,
            name="Acks of /hms help, 32 senders",
            value=rate,
            unit="/s",
            limit=at_least(_RATE_SHARE * bare_rate, f"at least {_RATE_SHARE} of the floor"),
            floor=Floor(bare_rate, "a bare Bolt app"),
            note=_shares([o.rate / b.rate for o, b in zip(ours, bare, strict=True)]),
        ),
        Figure(
            topic=Topic.ACKS,
            name="Their 99th percentile",
            value=p99,
            unit="ms",
            limit=at_most(_P99_SHARE * bare_p99, f"at most {_P99_SHARE} of the floor"),
            floor=Floor(bare_p99, "a bare Bolt app"),
            note=_shares([o.p99 / b.p99 for o, b in zip(ours, bare, strict=True)]),
        ),
    ]


def _median_of(name: str, turns: list[Turn]) -> float:
    return median([turn.rate if name == "rate" else turn.p99 for turn in turns])


def _shares(shares: list[float]) -> str:
    return "share of the floor by turn: " + ", ".join(f"{share:.2f}" for share in shares)
