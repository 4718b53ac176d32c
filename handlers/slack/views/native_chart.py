"""Slack's own chart block, which not every workspace takes yet (`slack.native_charts`).

Its limits (docs.slack.dev, data_visualization block, 2026-06-16): title 50 characters, 20 categories of 20
characters each, unique, and every series with one value for each.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from handlers.slack.views.blocks import Block, Json
from operations.monitoring.digest.digest import Digest

_STEP = 2
"""Hours in one category: 24 would be too many, 13 at the end of summer time are not."""


def native_chart(digest: Digest) -> Block:
    """Errors, and those of the day before."""
    categories = _categories(digest)
    series: list[Json] = [
        _series("Errors", digest.errors.hours, categories),
        _series("The day before", digest.errors.hours_before, categories),
    ]
    axes: Json = {"categories": categories, "x_label": digest.zone[:50], "y_label": "errors"}
    return {
        "type": "data_visualization",
        "title": "Errors per two hours",
        "chart": {"type": "line", "series": series, "axis_config": axes},
    }


def _categories(digest: Digest) -> list[str]:
    """`09:00`; an hour that comes twice in a day is told apart by its offset."""
    zone, since = ZoneInfo(digest.zone), digest.span.hours().since
    starts = [
        (since + timedelta(hours=hour)).astimezone(zone)
        for hour in range(0, len(digest.errors.hours), _STEP)
    ]
    plain = [f"{start:%H:%M}" for start in starts]
    return [
        text if plain.count(text) == 1 else f"{start:%H:%M%z}"
        for text, start in zip(plain, starts, strict=True)
    ]


def _series(name: str, hours: tuple[int, ...], categories: list[str]) -> Json:
    points: list[Json] = [
        {"label": label, "value": sum(hours[number * _STEP : (number + 1) * _STEP])}
        for number, label in enumerate(categories)
    ]
    return {"name": name, "data": points}
