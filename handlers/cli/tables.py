"""Tables for people: a line for each row where they fit, a block for each where they do not.

Nothing is cut, and no word is torn: names and ids are there to be copied.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from handlers.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_GAP = 2

Row = Sequence["str | Text"]


def print_table(
    columns: Sequence[str], rows: Sequence[Row], terminal: Terminal, *, spared: str = ""
) -> None:
    """As wide as it needs to be, and as the terminal allows; where nobody looks, a row is a line.

    `spared` is the column that is left out before a line becomes a block.
    """
    from rich.console import Console

    console = Console(file=terminal.out, markup=False, emoji=False, highlight=False)
    # Written by ourselves: rich ends the process where the reader of a pipe has read enough.
    with console.capture() as drawn:
        _draw(_Table(columns, rows), spared, console, is_seen=terminal.out.isatty())
    terminal.out.write(drawn.get())


def _draw(whole: _Table, spared: str, console: Console, *, is_seen: bool) -> None:
    for table in (whole, whole.without(spared)):
        if (widths := fit(table.texts, console.width if is_seen else None)) is not None:
            _print_row(table.columns, widths, console, "bold")
            for row in table.rows:
                _print_row(row, widths, console)
            return
    _print_blocks(whole.columns, whole.rows, console)


@dataclass(frozen=True, slots=True)
class _Table:
    columns: Sequence[str]
    rows: Sequence[Row]

    @property
    def texts(self) -> list[list[str]]:
        return [[str(cell) for cell in row] for row in (self.columns, *self.rows)]

    def without(self, title: str) -> _Table:
        kept = [at for at, name in enumerate(self.columns) if name != title]
        rows = [[row[at] for at in kept] for row in self.rows]
        return _Table([self.columns[at] for at in kept], rows)


def fit(rows: Sequence[Sequence[str]], room: int | None) -> list[int] | None:
    """The columns' widths within the room, which no word exceeds; None when there are none."""
    wanted = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if room is None:
        return wanted
    widths = [max(_longest_word(cell) for cell in column) for column in zip(*rows, strict=True)]
    spare = room - sum(widths) - _GAP * (len(widths) - 1)
    if spare < 0:
        return None
    for number in sorted(range(len(widths)), key=lambda each: wanted[each] - widths[each]):
        given = min(spare, wanted[number] - widths[number])
        widths[number] += given
        spare -= given
    return widths


def _print_row(row: Row, widths: Sequence[int], console: Console, style: str = "") -> None:
    from rich.text import Text

    wrapped = [
        textwrap.wrap(str(cell), width, break_on_hyphens=False) if str(cell) else [""]
        for cell, width in zip(row, widths, strict=True)
    ]
    for pieces in zip_longest(*wrapped, fillvalue=""):
        line = Text()
        for piece, width, cell in zip(pieces, widths, row, strict=True):
            shown = style or (cell.style if isinstance(cell, Text) else "")
            line.append(piece, shown).append(" " * (width - len(piece) + _GAP))
        line.rstrip()
        console.print(line, soft_wrap=True)


def _print_blocks(columns: Sequence[str], rows: Sequence[Row], console: Console) -> None:
    from rich.text import Text

    width = max(len(title) for title in columns[1:])
    for row in rows:
        console.print(Text(str(row[0]), "bold"), soft_wrap=True)
        for title, cell in zip(columns[1:], row[1:], strict=True):
            if str(cell):
                told = cell if isinstance(cell, Text) else Text(cell)
                line = Text(f"  {title:<{width}}  ").append_text(told)
                console.print(line, soft_wrap=True)


def _longest_word(cell: str) -> int:
    return max((len(word) for word in cell.split()), default=0)
