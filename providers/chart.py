"""Draws a digest's chart: errors by hour as bars, the day before as a line, rollouts as marks above.

matplotlib runs in a process of its own (`python -m providers.chart`, JSON in, PNG out): it takes 100 MB and
a second of a core, which the bot's own process and its event loop have no business spending. The child gets
no secrets: its environment is a short list.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from zoneinfo import ZoneInfo

from operations.errors import ProviderRejected, ProviderUnavailable
from operations.monitoring.digest.digest import Digest
from operations.redaction import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SECONDS = 8.0
_LARGEST = 1_000_000
_CPU_SECONDS = 30
_HOUR = timedelta(hours=1)
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "MPLCONFIGDIR",
    "XDG_CACHE_HOME",
    "TZDIR",
)
_ROOT = Path(__file__).resolve().parents[1]
_PNG = b"\x89PNG\r\n\x1a\n"


class Mark(TypedDict):
    """A rollout that ended `at` so many hours after the chart's beginning."""

    at: float
    failed: bool


class Drawing(TypedDict):
    """What the child is told: counts by hour, those of the day before, what to write under each hour."""

    title: str
    hours: list[int]
    before: list[int]
    labels: list[str]
    marks: list[Mark]


class ChartPainter:
    """Implements `operations.monitoring.digest.ports.Painter`, one chart at a time. `program` is a Python."""

    def __init__(self, *, seconds: float = _SECONDS, program: str = sys.executable) -> None:
        self._seconds = seconds
        self._program = program
        self._turn = asyncio.Lock()

    async def paint(self, digest: Digest) -> bytes:
        """A PNG of about 30 KB."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._seconds):
                    return await _paint(self._program, json.dumps(drawing_of(digest)).encode())
            except TimeoutError as exc:
                raise ProviderUnavailable(
                    f"The chart was not drawn within {self._seconds:g} s."
                ) from exc


def drawing_of(digest: Digest) -> Drawing:
    """In the clocks' time of the digest's zone."""
    zone, hours = ZoneInfo(digest.zone), digest.span.hours()
    counted = list(digest.errors.hours)
    starts = [(hours.since + number * _HOUR).astimezone(zone) for number in range(len(counted))]
    return {
        "title": "Errors per hour",
        "hours": counted,
        "before": list(digest.errors.hours_before[: len(counted)]),
        "labels": [f"{start:%H:%M}" for start in starts],
        "marks": [
            {"at": (mark.ended_at - hours.since) / _HOUR, "failed": mark.has_failed}
            for mark in digest.rollouts.marks
        ],
    }


async def _paint(program: str, request: bytes) -> bytes:
    child = await _start(program)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_hand_over(child, request), name="chart in")
            picture = group.create_task(_read(child.stdout, _LARGEST), name="chart out")
            complaint = group.create_task(_read(child.stderr, 4000), name="chart complaints")
        code = await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    drawn = picture.result()
    if code or not drawn.startswith(_PNG) or len(drawn) > _LARGEST:
        said = clean(complaint.result().decode(errors="replace"), limit=300)
        raise ProviderRejected(f"The chart could not be drawn ({code}): {said}")
    return drawn


async def _start(program: str) -> Process:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment |= {"PYTHONPATH": str(_ROOT), "MPLBACKEND": "agg"}
    try:
        return await asyncio.create_subprocess_exec(
            *(program, "-m", "providers.chart"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment,
        )
    except OSError as exc:
        raise ProviderUnavailable("The chart's process could not be started.") from exc


async def _hand_over(child: Process, request: bytes) -> None:
    if child.stdin is None:
        return
    try:
        child.stdin.write(request)
        await child.stdin.drain()
        child.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # it ended early; its code and its words tell why


async def _read(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """Everything, of which no more than `most` and a little is kept."""
    kept = b""
    while stream is not None and (chunk := await stream.read(65536)):
        kept += chunk if len(kept) <= most else b""
    return kept


# What follows runs in the child.

_INK, _GROUND = "#1d1c1d", "#fbfbfd"
_BARS, _LIVE, _FAILED = "#1d6fb8", "#12805c", "#c2255c"
_LABELS = 12


def draw(drawing: Drawing) -> bytes:
    """Dark on an opaque light ground, so that it is legible whatever Slack's own ground is."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), dpi=150, facecolor=_GROUND, layout="constrained")
    axes = figure.add_subplot(facecolor=_GROUND)
    top = max([1, *drawing["hours"], *drawing["before"]])
    _draw_counts(axes, drawing)
    _draw_marks(axes, drawing["marks"], top)
    _draw_frame(axes, drawing, top)
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=_GROUND)
    return out.getvalue()


def _draw_counts(axes: Axes, drawing: Drawing) -> None:
    middles = [number + 0.5 for number in range(len(drawing["hours"]))]
    axes.bar(middles, drawing["hours"], width=0.8, color=_BARS, label="errors")
    before = drawing["before"]
    at = middles[: len(before)]
    axes.plot(at, before, color=_INK, linestyle="--", linewidth=2, label="the day before")


def _draw_marks(axes: Axes, marks: Sequence[Mark], top: int) -> None:
    """What differs in colour differs in shape too, and the legend says it in words."""
    for failed, marker, color, label in (
        (False, "^", _LIVE, "rollout live"),
        (True, "X", _FAILED, "rollout failed"),
    ):
        at = [mark["at"] for mark in marks if mark["failed"] is failed]
        if at:
            axes.scatter(at, [top * 1.1] * len(at), marker=marker, s=80, color=color, label=label)


def _draw_frame(axes: Axes, drawing: Drawing, top: int) -> None:
    from matplotlib.ticker import MaxNLocator

    labels = drawing["labels"]
    step = max(1, len(labels) // _LABELS)
    axes.set_xlim(0, max(1, len(labels)))
    axes.set_ylim(0, top * 1.2)
    axes.set_xticks(range(0, len(labels), step), labels[::step], color=_INK, fontsize=10)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(axis="y", colors=_INK, labelsize=10)
    axes.set_title(drawing["title"], color=_INK, fontsize=12, loc="left")
    axes.grid(axis="y", color="#d9dde3", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=4,
        frameon=False,
        labelcolor=_INK,
        fontsize=10,
    )


def main() -> None:
    """JSON on stdin, PNG on stdout."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    drawing: Drawing = json.load(sys.stdin)
    sys.stdout.buffer.write(draw(drawing))


if __name__ == "__main__":
    main()
