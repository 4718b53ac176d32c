"""An alert's one message that moves, and the reply in its thread at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from handlers.slack.ids import block_prefix
from handlers.slack.views.alert_words import choices, handling, headline, lasted, since_words
from handlers.slack.views.blocks import (
    Message,
    actions,
    bold,
    called,
    clock,
    context,
    dots,
    link,
    message,
    one_line,
    person,
    section,
)
from handlers.slack.views.choices import roll_back
from handlers.states import alert_words, concerned
from operations.deployment.rollout import Rollout
from operations.durations import say_duration
from operations.monitoring.alert import Alert
from operations.monitoring.grouping import AlertGroup
from operations.outbox import NoticeKind

_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCard:
    """All that a card shows. `addresses` by check's id are what is asked, for those that have an address.

    `rollout` is what went before; `can_roll_back` says whether that is what serves now, so that its
    button would work.
    """

    group: AlertGroup
    now: datetime
    addresses: Mapping[str, str] = field(default_factory=dict)
    rollout: Rollout | None = None
    can_roll_back: bool = False


def draw(card: AlertCard) -> Message:
    """The card as it is now."""
    group, now = card.group, card.now
    label = group.leader.label
    ids = f"{block_prefix(label, NoticeKind.CARD.value)}{group.revision}"
    can_roll_back = card.rollout and card.can_roll_back and group.leader.is_open
    way_back = roll_back(card.rollout, style="danger") if card.rollout and can_roll_back else None
    return message(
        summary(group),
        [
            section(
                headline(group),
                *_what_is_wrong(card),
                *handling(group, now),
                block_id=f"{ids}.head",
            ),
            context(_after_rollout(card), label, *_senders(group), block_id=f"{ids}.foot"),
            actions(*choices(group, now), way_back, block_id=f"{ids}.buttons"),
        ],
    )


def ended_reply(group: AlertGroup) -> Message:
    """Names who acknowledged it: an edit of the card notifies nobody."""
    alert = group.leader
    looks_after = alert.acknowledged_by
    told = person(looks_after) if looks_after and looks_after != alert.resolved_by else ""
    by = f"by {person(alert.resolved_by)}" if alert.resolved_by else ""
    line = " ".join(part for part in (told, headline(group)) if part)
    ids = block_prefix(alert.label, NoticeKind.ENDED.value)
    return message(
        summary(group),
        [section(dots(line, by, alert.label), block_id=f"{ids}{group.revision}")],
    )


def summary(group: AlertGroup) -> str:
    """One sentence for notifications and screen readers; it mentions nobody."""
    alert = group.leader
    sentence = f"{one_line(alert_words(group), 100)} · {one_line(alert.target_name, 60)}"
    if alert.is_open:
        reason = one_line(concerned(group)[0].reason, 100)
        sentence += f": {reason}" if reason else ""
        if alert.acknowledged_by is not None:
            sentence += f", {called(alert.acknowledged_by)} looks after it"
    else:
        sentence += lasted(alert)
    return f"{sentence} ({alert.label})"


def _what_is_wrong(card: AlertCard) -> list[str]:
    """One line; of several that share a cause one for each."""
    alerts = card.group.alerts
    if len(alerts) == 1:
        return [_one(alerts[0], card)]
    lines = [f"• {bold(alert.name, 60)} {_one(alert, card)}" for alert in alerts[:_LISTED]]
    hidden = len(alerts) - _LISTED
    return [*lines, f"• {hidden} more"] if hidden > 0 else lines


def _one(alert: Alert, card: AlertCard) -> str:
    if alert.is_open and alert.well_at is not None:
        return f"well again since {clock(alert.well_at, card.now)}"
    limit = 300 if len(card.group.alerts) == 1 else 140
    asked = _asked(card.addresses.get(alert.check_id, ""))
    reason = " ".join(part for part in (asked, one_line(alert.reason, limit)) if part)
    times = f"{alert.seen} times " if alert.seen > 1 else ""
    return dots(reason, f"{times}{_span(alert, card.now)}")


def _span(alert: Alert, now: datetime) -> str:
    if alert.resolved_at is None:
        return since_words(alert, now)
    since = clock(alert.since, now)
    return f"from {since} to {clock(alert.well_at or alert.resolved_at, now)}"


def _after_rollout(card: AlertCard) -> str:
    """`12 m after D-1042 (1.1.0, @Alice)`."""
    name, rollout = card.group.rollout, card.rollout
    if rollout is None:
        return f"after {one_line(name, 20)}" if name else ""
    named = (
        f"{rollout.name} ({one_line(rollout.release.version, 60)}, {person(rollout.requested_by)})"
    )
    since, ended_at = card.group.leader.since, rollout.ended_at
    if ended_at is None or since < ended_at:
        return f"during {named}"
    return f"{say_duration(since - ended_at)} after {named}"


def _senders(group: AlertGroup) -> list[str]:
    """The other systems that raised some of it, with a link to where they tell more."""
    sent = {alert.source: alert.url for alert in reversed(group.alerts) if alert.source}
    return [f"from {link(url, source.capitalize(), 60)}" for source, url in sent.items()]


def _asked(address: str) -> str:
    """Host and path, as a link where the address holds nothing that may be secret."""
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return ""
    words = f"{host}{parts.path if parts.path != '/' else ''}"
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme in {"http", "https"} and is_plain and host:
        return link(address, words, 150)
    return one_line(words, 150)
