"""Figures as people read them: a table on the terminal, and the same in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.figures import Figure, format_value

_HEADS = ("Measured", "Figure", "Floor, same run", "Limit", "")
_PLAIN_WIDTH = 132
MET, MISSED = "met", "MISSED"


def print_table(figures: Iterable[Figure]) -> None:
    """To stdout; wide enough to be read where there is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    table = Table(*_HEADS, pad_edge=False)
    for figure in figures:
        name, *cells, verdict = cells_of(figure)
        title = Text(name)
        title.append(f"\n{figure.note}", style="dim")
        styled = Text(verdict, style="bold red" if verdict == MISSED else "green")
        table.add_row(title, *cells, styled)
    console.print(table)


def markdown_table(figures: Iterable[Figure]) -> str:
    """The same cells; notes follow in brackets."""
    lines = [_line(_HEADS), _line("---" for _ in _HEADS)]
    for figure in figures:
        name, *cells = cells_of(figure)
        told = f"{name} ({figure.note})" if figure.note else name
        lines.append(_line([told, *cells]))
    return "\n".join(lines)


def cells_of(figure: Figure) -> tuple[str, str, str, str, str]:
    """Name, value, floor, limit and whether it is met; "–" where there is none."""
    floor, limit, unit = figure.floor, figure.limit, figure.unit
    return (
        figure.name,
        f"{format_value(figure.value)} {unit}",
        f"{format_value(floor.value)} {unit} ({floor.what})" if floor else "–",
        limit.words if limit else "–",
        "" if limit is None else MET if figure.is_met else MISSED,
    )


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
