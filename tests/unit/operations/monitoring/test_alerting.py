"""What people do about alerts and checks, and what they are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from operations.actor import Actor, ActorKind
from operations.errors import InvalidRequest, NotPermitted, StaleDecision, UnknownTarget
from operations.monitoring.alert import AlertState
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import CheckRecord, CheckState
from operations.outbox import NoticeKind, Urgency
from tests.factories import ALICE, BOB, NOBODY, NOON
from tests.unit.operations.monitoring.lookouts import EVERY, Post, make_check, open_post

WRONG = "failing:answered 503, wanted 200"
HOUR = timedelta(hours=1)
WEB = make_check()
TARGET = make_check(id="myapp/prod:target", name="target")
STAGING = make_check(id="myapp/staging:web", environment="staging")
SITE = make_check(id="Site/prod:web", project="Site")

Deed = Callable[[Alerting, Actor], Awaitable[object]]
DEEDS: dict[str, Deed] = {
    "ack": lambda alerting, actor: alerting.acknowledge(1, actor),
    "silence": lambda alerting, actor: alerting.silence(1, actor, HOUR),
    "resolve": lambda alerting, actor: alerting.resolve(1, actor),
}
deeds = pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over four checks; the first one is failing, as A-1 tells."""
    async with open_post(tmp_path, WEB, TARGET, STAGING, SITE) as opened:
        await opened.ask(*[WRONG] * 3)
        await opened.told()
        yield opened


async def test_acknowledging_names_who_looks_after_it(post: Post) -> None:
    alert = await post.alerting.acknowledge(1, ALICE)

    assert alert.state is AlertState.ACKNOWLEDGED
    assert (alert.acknowledged_by, alert.acknowledged_at) == (ALICE, post.clock.now())
    assert await post.alerting.show(1) == alert
    event = (await post.events("A-1"))[-1]
    assert (event.action, event.actor) == ("alert.acknowledged", ALICE)


async def test_acknowledging_twice_tells_who_was_first(post: Post) -> None:
    await post.alerting.acknowledge(1, ALICE)

    with pytest.raises(StaleDecision, match="<@U01ALICE> looks after A-1 already"):
        await post.alerting.acknowledge(1, BOB)

    assert (await post.alerting.show(1)).acknowledged_by == ALICE


async def test_an_acknowledged_alert_ends_as_any_other(post: Post) -> None:
    await post.alerting.acknowledge(1, ALICE)

    await post.ask("ok", "ok")

    alert = await post.alerting.show(1)
    assert (alert.state, alert.acknowledged_by) == (AlertState.RESOLVED, ALICE)


async def test_silencing_lasts_as_long_as_was_said(post: Post) -> None:
    alert = await post.alerting.silence(1, ALICE, HOUR)

    assert (alert.silenced_by, alert.silenced_until) == (ALICE, post.clock.now() + HOUR)
    assert alert.state is AlertState.FIRING


@pytest.mark.parametrize("span", [timedelta(0), timedelta(seconds=-1), timedelta(days=31)])
async def test_a_silence_without_sense_is_refused(post: Post, span: timedelta) -> None:
    with pytest.raises(InvalidRequest, match="30 days"):
        await post.alerting.silence(1, ALICE, span)


@deeds
async def test_what_somebody_does_is_shown_at_once(post: Post, deed: Deed) -> None:
    await deed(post.alerting, ALICE)

    card = next(n for n in await post.told() if n.kind is NoticeKind.CARD)
    assert (card.subject, card.urgency) == ("A-1", Urgency.DECISION)


@deeds
async def test_after_the_end_nothing_can_be_done(post: Post, deed: Deed) -> None:
    await post.ask("ok", "ok")

    with pytest.raises(StaleDecision, match="A-1 is resolved already"):
        await deed(post.alerting, ALICE)


@deeds
async def test_a_login_that_nobody_maps_may_not(post: Post, deed: Deed) -> None:
    with pytest.raises(NotPermitted):
        await deed(post.alerting, NOBODY)

    assert (await post.alerting.show(1)).state is AlertState.FIRING


@deeds
async def test_a_mapped_login_counts_as_the_person(post: Post, deed: Deed) -> None:
    await deed(post.alerting, Actor(id="U01ALICE", kind=ActorKind.CLI, name="alice"))

    assert (await post.events("A-1"))[-1].actor.id == "U01ALICE"


async def test_an_alert_that_never_was_is_unknown(post: Post) -> None:
    with pytest.raises(InvalidRequest, match="no alert A-17"):
        await post.alerting.acknowledge(17, ALICE)
    with pytest.raises(InvalidRequest, match="no alert A-17"):
        await post.alerting.show(17)


async def test_resolving_ends_it_and_names_who_did(post: Post) -> None:
    alert = await post.alerting.resolve(1, ALICE)

    assert (alert.state, alert.resolved_by) == (AlertState.RESOLVED, ALICE)
    assert alert.resolved_at == post.clock.now()
    assert {n.kind for n in await post.told()} == {NoticeKind.CARD, NoticeKind.ENDED}


async def test_resolving_asks_the_check_to_prove_it_again(post: Post) -> None:
    await post.alerting.resolve(1, ALICE)

    record = await post.record()
    assert (record.state, record.bad) == (CheckState.UNKNOWN, 0)
    flip = (await post.flips())[-1]
    assert (flip.new, flip.reason) == (CheckState.UNKNOWN, "A-1 was resolved by hand")


async def test_resolved_by_hand_too_soon_it_fires_anew_after_as_many_misses(post: Post) -> None:
    await post.alerting.resolve(1, ALICE)
    resolved_at = post.clock.now()

    await post.ask(WRONG, WRONG)
    assert len(await post.alerts()) == 1
    await post.ask(WRONG)

    again = (await post.alerts())[-1]
    assert (again.label, again.state) == ("A-2", AlertState.FIRING)
    assert (again.since, again.seen) == (resolved_at, 3)


async def test_resolved_by_hand_and_well_again_it_stays_quiet(post: Post) -> None:
    await post.alerting.resolve(1, ALICE)
    await post.told()

    await post.ask("ok", "ok", "ok")

    assert len(await post.alerts()) == 1
    assert await post.told() == []


@pytest.mark.parametrize(
    ("where", "stopped"),
    [
        ((), [WEB, TARGET, STAGING, SITE]),
        (("myapp",), [WEB, TARGET, STAGING]),
        (("MyApp", "PROD"), [WEB, TARGET]),
        (("site",), [SITE]),
        (("", "staging"), [STAGING]),
    ],
)
async def test_checks_are_stopped_by_where_they_are(
    post: Post, where: tuple[str, ...], stopped: list[object]
) -> None:
    assert await post.alerting.stop(ALICE, *where) == stopped

    reports = await post.alerting.report()
    assert [r.check for r in reports if r.record.stopped_by == "U01ALICE"] == stopped


async def test_stopping_what_has_no_check_is_refused(post: Post) -> None:
    with pytest.raises(UnknownTarget, match="No check watches myapp/live"):
        await post.alerting.stop(ALICE, "myapp", "live")


async def test_a_login_that_nobody_maps_may_not_stop_checks(post: Post) -> None:
    with pytest.raises(NotPermitted):
        await post.alerting.stop(NOBODY)
    with pytest.raises(NotPermitted):
        await post.alerting.start(NOBODY)


async def test_stopping_and_starting_are_told_in_the_trail_once_each(post: Post) -> None:
    await post.alerting.stop(ALICE, "site")
    await post.alerting.stop(BOB, "site")
    await post.alerting.start(BOB, "site")
    await post.alerting.start(ALICE, "site")

    events = await post.events(SITE.id)
    assert [(e.action, e.actor.id) for e in events] == [
        ("check.stopped", "U01ALICE"),
        ("check.started", "U02BOB"),
    ]


async def test_misses_from_before_a_stop_do_not_count_after_it(post: Post) -> None:
    await post.ask(WRONG, WRONG, check=SITE)
    await post.alerting.stop(ALICE, "site")
    await post.alerting.start(ALICE, "site")

    await post.ask(WRONG, check=SITE)

    record = await post.record(SITE)
    assert (record.bad, record.first_bad_at) == (1, post.clock.now() - EVERY)


async def test_starting_what_runs_already_keeps_its_streak(post: Post) -> None:
    await post.ask(WRONG, WRONG, check=SITE)

    await post.alerting.start(ALICE)

    assert (await post.record(SITE)).bad == 2


async def test_a_stop_leaves_the_alert_open_until_it_is_well_or_resolved(post: Post) -> None:
    await post.alerting.stop(ALICE)
    assert (await post.alerting.show(1)).is_open

    await post.alerting.start(ALICE)
    await post.ask("ok", "ok")

    assert not (await post.alerting.show(1)).is_open


async def test_a_stop_outlasts_the_process(post: Post, tmp_path: Path) -> None:
    await post.alerting.stop(ALICE, "site")

    async with open_post(tmp_path, WEB, SITE) as anew:
        reports = await anew.alerting.report()

    assert [report.record.stopped_by for report in reports] == ["", "U01ALICE"]


async def test_the_report_has_every_check_with_its_record_and_alert(post: Post) -> None:
    web, target, staging, site = await post.alerting.report()

    assert (web.check, web.record.state) == (WEB, CheckState.FAILING)
    assert web.record.last is not None
    assert web.record.last.at == NOON + 2 * EVERY
    assert web.alert == await post.alerting.show(1)
    assert (target.check, target.record) == (TARGET, CheckRecord(check_id=TARGET.id))
    assert (staging.alert, site.alert) == (None, None)


async def test_the_report_can_be_of_one_target(post: Post) -> None:
    assert [r.check for r in await post.alerting.report("myapp", "staging")] == [STAGING]
    with pytest.raises(UnknownTarget):
        await post.alerting.report("nothing")
