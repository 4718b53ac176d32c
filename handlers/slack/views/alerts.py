"""An alert's one message that moves, and the reply in its thread at the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from handlers.slack.ids import ActionId, ButtonValue, block_prefix
from handlers.slack.views.blocks import (
    Block,
    Message,
    actions,
    bold,
    button,
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
from handlers.states import alert_circle, alert_words
from operations.deployment.rollout import Rollout
from operations.durations import say_duration
from operations.monitoring.alert import Alert
from operations.monitoring.policy import is_silenced
from operations.outbox import NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCard:
    """All that a card shows. `address` is what is asked ("" the platform), `rollout` what went before.

    `can_roll_back` says whether that rollout is what serves now, so that its button would work.
    """

    alert: Alert
    now: datetime
    address: str = ""
    rollout: Rollout | None = None
    can_roll_back: bool = False


def draw(card: AlertCard) -> Message:
    """The card as it is now."""
    alert = card.alert
    ids = f"{block_prefix(alert.label, NoticeKind.CARD.value)}{alert.revision}"
    return message(
        summary(alert),
        [
            section(
                _headline(alert), _what_is_wrong(card), *_handling(card), block_id=f"{ids}.head"
            ),
            context(_after_rollout(card), alert.label, block_id=f"{ids}.foot"),
            actions(*_choices(card), block_id=f"{ids}.buttons"),
        ],
    )


def ended_reply(alert: Alert) -> Message:
    """Names who acknowledged it: an edit of the card notifies nobody."""
    looks_after = alert.acknowledged_by
    told = person(looks_after) if looks_after and looks_after != alert.resolved_by else ""
    by = f"by {person(alert.resolved_by)}" if alert.resolved_by else ""
    line = " ".join(part for part in (told, _headline(alert)) if part)
    ids = block_prefix(alert.label, NoticeKind.ENDED.value)
    return message(
        summary(alert),
        [section(dots(line, by, alert.label), block_id=f"{ids}{alert.revision}")],
    )


def summary(alert: Alert) -> str:
    """One sentence for notifications and screen readers; it mentions nobody."""
    sentence = f"{alert_words(alert)}: {_where(alert)}"
    if alert.is_open:
        sentence += f": {one_line(alert.reason, 120)}" if alert.reason.strip() else ""
        if alert.acknowledged_by is not None:
            sentence += f", {called(alert.acknowledged_by)} looks after it"
    else:
        sentence += _lasted(alert)
    return f"{sentence} ({alert.label})"


def _headline(alert: Alert) -> str:
    words = bold(f"{alert_words(alert)}: {alert.name}", 120)
    return dots(f"{alert_circle(alert)} {words}{_lasted(alert)}", one_line(alert.target_name, 130))


def _lasted(alert: Alert) -> str:
    return f" after {say_duration(alert.resolved_at - alert.since)}" if alert.resolved_at else ""


def _where(alert: Alert) -> str:
    return f"{one_line(alert.name, 60)} · {one_line(alert.target_name, 60)}"


def _what_is_wrong(card: AlertCard) -> str:
    alert = card.alert
    reason = " ".join(part for part in (_asked(card.address), one_line(alert.reason, 300)) if part)
    times = f"{alert.seen} times " if alert.seen > 1 else ""
    since = clock(alert.since, card.now)
    if alert.resolved_at is not None:
        span = f"from {since} to {clock(alert.resolved_at, card.now)}"
    else:
        span = f"since {since} ({say_duration(card.now - alert.since)})"
    return dots(reason, f"{times}{span}")


def _handling(card: AlertCard) -> list[str]:
    """Who does what about it."""
    alert, now = card.alert, card.now
    lines = []
    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        at = clock(alert.acknowledged_at, now)
        lines.append(f"👀 Acknowledged by {person(alert.acknowledged_by)} · {at}")
    if alert.is_open and alert.silenced_until is not None and is_silenced(alert, now):
        by = f" by {person(alert.silenced_by)}" if alert.silenced_by else ""
        lines.append(f"🔕 Silenced until {clock(alert.silenced_until, now)}{by}")
    if alert.resolved_by is not None:
        lines.append(f"Resolved by {person(alert.resolved_by)}")
    return lines


def _after_rollout(card: AlertCard) -> str:
    """`12 m after D-1042 (1.1.0, @Alice)`."""
    alert, rollout = card.alert, card.rollout
    if rollout is None:
        return f"after {one_line(alert.rollout, 20)}" if alert.rollout else ""
    named = (
        f"{rollout.name} ({one_line(rollout.release.version, 60)}, {person(rollout.requested_by)})"
    )
    ended_at = rollout.ended_at
    if ended_at is None or alert.since < ended_at:
        return f"during {named}"
    return f"{say_duration(alert.since - ended_at)} after {named}"


def _choices(card: AlertCard) -> list[Block | None]:
    """None on what is over; of the rest those that would change something."""
    alert = card.alert
    if not alert.is_open:
        return []
    value = ButtonValue(alert.id, alert.revision).encode()
    return [
        None
        if alert.acknowledged_by
        else button("Acknowledge", ActionId.ACKNOWLEDGE, value, style="primary"),
        None if is_silenced(alert, card.now) else button("Silence 1h", ActionId.SILENCE, value),
        button("Resolve", ActionId.RESOLVE, value),
        roll_back(card.rollout, style="danger") if card.rollout and card.can_roll_back else None,
    ]


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
