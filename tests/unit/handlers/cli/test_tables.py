"""Tables fit, or become blocks; nothing is cut and no word torn."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.cli import tables
from handlers.cli.tables import fit, print_table
from handlers.cli.terminal import Terminal

_CELLS = st.lists(st.text("ab", min_size=1, max_size=30), max_size=4).map(" ".join)
_ROWS = st.integers(2, 6).flatmap(
    lambda size: st.lists(st.lists(_CELLS, min_size=size, max_size=size), min_size=1, max_size=5)
)
LONG = "marketing-campaign-landing-pages-and-newsletters-for-europe/prod"
COLUMNS = ("Target", "On", "State", "Last")
ROWS = [
    [LONG, "Kubernetes default/mkt", "healthy", "D-1001 Waiting for approval"],
    ["site/prod", "Forge acme/456", "down: deployment failed", ""],
]


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Somebody looks."""
        return True


def _shown(out: io.StringIO, width: int, monkeypatch: pytest.MonkeyPatch, spared: str = "") -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")  # of one that is dumb, rich takes no width
    print_table(COLUMNS, ROWS, Terminal(out=out, err=io.StringIO()), spared=spared)
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())


@given(_ROWS, st.integers(1, 200))
def test_widths_fit_the_room_and_tear_no_word(rows: list[list[str]], room: int) -> None:
    widths = fit(rows, room)

    if widths is not None:
        assert sum(widths) + 2 * (len(widths) - 1) <= room
        for row in rows:
            for cell, width in zip(row, widths, strict=True):
                assert all(len(word) <= width for word in cell.split())


def test_without_a_terminal_each_row_is_one_whole_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _shown(io.StringIO(), 40, monkeypatch).splitlines()

    assert len(lines) == 1 + len(ROWS)
    assert all(cell in line for line, row in zip(lines[1:], ROWS, strict=True) for cell in row)
    assert all(line == line.rstrip() for line in lines)


def test_on_a_terminal_cells_go_on_below(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _shown(Screen(), 120, monkeypatch)

    assert max(map(len, text.splitlines())) <= 120
    assert LONG in text


def test_a_column_is_spared_before_lines_become_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _shown(Screen(), 92, monkeypatch, spared="On")

    assert text.startswith("Target")
    assert "Kubernetes" not in text


def test_what_does_not_fit_is_a_block_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _shown(Screen(), 60, monkeypatch)

    assert text.splitlines()[:4] == [
        LONG,
        "  On     Kubernetes default/mkt",
        "  State  healthy",
        "  Last   D-1001 Waiting for approval",
    ]
    assert "site/prod\n  On     Forge acme/456\n  State  down: deployment failed\n" in text


def test_a_table_without_rows_is_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    print_table(("A", "B"), [], Terminal(out=out, err=io.StringIO()))
    assert out.getvalue() == "A  B\n"
    assert tables.fit([("A", "B")], 80) == [1, 1]
