"""Reading pods' logs on: every line once, over pages, restarts, pods that come and pods that go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from operations.errors import ProviderError
from operations.monitoring.errors.log_ports import LogKind, LogPage, LogSource
from providers.kubernetes import log_pages
from sandbox.kubernetes.objects import Json
from tests.contract.world_kubernetes import CLUSTERS, NAMESPACE, Setting, open_setting

SECOND = timedelta(seconds=1)
SOURCE = LogSource(
    id="pods:shop/prod",
    kind=LogKind.PODS,
    project="shop",
    environment="prod",
    every=5 * SECOND,
)


@dataclass
class Reader:
    """Reads on from where it was, as a new process would."""

    setting: Setting
    cursor: str = ""

    async def page(self, limit: int = 1000) -> LogPage:
        page = await self.setting.provider.read_log(SOURCE, self.setting.target, self.cursor, limit)
        self.cursor = page.cursor
        return page

    async def lines(self, limit: int = 1000) -> list[str]:
        return [line.text for line in (await self.page(limit)).lines]

    async def begin(self) -> None:
        """From now on, without what the pods said when they started."""
        await self.page()
        await self.page()

    @property
    def pods(self) -> list[Json]:
        return sorted(
            self.setting.cluster.store.find("pods", NAMESPACE), key=lambda p: p["metadata"]["name"]
        )

    def write(self, *lines: str, pod: int = 0, at: datetime | None = None) -> None:
        uid = self.pods[pod]["metadata"]["uid"]
        self.setting.cluster.kubelet.logs.write(uid, *lines, at=at)


@pytest.fixture(params=CLUSTERS)
async def reader(request: pytest.FixtureRequest) -> AsyncIterator[Reader]:
    async with open_setting(kind=request.param) as setting:
        made = Reader(setting)
        await made.begin()
        yield made


async def test_a_new_source_begins_with_now() -> None:
    async with open_setting() as setting:
        reader = Reader(setting)
        reader.write("long ago", at=datetime.now(UTC) - timedelta(days=3))

        assert await reader.lines() == []
        assert "long ago" not in await reader.lines()


async def test_lines_of_all_pods_are_read_once_with_pod_and_time(reader: Reader) -> None:
    for pod in range(3):
        reader.write(f"hello from {pod}", pod=pod)

    page = await reader.page()

    assert sorted(line.text for line in page.lines) == [f"hello from {pod}" for pod in range(3)]
    assert {line.stream for line in page.lines} == {p["metadata"]["name"] for p in reader.pods}
    assert all(line.at and abs(line.at - datetime.now(UTC)) < 10 * SECOND for line in page.lines)
    assert await reader.lines() == []


async def test_lines_of_the_same_moment_are_told_apart_by_their_number(reader: Reader) -> None:
    moment = datetime.now(UTC)
    reader.write("one", "two", at=moment)
    first = await reader.lines()
    reader.write("three", at=moment)

    assert (first, await reader.lines()) == (["one", "two"], ["three"])


async def test_a_line_with_a_slightly_older_time_is_not_lost(reader: Reader) -> None:
    moment = datetime.now(UTC).replace(microsecond=500_000)
    reader.write("out", at=moment)
    first = await reader.lines()
    reader.write("err", at=moment - timedelta(microseconds=3))

    assert (first, await reader.lines(), await reader.lines()) == (["out"], ["err"], [])


async def test_a_container_that_restarted_is_read_to_its_end(reader: Reader) -> None:
    reader.write("before")
    await reader.lines()
    reader.write("Out of memory")
    reader.setting.cluster.kubelet.restart(reader.pods[0])

    lines = await reader.lines()

    assert lines[:2] == ["Out of memory", "starting worker on :8080"]
    assert await reader.lines() == []


async def test_a_crash_loop_is_read_once_for_each_crash(reader: Reader) -> None:
    target = reader.setting.target
    await reader.setting.provider.start(reader.setting.order("1.1-crash"))
    lines: list[str] = []
    crashed: list[Json] = []
    while max((_restarts(pod) for pod in crashed), default=0) < 3:
        lines += await reader.lines()
        crashed = [
            p
            for p in reader.pods
            if "crash" in reader.setting.cluster.kubelet.tag_of(p["spec"]["containers"][0]["image"])
        ]
    lines += await reader.lines()

    assert target.name == "shop/prod"
    assert lines.count("KeyError: 'DATABASE_URL'") in range(3, 6)


async def test_a_new_pod_is_read_from_its_beginning(reader: Reader) -> None:
    reader.setting.cluster.edit("deployments", NAMESPACE, "web", replicas=4)

    lines: list[str] = []
    while not lines:
        lines = await reader.lines()

    assert lines[0] == "starting worker on :8080"


async def test_pods_that_are_gone_are_forgotten(reader: Reader) -> None:
    gone = reader.pods[0]["metadata"]["uid"]
    reader.setting.cluster.edit("deployments", NAMESPACE, "web", replicas=0)
    while reader.pods:
        await reader.page()

    await reader.page()

    assert gone not in reader.cursor


async def test_a_namesakes_pods_are_not_read(reader: Reader) -> None:
    other = reader.setting.cluster.add_deployment(
        NAMESPACE, "other", f"{reader.setting.image}:1.0", replicas=1
    )
    for pod in reader.pods:
        if pod["metadata"]["name"].startswith("other-"):
            labels = {**pod["metadata"]["labels"], "app": "web"}
            changed = {**pod, "metadata": {**pod["metadata"], "labels": labels}}
            reader.setting.cluster.store.put("pods", changed)

    assert other["metadata"]["name"] == "other"
    assert await reader.lines() == []


async def test_a_page_stays_within_its_limit_and_those_behind_are_read_next(
    reader: Reader,
) -> None:
    for pod in range(3):
        reader.write(*(f"{pod}-{n}" for n in range(10)), pod=pod)

    pages = [await reader.page(limit=10)]
    while pages[-1].more:
        pages.append(await reader.page(limit=10))

    assert [len(page.lines) for page in pages] == [10, 10, 10, 0]
    read = [line.text for page in pages for line in page.lines]
    assert sorted(read) == sorted(f"{pod}-{n}" for pod in range(3) for n in range(10))


async def test_more_than_fits_into_an_answer_is_read_in_parts(reader: Reader) -> None:
    begun = datetime.now(UTC)
    for second in range(4):
        texts = (f"{second}-{n} " + "x" * 1000 for n in range(120))
        reader.write(*texts, at=begun + second * SECOND)

    read: list[str] = []
    is_more = True
    while is_more:
        page = await reader.page()
        is_more = page.more
        read += [line.text.partition(" ")[0] for line in page.lines]

    assert read == [f"{second}-{n}" for second in range(4) for n in range(120)]


async def test_a_second_with_much_in_it_is_read_whole(reader: Reader) -> None:
    texts = [f"{n} " + "x" * 1000 for n in range(600)]
    reader.write(*texts)

    read: list[str] = []
    for _ in range(4):
        read += await reader.lines()

    assert read == texts


async def test_a_second_with_too_much_in_it_does_not_hold_up_what_follows(reader: Reader) -> None:
    begun = datetime.now(UTC)
    reader.write("x" * log_pages.MOST_BYTES, "lost", at=begun)
    reader.write("y" * 10, at=begun + 2 * SECOND)

    read: list[str] = []
    for _ in range(5):
        read += await reader.lines()

    assert read[-1] == "y" * 10


async def test_a_cluster_that_is_down_is_our_error(reader: Reader) -> None:
    await reader.setting.cluster.stop()

    with pytest.raises(ProviderError):
        await reader.page()

    await reader.setting.cluster.start()


async def test_a_workload_that_is_gone_is_our_error(reader: Reader) -> None:
    target = reader.setting.target_of("deployment/gone")

    with pytest.raises(ProviderError):
        await reader.setting.provider.read_log(SOURCE, target, reader.cursor, 10)


def _restarts(pod: Json) -> int:
    status = pod["status"].get("containerStatuses", [{}])[0]
    return int(status.get("restartCount", 0))
