"""A page as HTML and as text. The one place where mail is escaped and cut.

The HTML needs no style sheet and loads nothing: mail programs drop the one and ask about the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from handlers.mail.pages import Code, Command, Heading, Image, Line, Page, Part, Table

_TITLE_LIMIT = 200
_LINE_LIMIT = 2000
_CODE_LIMIT = 6000
_FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px"
# Both, or a program with a dark page shows our dark words on it.
_COLOURS = "color:#1d1c1d;background:#ffffff"
# An image's digest is wider than a phone; the first is what older programs know.
_BREAK = "word-break:break-word;overflow-wrap:anywhere"
_CELL = "padding:3px 12px 3px 0;border-bottom:1px solid #eee"


def render_title(page: Page) -> str:
    """One line, whatever it is given: a header that goes on would be another header."""
    return _one_line(page.title, _TITLE_LIMIT)


def render_text(page: Page) -> str:
    """For programs that show no HTML, and for ways that know text only."""
    told = [_one_line(page.headline), *(_text_of(part) for part in page.parts if part)]
    return "\n\n".join(block for block in told if block) + "\n"


def render_html(page: Page) -> str:
    """The same, drawn."""
    body = "\n".join(_html_of(part) for part in page.parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head>\n'
        f'<body style="{_FONT};font-size:14px;line-height:1.45;{_COLOURS};{_BREAK}">\n'
        f'<p style="font-size:16px"><strong>{_h(_one_line(page.headline))}</strong></p>\n'
        f"{body}\n</body></html>\n"
    )


def _text_of(part: Part) -> str:
    return _TEXT[type(part)](part)


def _html_of(part: Part) -> str:
    return _HTML[type(part)](part)


def _line_text(part: Line) -> str:
    return _lines(part.text)


def _line_html(part: Line) -> str:
    style = ' style="font-size:12px;color:#616061"' if part.small else ""
    return f"<p{style}>{_h(_lines(part.text)).replace(chr(10), '<br>')}</p>"


def _code_text(part: Code) -> str:
    return "\n".join(f"    {line}" for line in _tail(part.text).splitlines())


def _code_html(part: Code) -> str:
    style = f"{_MONO};background:#f6f6f6;border:1px solid #ddd;border-radius:4px;padding:8px"
    return f'<pre style="{style};white-space:pre-wrap">{_h(_tail(part.text))}</pre>'


def _command_text(part: Command) -> str:
    return f"{_one_line(part.purpose)}:\n    {_one_line(part.command)}"


def _command_html(part: Command) -> str:
    code = f'<code style="{_MONO}">{_h(_one_line(part.command))}</code>'
    return f"<p>{_h(_one_line(part.purpose))}: {code}</p>"


def _heading_text(part: Heading) -> str:
    words = _one_line(part.text)
    return f"{words}\n{'-' * len(words)}"


def _heading_html(part: Heading) -> str:
    return f'<h3 style="font-size:14px;margin:18px 0 4px">{_h(_one_line(part.text))}</h3>'


def _table_text(part: Table) -> str:
    rows = [[_one_line(cell, 80) for cell in row] for row in [part.head, *part.rows]]
    if not any(rows[0]):
        rows = rows[1:]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_row_text(row, widths) for row in rows)


def _row_text(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0]) if row else ""
    rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "  ".join([first, *rest]).rstrip()


def _table_html(part: Table) -> str:
    rows = [_row_html(row, "td") for row in part.rows]
    head = [_row_html(part.head, "th")] if any(part.head) else []
    style = "border-collapse:collapse;font-size:13px"
    return f'<table style="{style}">{"".join([*head, *rows])}</table>'


def _row_html(row: Sequence[str], tag: str) -> str:
    cells = [
        f'<{tag} style="{_CELL};text-align:{"right" if number else "left"}">'
        f"{_h(_one_line(cell, 80))}</{tag}>"
        for number, cell in enumerate(row)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _image_text(part: Image) -> str:
    return ""


def _image_html(part: Image) -> str:
    words, name = _h(_one_line(part.words)), _h(_one_line(part.name))
    return f'<p><img src="cid:{name}" alt="{words}" style="max-width:100%"></p>'


_TEXT: Mapping[type, Callable[..., str]] = {
    Line: _line_text,
    Code: _code_text,
    Command: _command_text,
    Heading: _heading_text,
    Table: _table_text,
    Image: _image_text,
}
_HTML: Mapping[type, Callable[..., str]] = {
    Line: _line_html,
    Code: _code_html,
    Command: _command_html,
    Heading: _heading_html,
    Table: _table_html,
    Image: _image_html,
}


def _h(text: str) -> str:
    return escape(text, quote=True)


def _one_line(text: str, limit: int = 500) -> str:
    """Outsiders' text as one line: it cannot pretend to be a line of ours."""
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def _lines(text: str) -> str:
    plain = "\n".join(" ".join(each.split()) for each in text.strip().splitlines())
    return plain if len(plain) <= _LINE_LIMIT else plain[: _LINE_LIMIT - 1] + "…"


def _tail(text: str) -> str:
    """The cut keeps the end, where platforms put the reason."""
    body = text.strip("\n")
    return body if len(body) <= _CODE_LIMIT else "…" + body[-(_CODE_LIMIT - 1) :]
