"""What a reader sees of a figure, and what the page must not tell."""

from __future__ import annotations

import platform
from pathlib import Path

from bench.figures import Figure, Floor, Topic, at_least, at_most
from bench.page import write_page
from bench.table import cells_of, markdown_table

GOOD = Figure(
    topic=Topic.DEPLOYS,
    name="Deploys",
    value=312.4,
    unit="/s",
    limit=at_least(200, "at least 200 /s"),
    floor=Floor(980, "bare inserts"),
    note="3 runs",
)
BAD = Figure(
    topic=Topic.STARTUP, name="Start", value=2.5, unit="s", limit=at_most(2, "at most 2 s")
)


def test_a_figure_stands_beside_its_floor_and_limit() -> None:
    assert cells_of(GOOD) == (
        "Deploys",
        "312 /s",
        "980 /s (bare inserts)",
        "at least 200 /s",
        "met",
    )


def test_a_missed_limit_is_told_plainly() -> None:
    assert cells_of(BAD)[-1] == "MISSED"
    assert "MISSED" in markdown_table([BAD])
    assert "**Missed: Start.**" in write_page([GOOD, BAD], 1, 0.1)


def test_a_bar_in_a_note_does_not_break_the_table() -> None:
    broken = Figure(topic=Topic.ACKS, name="a|b", value=1, unit="ms")

    assert markdown_table([broken]).splitlines()[2] == "| a/b | 1 ms | – | – |  |"


def test_the_page_names_neither_host_nor_paths() -> None:
    page = write_page([GOOD, BAD], 2, 0.1)

    assert platform.node() not in page
    assert str(Path.cwd()) not in page
    assert "2 runs" in page


def test_the_page_explains_only_what_was_measured() -> None:
    page = write_page([GOOD], 1, 0.1)

    assert "**Deploys accepted and stored.**" in page
    assert "**Kubernetes.**" not in page


def test_the_page_tells_whether_the_machine_was_busy() -> None:
    assert "busy with other work (load average 3.2" in write_page([GOOD], 1, 3.2)
    assert "busy" not in write_page([GOOD], 1, 0.2)
