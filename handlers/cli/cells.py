"""Cells of a table that a spreadsheet will open."""

from __future__ import annotations

_FORMULA = frozenset("=+-@\t\r\n")


def harmless(text: str) -> str:
    """Text that a spreadsheet would run as a formula, made text (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in _FORMULA else text
