"""A digest by mail: the same as in Slack, with the chart in it, and commands in place of buttons."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from handlers import digest_words as words
from handlers.mail.pages import Command, Heading, Image, Line, Page, Part, Table, line
from handlers.mail.subjects import Subject
from handlers.subjects import UnknownSubject
from operations.errors import InvalidRequest, ProviderError
from operations.letters import Picture, Tone
from operations.monitoring.digest.digest import Digest, GroupLine, StoredDigest, Uptime
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.ports import Painter
from operations.outbox import NoticeKind

_LOG = logging.getLogger("hms.mail.digest")
_CHART = "chart"
_PROJECTS = 50
_CHECKS = 20


class DigestLetters:
    """Digests as subjects of letters."""

    def __init__(self, digests: Digests, painter: Painter) -> None:
        self._digests = digests
        self._painter = painter

    def subject(self, digest_id: int) -> Subject:
        """One of them."""
        return _DigestSubject(self, digest_id)

    async def page(self, digest_id: int) -> Page:
        """With its chart, or without when that cannot be drawn; raises UnknownSubject."""
        try:
            stored = (await self._digests.show(digest_id)).stored
        except InvalidRequest as exc:
            raise UnknownSubject(exc.message, hint=exc.hint) from exc
        return draw(stored, await self._chart(stored))

    async def _chart(self, stored: StoredDigest) -> bytes:
        if not words.has_chart(stored.digest):
            return b""
        try:
            return await self._painter.paint(stored.digest)
        except ProviderError as exc:
            _LOG.warning("%s is mailed without its chart: %s", stored.label, exc.message)
            return b""


class _DigestSubject:
    """Implements `subjects.Subject`."""

    def __init__(self, letters: DigestLetters, digest_id: int) -> None:
        self._letters = letters
        self._digest_id = digest_id

    async def page(self, kind: NoticeKind) -> Page | None:
        """The digest; there is nothing else to tell of it."""
        return await self._letters.page(self._digest_id) if kind is NoticeKind.CARD else None


def draw(stored: StoredDigest, chart: bytes = b"") -> Page:
    """`chart` is a PNG, empty when there is none."""
    digest = stored.digest
    head = words.headline(digest, is_scheduled=stored.is_scheduled)
    return Page(
        title=f"{head} ({stored.label})",
        headline=f"{words.circle(digest)} {head}",
        tone=_tone(digest),
        parts=[
            line(words.late_line(digest)),
            line(words.errors_line(digest)),
            Image(_CHART, words.chart_words(digest)) if chart else None,
            *_projects(digest),
            *_groups("New errors", digest.errors.new),
            *_groups("Worst errors", digest.errors.worst),
            *_alerts(digest),
            *_rollouts(digest),
            *_emergencies(digest),
            *_checks(digest),
            Line(f"{words.span_line(digest)} · {stored.label}", small=True),
        ],
        pictures=(Picture(_CHART, chart),) if chart else (),
    )


def _tone(digest: Digest) -> Tone:
    if digest.alerts.open_count or digest.rollouts.failed:
        return Tone.BAD
    is_news = digest.errors.new_count or digest.rollouts.unreviewed_count
    return Tone.PLAIN if is_news else Tone.GOOD


def _projects(digest: Digest) -> list[Part]:
    found = digest.errors.projects
    if len(found) < 2:
        return []
    rows = [
        (p.project, f"{p.count:,}", f"{p.day_before:,}", f"{p.week_before:,}")
        for p in found[:_PROJECTS]
    ]
    return [
        Heading("Errors by project"),
        Table(("Project", "Errors", "The day before", "A week before"), rows),
        *_more(len(found), _PROJECTS),
    ]


def _groups(heading: str, groups: Sequence[GroupLine]) -> list[Part]:
    if not groups:
        return []
    told = [Line(f"{group.label} {group.title}\n{words.group_facts(group)}") for group in groups]
    return [
        Heading(heading),
        *told,
        Command("All about the first", f"hms-sys errors {groups[0].label}"),
    ]


def _alerts(digest: Digest) -> list[Part]:
    alerts = digest.alerts
    parts: list[Part] = [Heading("Alerts"), Line(words.alerts_line(digest))]
    parts += [Line(f"{a.label} {a.name} · {a.target_name} · open") for a in alerts.open]
    if alerts.open:
        parts.append(Command("Look after the first", f"hms-sys ack {alerts.open[0].label}"))
    return parts


def _rollouts(digest: Digest) -> list[Part]:
    failures = [Line(words.failure_line(rollout)) for rollout in digest.rollouts.failures]
    return [Heading("Rollouts"), Line(words.rollouts_line(digest)), *failures]


def _emergencies(digest: Digest) -> list[Part]:
    found = digest.rollouts.unreviewed
    if not found:
        return []
    return [
        Heading("Emergencies"),
        Line(words.emergencies_line(digest)),
        *(Line(words.emergency_line(rollout, digest.zone)) for rollout in found),
        Command("The first was looked at", f"hms-sys review {found[0].name}"),
    ]


def _checks(digest: Digest) -> list[Part]:
    below = words.below_full(digest)
    if not digest.uptimes:
        return []
    parts: list[Part] = [Heading("Checks"), Line(words.uptime_line(digest))]
    if below:
        parts += [Table(("Check", "Uptime"), [_check_row(u) for u in below[:_CHECKS]])]
        parts += [*_more(len(below), _CHECKS), Line(words.UPTIME_MEANS, small=True)]
    return parts


def _check_row(line: Uptime) -> tuple[str, str]:
    return f"{line.name} {line.target_name}", words.uptime_words(line)


def _more(count: int, shown: int) -> list[Part]:
    return [Line(f"and {count - shown:,} more")] if count > shown else []
