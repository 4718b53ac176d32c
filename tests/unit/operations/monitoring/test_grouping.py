"""Alerts that share a cause: one message, one end, and nobody's end lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from operations.errors import StaleDecision
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.check import CheckState
from operations.monitoring.grouping import SHARES_CAUSE, AlertGroup, gather, leader_for, recover
from operations.monitoring.policy import FLAPPING_SPAN
from operations.outbox import NoticeKind, Urgency
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import ALICE, BOB, NOON
from tests.unit.operations.monitoring.lookouts import (
    NoRollouts,
    Post,
    ScriptedProber,
    SteppedClock,
    make_check,
    open_post,
)

MINUTE = timedelta(minutes=1)
WRONG = "failing:answered 503, wanted 200"
WEB, ERRORS, TARGET = (
    make_check(id=f"myapp/prod:{name}", name=name, failures=1, recoveries=1)
    for name in ("web", "errors", "target")
)
ELSEWHERE = make_check(id="shop/prod:web", project="shop", failures=1)


def make_alert(number: int, **changes: object) -> Alert:
    """A-NUMBER, fired at noon."""
    plain = Alert(
        id=number,
        check_id=f"myapp/prod:{number}",
        name="web",
        project="myapp",
        environment="prod",
        channel="C02OPS",
        state=AlertState.FIRING,
        since=NOON,
        seen=1,
        reason="answered 503, wanted 200",
        fired_at=NOON,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over three checks of one target, and one of another."""
    async with open_post(tmp_path, WEB, ERRORS, TARGET, ELSEWHERE) as opened:
        yield opened


@pytest.mark.parametrize(
    ("minutes", "leader"), [(0, 1), (5, 1), (5.1, None)], ids=["at once", "soon", "too late"]
)
def test_what_begins_within_five_minutes_shares_the_cause(
    minutes: float, leader: int | None
) -> None:
    found = leader_for([make_alert(1)], NOON + minutes * MINUTE)

    assert (found.id if found else None) == leader


def test_open_alerts_are_gathered_by_the_message_that_tells_of_them() -> None:
    other, led = make_alert(2), make_alert(3, led_by=1)

    assert gather([led, other, make_alert(1)]) == [
        AlertGroup(make_alert(1), (led,)),
        AlertGroup(other),
    ]


def test_step_by_step_it_stays_one_cause() -> None:
    chain = [make_alert(1), make_alert(2, led_by=1, fired_at=NOON + 4 * MINUTE)]

    found = leader_for(chain, NOON + 8 * MINUTE)

    assert found == chain[0]
    assert leader_for(chain[:1], NOON + 8 * MINUTE) is None


def test_of_two_groups_the_newer_one_takes_it() -> None:
    two = [make_alert(1), make_alert(2, fired_at=NOON + SHARES_CAUSE)]

    assert leader_for(two, NOON + SHARES_CAUSE) == two[1]


def test_the_first_of_two_that_is_well_ends_nothing() -> None:
    group = AlertGroup(make_alert(1), (make_alert(2, led_by=1),))

    [changed] = recover(group, group.leader, NOON)

    assert (changed.id, changed.is_open, changed.well_at) == (1, True, NOON)


def test_the_last_that_is_well_ends_all() -> None:
    group = AlertGroup(make_alert(1, well_at=NOON), (make_alert(2, led_by=1),))

    changed = recover(group, group.others[0], NOON + MINUTE)

    assert [(a.id, a.state, a.resolved_at) for a in changed] == [
        (1, AlertState.RESOLVED, NOON + MINUTE),
        (2, AlertState.RESOLVED, NOON + MINUTE),
    ]


async def test_what_fails_together_is_told_in_one_message(post: Post) -> None:
    for check in (WEB, ERRORS, ELSEWHERE):
        await post.ask(WRONG, check=check)

    assert [alert.led_by for alert in await post.alerts()] == [None, 1, None]
    told = Counter((n.subject, n.kind) for n in await post.told())
    assert told == Counter([("A-1", NoticeKind.CARD), ("A-3", NoticeKind.CARD)])


async def test_that_more_fails_is_told_at_once_also_in_a_silence(post: Post) -> None:
    await post.ask(WRONG, check=WEB)
    await post.alerting.silence(1, ALICE, timedelta(hours=1))
    await post.told()

    await post.ask(WRONG, check=ERRORS)

    [notice] = await post.told()
    assert (notice.subject, notice.urgency) == ("A-1", Urgency.DECISION)
    assert (await post.alerting.show(2)).silenced_by == ALICE


async def test_what_fails_much_later_has_a_message_of_its_own(post: Post) -> None:
    await post.ask(WRONG, check=WEB)
    post.clock.time += timedelta(minutes=10)

    await post.ask(WRONG, check=ERRORS)

    assert {n.subject for n in await post.told()} == {"A-1", "A-2"}


async def test_the_end_is_told_once_when_all_are_well(post: Post) -> None:
    await post.ask(WRONG, check=WEB)
    await post.ask(WRONG, check=ERRORS)
    await post.told()

    await post.ask("ok", check=WEB)
    assert {n.kind for n in await post.told()} == {NoticeKind.CARD}
    assert (await post.alerting.show(1)).is_open
    await post.ask("ok", check=ERRORS)

    assert {(n.subject, n.kind) for n in await post.told()} == {
        ("A-1", NoticeKind.CARD),
        ("A-1", NoticeKind.ENDED),
    }
    assert [alert.is_open for alert in await post.alerts()] == [False, False]


async def test_what_was_well_and_fails_again_goes_on_in_the_same_message(post: Post) -> None:
    for answer, check in [(WRONG, WEB), (WRONG, ERRORS), ("ok", WEB), (WRONG, WEB), ("ok", ERRORS)]:
        await post.ask(answer, check=check)

    web, errors = await post.alerts()
    assert (web.is_well, web.seen, errors.is_well) == (False, 2, True)
    assert web.is_open


async def test_a_check_that_is_well_is_reported_so_while_others_are_not(post: Post) -> None:
    await post.ask(WRONG, check=WEB)
    await post.ask(WRONG, check=ERRORS)
    await post.ask("ok", check=WEB)

    web, errors, *_ = await post.alerting.report()

    assert web.alert is None
    assert errors.alert is not None


@pytest.mark.parametrize("alert_id", [1, 2], ids=["leader", "member"])
async def test_people_act_on_all_by_acting_on_one(post: Post, alert_id: int) -> None:
    await post.ask(WRONG, check=WEB)
    await post.ask(WRONG, check=ERRORS)

    acknowledged = await post.alerting.acknowledge(alert_id, ALICE)
    with pytest.raises(StaleDecision, match="looks after A-1 already"):
        await post.alerting.acknowledge(3 - alert_id, BOB)
    resolved = await post.alerting.resolve(alert_id, BOB)

    assert (acknowledged.label, resolved.label) == ("A-1", "A-1")
    assert {a.acknowledged_by for a in await post.alerts()} == {ALICE}
    assert {a.resolved_by for a in await post.alerts()} == {BOB}
    assert [(await post.record(c)).state for c in (WEB, ERRORS)] == [CheckState.UNKNOWN] * 2


class Model:
    """Three checks of one target in the hands of hypothesis, and what people have been told."""

    def __init__(self, database: Database, number: int) -> None:
        clock = SteppedClock()
        self.checks = [
            make_check(
                id=f"p{number}/prod:{name}",
                name=name,
                project=f"p{number}",
                failures=1,
                recoveries=1,
            )
            for name in ("web", "errors", "target")
        ]
        self.post = Post(self.checks, database, clock, ScriptedProber(clock), NoRollouts())
        self.ends: Counter[str] = Counter()
        self.cards: Counter[str] = Counter()
        self.mine: list[int] = []

    async def step(self, deed: str, which: int) -> None:
        """One thing happens."""
        post, alerting = self.post, self.post.alerting
        chosen = self.mine[which % len(self.mine)] if self.mine else 0
        try:
            match deed:
                case "fail" | "ok":
                    answer = WRONG if deed == "fail" else "ok"
                    await post.ask(answer, check=self.checks[which])
                case "wait":
                    post.clock.time += (which + 1) * 3 * MINUTE
                case "ack" if chosen:
                    await alerting.acknowledge(chosen, ALICE)
                case "silence" if chosen:
                    await alerting.silence(chosen, ALICE, timedelta(hours=1))
                case "resolve" if chosen:
                    await alerting.resolve(chosen, ALICE)
        except StaleDecision:
            pass  # it is over, or somebody looks after it already
        await self._listen()

    async def _listen(self) -> None:
        for notice in await self.post.told():
            kinds = self.ends if notice.kind is NoticeKind.ENDED else self.cards
            kinds[notice.subject] += 1
        self.mine = [a.id for a in await self.alerts()]

    async def alerts(self) -> list[Alert]:
        """All of this target there ever were."""
        return [a for a in await self.post.alerts() if a.project == self.checks[0].project]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all examples."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def database(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all examples: each has a target of its own."""
    opened = runner.run(open_sqlite(tmp_path_factory.mktemp("groups"), clock=SteppedClock()))
    yield opened
    runner.run(opened.close())


numbers = count(1)
deeds = st.tuples(
    st.sampled_from(["fail", "fail", "ok", "wait", "ack", "silence", "resolve"]),
    st.integers(0, 2),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(deeds, max_size=14))
@example(history=[("fail", 0), ("ok", 0)] * 4)
def test_whatever_happens_each_group_is_one_message_whose_end_is_told_once(
    runner: asyncio.Runner, database: Database, history: list[tuple[str, int]]
) -> None:
    async def live() -> None:
        model = Model(database, next(numbers))
        for deed, which in history:
            await model.step(deed, which)
            records = [await model.post.record(check) for check in model.checks]
            failing = {r.check_id for r in records if r.state is CheckState.FAILING}
            flapping = {r.check_id for r in records if r.is_flapping}
            open_now = {a.check_id for a in await model.alerts() if a.is_open and not a.is_well}
            assert failing <= open_now, "whoever fails is told"
            assert open_now <= failing | flapping, "and nobody else"
        model.post.clock.time += FLAPPING_SPAN  # what changed its mind too often is quiet by then
        for which in range(3):
            await model.step("ok", which)
        alerts = await model.alerts()
        leaders = [alert for alert in alerts if alert.led_by is None]
        assert not any(alert.is_open for alert in alerts)
        assert model.ends == Counter(alert.label for alert in leaders)
        assert set(model.cards) == {alert.label for alert in leaders}
        ended = {alert.id: alert.resolved_at for alert in leaders}
        assert all(a.resolved_at == ended[a.led_by] for a in alerts if a.led_by)

    runner.run(live())
