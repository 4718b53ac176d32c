"""What a newcomer may try, in order: for the greeting in the terminal and the side of the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Try:
    """Something to say, and what comes of it."""

    words: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing to see; `how` says where and as whom."""

    title: str
    how: str
    tries: Sequence[Try]


TOUR: Sequence[Stop] = (
    Stop(
        "Ship",
        "As Alice, in #deploys; then act as Bob, top right, and press Approve",
        (Try("/hms deploy myapp prod 1.1"),),
    ),
    Stop(
        "See it fail",
        "It says why, and the former version is back",
        (
            Try("/hms deploy myapp staging 1.2-bad", "cannot be pulled"),
            Try("/hms deploy myapp staging 1.2-crash", "crashes again and again"),
            Try("/hms deploy myapp staging 1.2-slow", "press Cancel"),
            Try("/hms deploy site prod 1.2-bad", "on Forge: its script fails"),
        ),
    ),
    Stop(
        "Be alerted",
        "They go live, and are not well: look into #ops, press Acknowledge, then Roll back",
        (
            Try("/hms deploy myapp staging 1.2-sick", "its page answers 503"),
            Try("/hms deploy myapp staging 1.2-errors", "its log has errors: see its thread"),
            Try("/hms deploy myapp staging 1.2-sick-errors", "both, told in one message"),
        ),
    ),
    Stop(
        "Look around",
        "Only you see these, but for the digest. An alert that nobody looks after goes to Bob",
        (
            Try("/hms status"),
            Try("/hms history"),
            Try("/hms errors"),
            Try("/hms monitor list"),
            Try("/hms stats"),
            Try("/hms digest now"),
            Try("/hms doctor"),
            Try("/hms help"),
        ),
    ),
    Stop(
        "Go back",
        "No votes: what it brings back was approved when it shipped",
        (Try("/hms rollback myapp prod"),),
    ),
)


def tour_lines() -> Iterator[str]:
    """For a terminal."""
    for stop in TOUR:
        yield f"{stop.title:<13}{stop.how}"
        noted = [each for each in stop.tries if each.note]
        yield from (f"{'':<13}{each.words:<45}{each.note}" for each in noted)
        plain = [each.words for each in stop.tries if not each.note]
        yield from (f"{'':<13}{'    '.join(plain[at : at + 4])}" for at in range(0, len(plain), 4))
