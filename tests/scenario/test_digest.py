"""The day's digest as people meet it: told once, late when it must be, with items that can be acted on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from handlers.slack.digest_cards import DigestParts
from operations.errors import ProviderError, ProviderRejected
from operations.monitoring.alert import AlertDraft
from operations.monitoring.alerting import Alerting
from operations.monitoring.digest.digest import Digest
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.span import Plan
from tests.central_log import make_triage
from tests.contract.test_storage_errors import PLAIN
from tests.factories import ALICE, BOB
from tests.scenario.alarms import CHANNEL
from tests.scenario.office import Office, open_office
from tests.slack_blocks import all_text, labels
from tests.slack_files import PNG
from tests.slack_stand_in import Said, SlackStandIn, until
from tests.workshops import Engine, ShiftedClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
UTC_ZONE = ZoneInfo("UTC")


class PlainPainter:
    """Paints a picture that no eye would like."""

    def __init__(self) -> None:
        self.fails: ProviderError | None = None
        self.painted = 0

    async def paint(self, digest: Digest) -> bytes:
        """A PNG by its first bytes."""
        if self.fails is not None:
            raise self.fails
        self.painted += 1
        return PNG + b"made up"


class Morning:
    """A bot on the morning of a day with trouble in it: E-1 is new, E-2 is old and loud, A-1 is open."""

    def __init__(self, office: Office, digests: Digests, plan: Plan, painter: PlainPainter) -> None:
        self.office = office
        self.digests = digests
        self.painter = painter
        self._plan = plan

    async def begin(self) -> None:
        """Yesterday's digest was made, as far as the database knows."""
        now = self.office.engine.clock.now()
        before = self._plan.newest_due(now) - timedelta(days=1)
        async with self.office.engine.database.store.transaction() as tx:
            await tx.digests.begin(before.isoformat(), now)

    async def make_trouble(self) -> None:
        """What the digest will tell."""
        now = self.office.engine.clock.now()
        at = now - 2 * HOUR
        old = replace(PLAIN, fingerprint="old", title="KeyError: 'discount'")
        async with self.office.engine.database.store.transaction() as tx:
            fresh = await tx.groups.add(replace(PLAIN, first_seen=at, last_seen=at))
            known = await tx.groups.add(replace(old, first_seen=at - 90 * HOUR, last_seen=at))
            await tx.counts.count({fresh.id: {at: 3}, known.id: {at: 40}})
            await tx.counts.count_targets({("myapp", "prod"): {at: 43, at - 24 * HOUR: 20}})
            await tx.alerts.add(make_draft(now - HOUR))

    async def card(self) -> Said:
        """The digest's message, once it is there."""
        return await self.office.card("Digest: ", CHANNEL)


def make_draft(at: datetime) -> AlertDraft:
    return AlertDraft(
        check_id="myapp/prod:web",
        name="web",
        project="myapp",
        environment="prod",
        channel=CHANNEL,
        since=at,
        seen=3,
        reason="answered 503, wanted 200",
        is_flapping=False,
        rollout="",
        fired_at=at,
    )


@asynccontextmanager
async def open_morning(
    tmp_path: Path, slack: SlackStandIn, *, native: bool = False, later: timedelta = timedelta(0)
) -> AsyncIterator[Morning]:
    """The digest is due a minute ago; `later`: the process starts so long after."""
    due = ShiftedClock().now() - MINUTE
    plan = Plan(CHANNEL, due.time().replace(second=0, microsecond=0, tzinfo=None), UTC_ZONE)
    made: list[Digests] = []
    painter = PlainPainter()

    def parts(engine: Engine) -> DigestParts:
        engine.clock.ahead = later
        made.append(Digests(plan=plan, checks=(), store=engine.database.store, clock=engine.clock))
        return DigestParts(digests=made[0], painter=painter, native_charts=native)

    async with open_office(tmp_path, slack, digests=parts) as office:
        yield Morning(office, made[0], plan, painter)


@pytest.fixture
async def morning(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[Morning]:
    """With trouble in it."""
    async with open_morning(tmp_path, slack) as opened:
        await opened.begin()
        await opened.make_trouble()
        yield opened


def item(card: Said, name: str) -> Said:
    """One item of a digest, to be pressed by itself."""
    blocks = [b for b in card.blocks if f".{name}." in str(b.get("block_id", ""))]
    return replace(card, blocks=blocks)


def shown(card: Said) -> str:
    return all_text(card.blocks)


def kinds(card: Said) -> list[object]:
    return [block["type"] for block in card.blocks]


async def test_it_is_told_once_in_its_channel_with_all_that_the_day_brought(
    morning: Morning,
) -> None:
    await morning.digests.make_due()
    card = await morning.card()
    await morning.digests.make_due()
    await morning.office.quiet()

    assert len(morning.office.slack.cards(CHANNEL)) == 1
    assert "→ 1 alert open, 1 new error" in card.text
    assert "Errors: 43, 115 % more than the day before, none a week before" in shown(card)
    assert "TimeoutError: no answer* · E-1 · 3 times · myapp/prod" in shown(card)
    assert "KeyError: 'discount'* · E-2 · 40 times" in shown(card)
    assert "A-1 *web* · myapp/prod" in shown(card)
    assert "Alerts: 1 fired, 0 acknowledged, 0 resolved, 1 open" in shown(card)
    assert "late" not in shown(card)
    assert labels(card.blocks) == ["Resolve", "Silence 1h", "Resolve", "Silence 1h", "Acknowledge"]
    assert morning.office.slack.refused == []


async def test_its_chart_is_uploaded_and_shown_once_slack_has_processed_it(
    morning: Morning,
) -> None:
    await morning.digests.make_due()
    card = await morning.card()
    await until(lambda: "image" in kinds(card))

    [image] = [block for block in card.blocks if block["type"] == "image"]
    assert image["slack_file"] == {"id": "F01"}
    assert "Errors per hour: 0 to 43" in str(image["alt_text"])
    assert morning.office.slack.calls.count("files.info") == 2
    assert morning.office.slack.files.kept["F01"].name == "G-2.png"
    [reply] = morning.office.slack.thread(card)
    assert morning.office.slack.files.kept["F01"].channel == reply.channel == CHANNEL
    assert morning.office.slack.refused == []


async def test_late_it_says_so_and_why(tmp_path: Path, slack: SlackStandIn) -> None:
    async with open_morning(tmp_path, slack) as before:
        await before.begin()
    async with open_morning(tmp_path, slack, later=50 * HOUR) as morning:
        await morning.digests.make_due()
        card = await morning.card()

        assert "2 h 1 m late: HMS-SYS was not running. The 2 before it were not made." in shown(
            card
        )


async def test_resolving_one_error_marks_it_and_leaves_the_others(morning: Morning) -> None:
    await morning.digests.make_due()
    card = await morning.card()
    await morning.office.quiet()

    await morning.office.press("Resolve", item(card, "E-1"), BOB)
    await until(lambda: "resolved by <@U02BOB>" in shown(card))

    assert labels(card.blocks) == ["Resolve", "Silence 1h", "Acknowledge"]
    assert "image" in kinds(card)
    assert morning.painter.painted == 1
    assert "E-2 · 40 times" in shown(card)
    assert morning.office.slack.refused == []


async def test_acknowledging_an_alert_marks_it_in_the_digest(morning: Morning) -> None:
    await morning.digests.make_due()
    card = await morning.card()

    await morning.office.press("Acknowledge", item(card, "A-1"), BOB)
    await until(lambda: "<@U02BOB> looks after it" in shown(card))

    assert "Acknowledge" not in labels(card.blocks)
    assert labels(card.blocks).count("Resolve") == 2


async def test_a_click_that_comes_too_late_is_answered_and_the_digest_brought_up_to_date(
    morning: Morning,
) -> None:
    await morning.digests.make_due()
    card = await morning.card()
    stale = item(card, "A-1")
    await morning.office.press("Acknowledge", stale, BOB)
    await until(lambda: "looks after it" in shown(card))

    await morning.office.press("Acknowledge", stale, ALICE)
    await until(lambda: any(p.user == ALICE.id for p in morning.office.slack.private))

    assert "<@U02BOB> looks after A-1 already" in morning.office.told(ALICE)


async def test_while_slack_is_down_it_waits_and_is_told_once(morning: Morning) -> None:
    morning.office.slack.is_down = True
    await morning.digests.make_due()
    await until(lambda: "chat.postMessage" in morning.office.slack.calls)
    assert morning.office.slack.messages == []

    morning.office.slack.is_down = False
    card = await morning.card()
    await morning.office.quiet()

    await until(lambda: "image" in kinds(card))
    assert len(morning.office.slack.cards(CHANNEL)) == 1


@pytest.mark.parametrize("trouble", ["painter", "upload", "scope"])
async def test_without_its_chart_it_is_told_all_the_same(morning: Morning, trouble: str) -> None:
    spoil: dict[str, Callable[[], object]] = {
        "painter": lambda: setattr(morning.painter, "fails", ProviderRejected("no colours")),
        "upload": lambda: setattr(morning.office.slack.files, "refuses_uploads", 9),
        "scope": lambda: morning.office.slack.scopes_missing.add("files.completeUploadExternal"),
    }
    spoil[trouble]()

    await morning.digests.make_due()
    card = await morning.card()
    if trouble != "upload":  # which may work later, and is tried again
        await morning.office.quiet()

    assert "image" not in kinds(card)
    assert "Errors: 43" in shown(card)
    assert labels(card.blocks).count("Resolve") == 2


async def test_a_picture_that_slack_refuses_costs_the_picture_only(morning: Morning) -> None:
    stored = await morning.digests.post_now(ALICE)
    await morning.digests.remember_picture(stored.id, "F99")

    await morning.card()
    await until(lambda: "image" not in kinds(morning.office.slack.cards(CHANNEL)[0]))

    assert labels(morning.office.slack.cards(CHANNEL)[0].blocks).count("Resolve") == 2


async def test_slacks_own_chart_takes_the_pictures_place(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    slack.takes_native_charts = True
    async with open_morning(tmp_path, slack, native=True) as morning:
        await morning.begin()
        await morning.make_trouble()
        await morning.digests.make_due()
        card = await morning.card()
        await morning.office.quiet()

        assert "data_visualization" in kinds(card)
        assert slack.refused == []
        assert morning.painter.painted == 0


async def test_a_slack_without_a_chart_of_its_own_gets_the_picture(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    async with open_morning(tmp_path, slack, native=True) as morning:
        await morning.begin()
        await morning.make_trouble()
        await morning.digests.make_due()
        card = await morning.card()

        await until(lambda: "image" in kinds(card))
        assert "data_visualization" not in kinds(card)


async def test_anybody_may_read_one_which_tells_nobody_else(morning: Morning) -> None:
    said = await morning.office.say("digest", BOB)

    assert "1 alert open, 1 new error" in said
    assert "`/hms digest now` posts it" in said
    assert morning.office.slack.messages == []
    assert morning.office.slack.refused == []


async def test_one_is_posted_when_a_person_asks(morning: Morning) -> None:
    said = await morning.office.say("digest now")
    card = await morning.card()

    assert f"G-2 goes to <#{CHANNEL}>" in said
    assert "→ 1 alert open, 1 new error" in card.text


async def test_without_a_channel_for_digests_none_is_posted(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    async with open_office(tmp_path, slack) as office:
        assert "Digests are not made here" in await office.say("digest now")


async def test_what_is_acted_on_elsewhere_is_marked_in_the_digest(morning: Morning) -> None:
    """The picture is not uploaded again, and nothing is posted anew."""
    await morning.digests.make_due()
    card = await morning.card()
    await morning.office.quiet()
    engine = morning.office.engine
    triage = make_triage(engine.database, engine.deployments.inquiries, engine.clock)
    alerting = Alerting(checks=(), store=engine.database.store, clock=engine.clock)

    await triage.resolve(1, BOB)
    await alerting.acknowledge(1, ALICE)

    await until(lambda: "✅ resolved by <@U02BOB>" in shown(card))
    await until(lambda: "👀 <@U01ALICE> looks after it" in shown(card))
    assert morning.painter.painted == 1
    await morning.office.quiet()
    assert [m for m in morning.office.slack.messages if m.text.startswith(card.text[:20])] == [card]


async def test_a_digest_that_somebody_deleted_stays_away(morning: Morning) -> None:
    """Acting on what it named is no reason to post it again."""
    await morning.digests.make_due()
    card = await morning.card()
    await morning.office.quiet()
    morning.office.slack.forget(card)
    before = len(morning.office.slack.messages)

    engine = morning.office.engine
    await make_triage(engine.database, engine.deployments.inquiries, engine.clock).resolve(1, BOB)
    await morning.office.quiet()

    assert len(morning.office.slack.messages) == before
