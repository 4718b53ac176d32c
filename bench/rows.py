"""What a run left in SQLite, and what storing the very same rows costs without any of this product."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = {"rollouts": "id", "audit": "subject", "notices": "subject"}
_SUCCEEDED = "SELECT project, version FROM rollouts WHERE state = 'succeeded'"
_LOOK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Insert:
    """One statement and the rows of one rollout for it."""

    text: str
    rows: tuple[tuple[object, ...], ...]


def count_rollouts(path: Path) -> int:
    """How many rollouts are really there."""
    with closing(sqlite3.connect(path)) as raw:
        return int(raw.execute("SELECT count(*) FROM rollouts").fetchone()[0])


def read_inserts(path: Path, most: int) -> list[list[Insert]]:
    """Of the oldest rollouts: each with all its rows of every table."""
    with closing(sqlite3.connect(path)) as raw:
        found = raw.execute("SELECT id FROM rollouts ORDER BY id LIMIT ?", (most,))
        return [list(_inserts_of(raw, number)) for (number,) in found.fetchall()]


def insert_all(path: Path, rollouts: Sequence[Sequence[Insert]]) -> float:
    """One commit for each rollout, with our settings, on one connection; returns rollouts a second."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA synchronous = FULL")
        begun = time.perf_counter()
        for inserts in rollouts:
            raw.execute("BEGIN IMMEDIATE")
            for insert in inserts:
                raw.executemany(insert.text, insert.rows)
            raw.execute("COMMIT")
        return len(rollouts) / (time.perf_counter() - begun)


def _inserts_of(raw: sqlite3.Connection, number: int) -> Iterator[Insert]:
    for table, column in _TABLES.items():
        key = number if column == "id" else f"D-{number}"
        rows = raw.execute(f"SELECT * FROM {table} WHERE {column} = ?", (key,)).fetchall()  # noqa: S608 -- our own names
        if rows:
            places = ", ".join("?" * len(rows[0]))
            yield Insert(f"INSERT INTO {table} VALUES ({places})", tuple(rows))  # noqa: S608 -- same


class Successes:
    """Which rollouts are seen to have succeeded, and when (`time.monotonic`), by project and version."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], float] = {}
        self.done = threading.Event()

    def look(self, path: Path) -> None:
        """Look every few milliseconds, in a thread and on a connection of its own, until `done`."""
        with closing(sqlite3.connect(path)) as raw:
            while not self.done.wait(_LOOK_SECONDS):
                for project, version in raw.execute(_SUCCEEDED):
                    self.seen.setdefault((project, version), time.monotonic())


@contextmanager
def watching_successes(path: Path) -> Iterator[Successes]:
    """Look on meanwhile."""
    found = Successes()
    thread = threading.Thread(target=found.look, args=(path,), name="looker")
    thread.start()
    try:
        yield found
    finally:
        found.done.set()
        thread.join()
