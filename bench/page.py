"""docs/performance.md: the figures with what is needed to judge and to repeat them."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

import psutil

from bench.figures import Figure, Topic
from bench.table import markdown_table

_HEAD = """# Performance

<!-- Written by `python -m bench --write docs/performance.md`. Measure again instead of editing. -->

Measured on {date}, {machine}. {runs} {load}

{table}

{verdict}

## What the rows mean

{meanings}

## How to repeat

    make bench                                           # the table, once; about two minutes
    .venv/bin/python -m bench --only acks deploys        # some of it
    .venv/bin/python -m bench --runs 3 --write docs/performance.md

Databases are made in the temporary directory (`TMPDIR`): a disk that takes long to sync makes deploys slow,
and their floor with them. Nothing else should run on the machine: senders, stand-ins and the bot share its
cores. The command ends with 1 when a limit is missed.
"""

_QUIET = 0.5

_MEANINGS = {
    Topic.ACKS: """
**Acks of `/hms help`.** `hms-sys serve` in HTTP mode, as it runs in production, and a bare Bolt app
on the same aiohttp server whose one command only acks, each in a process of its own. In another
process 32 senders, each with one kept connection, send signed requests over loopback, the next one
as soon as the last was acknowledged. Ours also answers: the run fails unless every command was
answered, in its ack or through `response_url`. After a warm-up of 1.5 s each, the two
take five turns of 4 s alternately; shown are the medians of the turns. Bolt looks every 10 ms
whether a command was acknowledged, which neither side can undercut.
""",
    Topic.DEPLOYS: """
**Deploys accepted and stored.** The whole bot in one process, with a platform that resolves
versions at once, and SQLite in a file with `synchronous=FULL`. 32 senders ask for `/hms deploy` of
32 targets that want a vote, each again as soon as it was acknowledged, for 10 s after 1.5 s of
warm-up. So each request also ends the one before it: it stores a rollout, changes another, and
writes two audit events and three notices, in one transaction. What counts is in the database at the
end; the clock stops at the last answer. The floor stores the same rows with Python's sqlite3 alone,
one commit for each rollout, one after another.
""",
    Topic.KUBERNETES: """
**Kubernetes.** 48 rollouts, eight at once, through the real adapter, worker and SQLite against the
sandbox's API server in the same process. The clock starts when the API server's own controllers
have written a status that `kubectl rollout status` would call complete, and stops when another
connection to the database reads `succeeded`. The floor is a bare watch, which is told of the same
moments and stores nothing.
""",
    Topic.ECS: """
**ECS.** A hundred rollouts in one cluster, all begun by the real worker and followed by the real
adapter at its usual pace (a round every 3 s); calls are counted at the sandbox's ECS, in rounds
told apart by the quiet between them. The worker may carry out a hundred here; one bot carries out
50 at once.
""",
    Topic.STARTUP: """
**Start and memory.** The installed program's `--help` as a whole process, beside an interpreter
that does nothing. `serve` with a new database and Kubernetes, ECS and Forge in its configuration,
from the start of the process until `/healthz` and `/readyz` both answer 200 (in Socket Mode that
includes the open socket), against the tests' strict Slack on loopback. Resident memory is that of
the whole process.
""",
    Topic.DIGEST: """
**Digest.** SQLite with two weeks of a large installation in it (the row tells how much). A digest of
the last 24 hours is made, stored with its notice, read again with the states of what it names, drawn
as Slack's message, and its chart is painted in a process of its own: all that production does but
for Slack's own calls. The floor reads the hours that it compares with Python's sqlite3 alone. The
event loop's longest pause is seen by a task that sleeps 5 ms again and again meanwhile.
""",
    Topic.CHECKS: """
**Checks.** `hms-sys serve` watches a thousand pages of one server on loopback, each every 30 s, with
SQLite in a file; beside it a bare loop asks as many pages with the same client library, a new
connection each time. CPU time is counted for 36 s after 6 s of warm-up, each process on its own. A
check is late by the time from when it was due, as the database says, to when the page was asked.
Then another bot watches ten pages every second, which begin to fail in turns, before a Slack that
takes 100 ms for each call: from the page's third bad answer to Slack's answer to the alert.
""",
    Topic.EVENTS: """
**Events.** `hms-sys serve` over SQLite in a process of its own. Senders in another process post NDJSON,
each the next batch as soon as the last was committed; no two messages are equal, and every one is
parsed, cleaned of secrets, fingerprinted, grouped and counted before the answer. The run fails unless
every event is in its group's count at the end. Of each group a hundred a minute are also kept one by
one. The floor writes all of them as rows of one table with one index by Python's sqlite3 alone, which
does nothing of the rest. Then the list of the worst 20 groups, as `/hms errors 20` asks for it, with
the tables filled as the row says.
""",
}


def write_page(figures: Sequence[Figure], runs: int, load: float) -> str:
    """The whole page. `load`: how many processes wanted a core in the minute before the measuring."""
    meanings = [
        _MEANINGS[topic].strip() for topic in Topic if any(f.topic is topic for f in figures)
    ]
    return _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=describe_machine(),
        runs=_say_runs(runs),
        load=_say_load(load),
        table=markdown_table(figures),
        verdict=_verdict(figures),
        meanings="\n\n".join(meanings),
    )


def describe_machine() -> str:
    """Cores, memory and Python, and nothing that names the machine."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB of memory, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _say_runs(runs: int) -> str:
    if runs == 1:
        return "One run."
    return f"{runs} runs; each row shows the one in the middle and tells all."


def _say_load(load: float) -> str:
    if load < _QUIET:
        return f"The machine was quiet before (load average {load:.1f})."
    return f"**The machine was busy with other work (load average {load:.1f} before it began).**"


def _verdict(figures: Sequence[Figure]) -> str:
    missed = [figure.name for figure in figures if not figure.is_met]
    if not missed:
        return "Every limit is kept."
    return f"**Missed: {'; '.join(missed)}.**"
