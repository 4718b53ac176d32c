"""The only way to AWS: boto3's clients, their time-outs and their threads.

boto3 blocks, so each call runs in a thread. Reads are repeated by botocore; changes
are sent once, and repeated here only when AWS said that it had throttled them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations.clock import Clock
from operations.errors import OutcomeUnknown, ProviderUnavailable
from providers.aws.errors import THROTTLED, code_of, translate
from providers.aws.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient

T = TypeVar("T")

THREADS = 16
READ_DEADLINE = 60.0
"""Seconds for a read with all its repetitions; 3 attempts of 5 s to connect and 12 s to answer."""
CHANGE_DEADLINE = 45.0
"""Seconds for one attempt at a change: 5 s to connect and 30 s to answer."""
THROTTLE_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts at a throttled change: ECS refills its buckets by the second."""

_READS = Config(
    connect_timeout=5,
    read_timeout=12,
    max_pool_connections=THREADS,
    retries={"mode": "adaptive", "total_max_attempts": 3},
)
_CHANGES = Config(
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=THREADS,
    retries={"mode": "standard", "total_max_attempts": 1},
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients work: an AWS profile ("" means the usual chain) and a region."""

    profile: str
    region: str


@dataclass(frozen=True, slots=True)
class Clients:
    """boto3's clients of one place. `ecs_once` never repeats a request: for changes and trials."""

    ecs: ECSClient
    ecs_once: ECSClient
    ecr: ECRClient
    logs: CloudWatchLogsClient


class Gateway:
    """Calls AWS. Every method raises only `operations.errors.ProviderError`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._clients: dict[Place, Clients] = {}
        self._lock = threading.Lock()
        self._threads = Threads(THREADS, "aws")

    async def read(self, place: Place, doing: str, call: Callable[[Clients], T]) -> T:
        """Ask something; safe to repeat."""
        try:
            async with asyncio.timeout(READ_DEADLINE):
                return await self._run(place, call)
        except TimeoutError as exc:
            raise ProviderUnavailable(f"AWS took too long to {doing}.") from exc
        except (ClientError, BotoCoreError) as exc:
            raise translate(exc, doing, change=False) from exc

    async def change(self, place: Place, doing: str, call: Callable[[Clients], T]) -> T:
        """Change something. Raises OutcomeUnknown when it was sent and no answer came."""
        for wait in (*THROTTLE_WAITS, None):
            try:
                async with asyncio.timeout(CHANGE_DEADLINE):
                    return await self._run(place, call)
            except TimeoutError as exc:
                raise OutcomeUnknown(f"AWS was asked to {doing} and gave no answer.") from exc
            except (ClientError, BotoCoreError) as exc:
                if wait is None or code_of(exc) not in THROTTLED:
                    raise translate(exc, doing, change=True) from exc
            await self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def close(self) -> None:
        """Give connections back; calls under way end by themselves."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for each in clients:
            for client in (each.ecs, each.ecs_once, each.ecr, each.logs):
                client.close()

    async def _run(self, place: Place, call: Callable[[Clients], T]) -> T:
        return await self._threads.run(lambda: call(self._at(place)))

    def _at(self, place: Place) -> Clients:
        """In a thread: the first use of a place reads files and may ask for credentials."""
        with self._lock:
            clients = self._clients.get(place)
            if clients is None:
                clients = self._clients[place] = _open(place)
            return clients


def _open(place: Place) -> Clients:
    session = boto3.Session(profile_name=place.profile or None, region_name=place.region)
    return Clients(
        ecs=session.client("ecs", config=_READS),
        ecs_once=session.client("ecs", config=_CHANGES),
        ecr=session.client("ecr", config=_READS),
        logs=session.client("logs", config=_READS),
    )
