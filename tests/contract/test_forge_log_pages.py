"""Reading a Forge site's log on: Forge gives the whole file, and each line is read once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from operations.errors import ProviderError
from operations.monitoring.errors.log_ports import LogKind, LogPage, LogSource
from tests.contract.world_forge import Setting, SteppedClock, open_setting

SOURCE = LogSource(
    id="site:site/prod",
    kind=LogKind.SITE,
    project="site",
    environment="prod",
    every=timedelta(minutes=1),
)


class Reader:
    """Reads on from where it was, as a new process would."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.cursor = ""

    @property
    def file(self) -> list[str]:
        """The lines; the stand-in writes no end after the last one."""
        return self.setting.site.application_log

    async def page(self, limit: int = 1000) -> LogPage:
        page = await self.setting.provider.read_log(SOURCE, self.setting.target, self.cursor, limit)
        self.cursor = page.cursor
        return page

    async def lines(self) -> list[str]:
        return [line.text for line in (await self.page()).lines]


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    async with open_setting(clock=SteppedClock()) as setting:
        made = Reader(setting)
        made.file[:] = [f"old {number}" for number in range(10)] + [""]
        await made.page()
        yield made


async def test_a_new_source_begins_with_now(reader: Reader) -> None:
    assert await reader.lines() == []


async def test_new_lines_are_read_once(reader: Reader) -> None:
    reader.file[-1:] = ["one", "two", ""]

    assert (await reader.lines(), await reader.lines()) == (["one", "two"], [])


async def test_lines_that_repeat_themselves_are_each_read(reader: Reader) -> None:
    reader.file[:-1] = ["same"] * 10
    reader.cursor = ""
    await reader.page()
    reader.file[-1:] = ["same", "same", ""]

    assert await reader.lines() == ["same", "same"]


async def test_a_line_that_is_being_written_is_read_when_it_is_whole(reader: Reader) -> None:
    reader.file[-1:] = ["ha"]
    first = await reader.lines()
    reader.file[-1:] = ["half", ""]

    assert (first, await reader.lines()) == ([], ["half"])


async def test_a_last_line_without_an_end_is_read_once_it_stays(reader: Reader) -> None:
    reader.file[-1:] = ["last"]

    assert [await reader.lines() for _ in range(3)] == [[], ["last"], []]


async def test_what_follows_a_last_line_without_an_end_is_read(reader: Reader) -> None:
    reader.file[-1:] = ["last"]
    for _ in range(2):
        await reader.page()
    reader.file.extend(["next", ""])

    assert await reader.lines() == ["next"]


async def test_a_last_line_that_grows_after_all_does_not_bring_the_file_again(
    reader: Reader,
) -> None:
    reader.file[-1:] = ["la"]
    for _ in range(2):
        await reader.page()
    reader.file[-1:] = ["last", ""]

    assert await reader.lines() == ["last"]


async def test_a_file_that_was_rotated_is_read_from_its_beginning(reader: Reader) -> None:
    reader.file[:] = ["new 1", "new 2", ""]

    assert await reader.lines() == ["new 1", "new 2"]


async def test_a_file_that_was_emptied_is_read_when_there_is_something(reader: Reader) -> None:
    reader.file[:] = []
    first = await reader.lines()
    reader.file[:] = ["new", ""]

    assert (first, await reader.lines()) == ([], ["new"])


async def test_a_file_that_lost_its_front_is_read_on(reader: Reader) -> None:
    reader.file[-1:] = ["new", ""]
    del reader.file[:4]

    assert await reader.lines() == ["new"]


async def test_much_is_read_in_pages(reader: Reader) -> None:
    reader.file[-1:] = [*(f"new {number}" for number in range(25)), ""]

    pages = [await reader.page(limit=10) for _ in range(3)]

    assert [page.more for page in pages] == [True, True, False]
    assert [len(page.lines) for page in pages] == [10, 10, 5]


async def test_a_site_without_a_log_is_no_error(reader: Reader) -> None:
    reader.file[:] = []
    reader.cursor = ""

    assert await reader.lines() == []


async def test_no_line_is_in_the_cursor(reader: Reader) -> None:
    reader.file[-1:] = ["secret", "half"]
    await reader.page()

    assert "secret" not in reader.cursor
    assert "half-written" not in reader.cursor


async def test_a_forge_that_is_down_is_our_error(reader: Reader) -> None:
    reader.setting.forge.down = True

    with pytest.raises(ProviderError):
        await reader.page()
