"""The digest's one message, and the private answer that says the same before it is due.

Each error and alert that it names has a block and buttons of its own, so that acting on one leaves the
others as they are; the numbers stay as they were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers import digest_words as words
from handlers.slack.ids import ActionId, ButtonValue, block_prefix
from handlers.slack.views.blocks import (
    Block,
    Message,
    actions,
    bold,
    button,
    clock,
    context,
    dots,
    message,
    one_line,
    person,
    said,
    section,
)
from handlers.slack.views.error_lines import (
    TITLE_LIMIT,
    group_buttons,
    group_title,
    mark_line,
)
from operations.monitoring.alert import Alert
from operations.monitoring.digest.digest import Digest, GroupLine, OpenAlert, StoredDigest
from operations.monitoring.digest.digests import DigestReport
from operations.monitoring.errors.group import ErrorGroup
from operations.monitoring.policy import is_silenced
from operations.outbox import NoticeKind

_PROJECTS = 10
_ITEMS = 5
_LINES = 8
"""So many of each kind at most: with buttons for each they fit into a message's 50 blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestCard:
    """All that the message shows; `chart` is the block that holds it, None when there is none."""

    report: DigestReport
    now: datetime
    chart: Block | None = None


def draw(card: DigestCard) -> Message:
    """The message, with every item as it stands now."""
    stored = card.report.stored
    digest, label = stored.digest, stored.label
    head = words.headline(digest, is_scheduled=stored.is_scheduled)
    ids = block_prefix(label, NoticeKind.CARD.value)
    return message(
        f"{words.circle(digest)} {one_line(head, 250)} ({label})",
        [
            _head(digest, head, f"{ids}head"),
            card.chart,
            *_projects(digest),
            *_groups("New errors", digest.errors.new, digest.errors.new_count, card),
            *_groups("Worst errors", digest.errors.worst, len(digest.errors.worst), card),
            *_open_alerts(card),
            *_tallies(digest),
            context(one_line(words.span_line(digest)), label, block_id=f"{ids}foot"),
        ],
    )


def draw_preview(digest: Digest) -> Message:
    """The private answer: what a digest would say now. What can be acted on has its own message elsewhere."""
    head = words.headline(digest, is_scheduled=False)
    return message(
        one_line(head, 250),
        [
            _head(digest, head, ""),
            *_projects(digest),
            _group_list("New errors", digest.errors.new),
            _group_list("Worst errors", digest.errors.worst),
            _alert_list(digest),
            *_tallies(digest),
            context(one_line(words.span_line(digest)), said("`digest now` posts it")),
        ],
    )


def posted(stored: StoredDigest) -> Message:
    """The private answer to the one who had it posted."""
    head = words.headline(stored.digest, is_scheduled=False)
    text = f"{stored.label} goes to <#{stored.channel}>: {one_line(head)}"
    return message(text, [section(text)])


def chart_block(file_id: str, digest: Digest) -> Block:
    """The picture that was uploaded."""
    return {
        "type": "image",
        "slack_file": {"id": file_id},
        "alt_text": words.chart_words(digest),
    }


def _head(digest: Digest, head: str, block_id: str) -> Block | None:
    late = words.late_line(digest)
    return section(
        f"{words.circle(digest)} {bold(head)}",
        f"⏳ {one_line(late)}" if late else "",
        one_line(words.errors_line(digest)),
        block_id=block_id,
    )


def _projects(digest: Digest) -> list[Block | None]:
    """Only with several projects: of a single one the totals say it."""
    found = digest.errors.projects
    if len(found) < 2:
        return []
    lines = [f"{bold(p.project, 80)} {words.project_line(p)}" for p in found[:_PROJECTS]]
    return [section("*Errors by project*", *lines, _more(len(found), _PROJECTS))]


def _groups(
    heading: str, groups: Sequence[GroupLine], count: int, card: DigestCard
) -> list[Block | None]:
    if not groups:
        return []
    shown = groups[:_ITEMS]
    blocks: list[Block | None] = [section(f"*{heading}*{_of(count, len(shown))}")]
    for group in shown:
        blocks += _group(group, card)
    return blocks


def _group(line: GroupLine, card: DigestCard) -> Iterable[Block | None]:
    group = card.report.groups.get(line.id)
    mark = mark_line(group, card.now) if group else "not kept any more"
    buttons = group_buttons(group, card.now, with_changes=False) if group else []
    ids = _ids(card, line.label)
    yield section(_group_text(line, group), mark, block_id=f"{ids}text")
    yield actions(*buttons, block_id=f"{ids}buttons")


def _group_text(line: GroupLine, group: ErrorGroup | None = None) -> str:
    title = group_title(group) if group else bold(line.title, TITLE_LIMIT)
    return f"{title} · {line.label} · {one_line(words.group_facts(line))}"


def _open_alerts(card: DigestCard) -> list[Block | None]:
    alerts = card.report.stored.digest.alerts
    if not alerts.open:
        return []
    shown = alerts.open[:_ITEMS]
    blocks: list[Block | None] = [section(f"*Open alerts*{_of(alerts.open_count, len(shown))}")]
    for alert in shown:
        blocks += _open_alert(alert, card)
    return blocks


def _open_alert(line: OpenAlert, card: DigestCard) -> Iterable[Block | None]:
    alert = card.report.alerts.get(line.id)
    ids = _ids(card, line.label)
    since = f"since {clock(line.since, card.now)}"
    yield section(
        dots(f"{line.label} {bold(line.name, 120)}", one_line(line.target_name, 130), since),
        _alert_mark(alert, card.now),
        block_id=f"{ids}text",
    )
    yield actions(_acknowledge(alert), block_id=f"{ids}buttons")


def _alert_mark(alert: Alert | None, now: datetime) -> str:
    if alert is None:
        return "Not kept any more"
    if not alert.is_open:
        by = f"⚪ Resolved by {person(alert.resolved_by)}" if alert.resolved_by else "🟢 Well again"
        return by
    silenced = ""
    if alert.silenced_until is not None and is_silenced(alert, now):
        silenced = f"🔕 Silenced until {clock(alert.silenced_until, now)}"
    looks = f"👀 {person(alert.acknowledged_by)} looks after it" if alert.acknowledged_by else ""
    return dots(looks, silenced)


def _acknowledge(alert: Alert | None) -> Block | None:
    if alert is None or not alert.is_open or alert.acknowledged_by is not None:
        return None
    value = ButtonValue(alert.id, alert.revision).encode()
    return button("Acknowledge", ActionId.ACKNOWLEDGE, value)


def _tallies(digest: Digest) -> list[Block | None]:
    failures = [f"🔴 {one_line(words.failure_line(r))}" for r in digest.rollouts.failures[-_LINES:]]
    below = words.below_full(digest)
    checks = [
        f"{one_line(u.name, 80)} {one_line(u.target_name, 100)}: {words.uptime_words(u)}"
        for u in below[:_LINES]
    ]
    hidden = _more(digest.rollouts.failed, _LINES)
    return [
        section(one_line(words.alerts_line(digest))),
        section(one_line(words.rollouts_line(digest)), *failures, hidden),
        _emergencies(digest),
        section(one_line(words.uptime_line(digest)), *checks, _more(len(below), _LINES)),
        context(words.UPTIME_MEANS) if below else None,
    ]


def _emergencies(digest: Digest) -> Block | None:
    found = digest.rollouts.unreviewed
    if not found:
        return None
    lines = [f"🟡 {one_line(words.emergency_line(r, digest.zone))}" for r in found[:_LINES]]
    return section(
        one_line(words.emergencies_line(digest)),
        *lines,
        _more(digest.rollouts.unreviewed_count, _LINES),
        said(f"`review {found[0].name}` says that you have looked at the first"),
    )


def _group_list(heading: str, groups: Sequence[GroupLine]) -> Block | None:
    lines = [_group_text(group) for group in groups[:_ITEMS]]
    return section(f"*{heading}*", *lines, _more(len(groups), _ITEMS)) if lines else None


def _alert_list(digest: Digest) -> Block | None:
    lines = [
        dots(f"{a.label} {bold(a.name, 120)}", one_line(a.target_name, 130))
        for a in digest.alerts.open[:_ITEMS]
    ]
    return (
        section("*Open alerts*", *lines, _more(digest.alerts.open_count, _ITEMS)) if lines else None
    )


def _ids(card: DigestCard, item: str) -> str:
    return f"{block_prefix(card.report.stored.label, NoticeKind.CARD.value)}{item}."


def _of(count: int, shown: int) -> str:
    return f" · the first {shown} of {count:,}" if count > shown else ""


def _more(count: int, shown: int) -> str:
    return f"_and {count - shown:,} more_" if count > shown else ""
