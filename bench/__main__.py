"""`python -m bench`: measure, print the table, and write the page when asked to."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from bench import acks, checks, deploys, digest, ecs, events, kubernetes, startup
from bench.figures import Figure, Topic, middle_run
from bench.page import describe_machine, write_page
from bench.table import print_table

_MEASURES: Mapping[Topic, Callable[[], Awaitable[list[Figure]]]] = {
    Topic.ACKS: acks.measure,
    Topic.DEPLOYS: deploys.measure,
    Topic.KUBERNETES: kubernetes.measure,
    Topic.ECS: ecs.measure,
    Topic.STARTUP: startup.measure,
    Topic.DIGEST: digest.measure,
    Topic.CHECKS: checks.measure,
    Topic.EVENTS: events.measure,
}


def main() -> int:
    """0 when every limit is kept, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", type=Topic, choices=list(Topic), default=list(Topic))
    parser.add_argument("--runs", type=int, default=1, help="repeat everything so many times")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the page too")
    options = parser.parse_args()
    load, *_ = os.getloadavg()
    figures = [figure for topic in options.only for figure in _measure(topic, options.runs)]
    print(f"{describe_machine()}; load average before: {load:.1f}")
    print_table(figures)
    if options.write is not None:
        options.write.write_text(write_page(figures, options.runs, load), encoding="utf-8")
    return 0 if all(figure.is_met for figure in figures) else 1


def _measure(topic: Topic, runs: int) -> list[Figure]:
    """One figure for each row of the topic."""
    rows: list[Sequence[Figure]] = []
    for number in range(1, runs + 1):
        print(f"measuring {topic}, run {number} of {runs} …", file=sys.stderr, flush=True)
        rows.append(asyncio.run(_measured(topic)))
    return [middle_run(row) for row in zip(*rows, strict=True)]


async def _measured(topic: Topic) -> list[Figure]:
    return await _MEASURES[topic]()


if __name__ == "__main__":
    sys.exit(main())
