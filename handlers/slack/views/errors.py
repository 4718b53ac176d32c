"""Private answers about errors: the groups that were found, one in full, and what became of a click.

Their block_ids name no subject: only the asker sees them, so that nothing can bring them up to date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.error_queries import Found
from handlers.error_words import meaning_of
from handlers.language import render
from handlers.nothing import no_errors
from handlers.slack.views.blocks import (
    TOTAL_LIMIT,
    Block,
    Message,
    actions,
    clock,
    context,
    cut,
    dots,
    fence,
    message,
    one_line,
    paragraphs,
    said,
    section,
    text_of,
)
from handlers.slack.views.error_lines import (
    NOTHING_LIVE,
    Live,
    brief_line,
    fact_line,
    group_buttons,
    group_title,
    hours_line,
    mark_line,
    times,
)
from operations.monitoring.errors.group import Change, ErrorGroup, GroupDetail, GroupReport, Sample

_WITH_BUTTONS = 12
_BUTTONS_UNTIL = 6500
_LINES_UNTIL = TOTAL_LIMIT - 400
_SAMPLES = 3
_FRAMES = 8


def listing(found: Found, now: datetime, live: Live = NOTHING_LIVE) -> Message:
    """The first ones with buttons, the rest as lines."""
    if not found.reports:
        return nothing(found)
    head = _head(found)
    shown = _with_buttons(found.reports[:_WITH_BUTTONS], now, live)
    taken = sum(len(text_of(block)) for row in shown for block in row)
    rest = found.reports[len(shown) :]
    lines = _lines(rest, now, _LINES_UNTIL - taken)
    return message(
        _summary(found, head),
        [
            section(f"*Errors* · {head}"),
            *(block for row in shown for block in row),
            *paragraphs(lines),
            context(*_footer(found, len(rest) - len(lines))),
        ],
    )


def nothing(found: Found) -> Message:
    """Says what was searched."""
    none = no_errors(found)
    return message(
        one_line(none.text), [section(f"🟢 {one_line(none.text)}"), context(said(none.hint))]
    )


def detail(found: GroupDetail, now: datetime, live: Live = NOTHING_LIVE) -> Message:
    """One group in full."""
    group = found.report.group
    return message(
        f"{one_line(group.title, 140)}: {_where_and_how_often(group)}",
        [
            section(
                group_title(group, 300),
                fact_line(group, now),
                mark_line(group, now, live),
                hours_line(found.report),
                block_id=_ids(group, "head"),
            ),
            context(said(meaning_of(group))),
            *_samples(found.samples[:_SAMPLES], now),
            section(*_change_lines(found, now)),
            actions(
                *group_buttons(group, now, with_changes=False), block_id=_ids(group, "buttons")
            ),
        ],
    )


def changes(found: GroupDetail, now: datetime) -> Message:
    """What changed before it began."""
    group = found.report.group
    count = len(found.changes)
    many = f"{count or 'No'} {'change' if count == 1 else 'changes'}"
    return message(
        f"{many} on {one_line(group.target_name, 130)} before {group.label} began",
        [section(*_change_lines(found, now)), context(said(f"`errors {group.label}`"))],
    )


def resolved(group: ErrorGroup) -> Message:
    """Done with, until it is seen again."""
    text = f"You resolved {group.label}: {one_line(group.title, 150)}."
    return message(text, [section(f"✅ {text}"), context("Seen again, it is open again.")])


def silenced(group: ErrorGroup, now: datetime) -> Message:
    """Nobody is told of it for a while."""
    until = clock(group.silenced_until or now, now)
    text = f"{group.label} is silent until {until}: {one_line(group.title, 130)}."
    return message(text, [section(f"🔕 {text}"), context("It is counted all the same.")])


def _head(found: Found) -> str:
    count = len(found.reports)
    order = "newest" if found.command.newest else "worst"
    groups = f"{count} {'group' if count == 1 else 'groups'}"
    place, span = one_line(found.where, 130), f"last {found.span}"
    if found.has_more:
        return dots(f"the {order} {groups}", place, span)
    return dots(groups, place, span, f"{order} first" if count > 1 else "")


def _summary(found: Found, head: str) -> str:
    first = found.reports[0].group
    return f"Errors: {head}: {one_line(first.title, 80)} ({_where_and_how_often(first)})"


def _where_and_how_often(group: ErrorGroup) -> str:
    return f"{group.label}, {one_line(group.target_name, 60)}, {times(group.count)}"


def _with_buttons(reports: Sequence[GroupReport], now: datetime, live: Live) -> list[list[Block]]:
    """As many as leave room for the others' lines."""
    shown: list[list[Block]] = []
    room = _BUTTONS_UNTIL
    for report in reports:
        row = _row(report, now, live)
        room -= sum(len(text_of(block)) for block in row)
        if room < 0:
            break
        shown.append(row)
    return shown


def _row(report: GroupReport, now: datetime, live: Live) -> list[Block]:
    group = report.group
    told = section(
        group_title(group),
        fact_line(group, now),
        dots(hours_line(report), mark_line(group, now, live)),
        block_id=_ids(group, "line"),
    )
    row = actions(*group_buttons(group, now), block_id=_ids(group, "buttons"))
    return [block for block in (told, row) if block is not None]


def _lines(reports: Sequence[GroupReport], now: datetime, room: int) -> list[str]:
    lines = []
    for report in reports:
        line = brief_line(report.group, now)
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return lines


def _footer(found: Found, hidden: int) -> list[str]:
    command = found.command
    if hidden > 0:
        narrower = "environment" if command.project else "project"
        every = f"`hms-sys {render(command)}` in a terminal lists all"
        how = every if command.environment else f"name a {narrower}, or {every}"
        return [f"{hidden} more: {said(how)}", _one()]
    if found.has_more and command.count < 200:
        return [f"there are more: {said(f'`{found.longer}`')}", _one()]
    return [_one()]


def _one() -> str:
    return said("`errors E-…` shows one in full")


def _samples(samples: Sequence[Sample], now: datetime) -> list[Block | None]:
    blocks: list[Block | None] = []
    for number, sample in enumerate(samples):
        when = dots(
            "*Newest*" if number == 0 else "*Before*",
            clock(sample.at, now),
            one_line(sample.release, 60),
            one_line(sample.source, 60),
        )
        blocks.append(section(when, fence(_sample_text(sample), 1200)))
    return blocks


def _sample_text(sample: Sample) -> str:
    """The beginning of what was said, and the last frames, where the fault is."""
    stack = sample.fields.get("stack", "").strip("\n").splitlines()
    frames = [cut(line, 160) for line in stack[-_FRAMES:]]
    left_out = [f"… {len(stack) - _FRAMES} lines above"] if len(stack) > _FRAMES else []
    return "\n".join([cut(sample.message.strip(), 400) or "-", *left_out, *frames])


def _change_lines(found: GroupDetail, now: datetime) -> list[str]:
    group = found.report.group
    began = f"{group.label} began {clock(group.first_seen, now)}"
    if not found.changes:
        return [f"*What changed before*: nothing that HMS-SYS knows of · {began}"]
    return [
        f"*What changed before* · {began}",
        *(_change_line(change, now) for change in found.changes[:10]),
    ]


def _change_line(change: Change, now: datetime) -> str:
    told = change.text if change.subject in change.text else f"{change.subject} {change.text}"
    return f"• {dots(clock(change.at, now), one_line(told, 200))}"


def _ids(group: ErrorGroup, part: str) -> str:
    return f"errors.{group.label}.{group.revision}.{part}"
