"""Durations as people write them (`30s`, `10m`, `2h`, `7d`) and read them (48 s, 2 m 5 s, 3 h)."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN = re.compile(r"(\d{1,9})\s*([smhd])")


def parse_duration(text: str) -> timedelta:
    """Read `30s`, `10m`, `2h`, `7d` or a sum such as `1h30m`; raises ValueError otherwise."""
    squeezed = text.strip().lower()
    parts = _WRITTEN.findall(squeezed)
    if not parts or _WRITTEN.sub("", squeezed).strip():
        raise ValueError(f"{text!r} is not a duration: write 30s, 10m, 2h or 7d")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if seconds > 3660 * 86400:
        raise ValueError(f"{text!r} is too long: ten years is the most")
    return timedelta(seconds=seconds)


def say_duration(span: timedelta) -> str:
    """Two units at most, largest first: `48 s`, `2 m 5 s`, `3 h`, `2 d 4 h`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    for unit, size, smaller, divisor in (
        ("m", 60, "s", 1),
        ("h", 3600, "m", 60),
        ("d", 86400, "h", 3600),
    ):
        if unit == "d" or seconds < size * (24 if unit == "h" else 60):
            whole, rest = divmod(seconds, size)
            tail = f" {rest // divisor} {smaller}" if rest // divisor else ""
            return f"{whole} {unit}{tail}"
    raise AssertionError("unreachable: days take every length")
