"""Checks that nobody can ask, and checks that nobody asks any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.actor import SYSTEM
from operations.monitoring.alert import AlertState
from operations.monitoring.check import Check, CheckState
from operations.monitoring.policy import UNASKED_SPAN
from operations.monitoring.unwatched import end_unwatched
from operations.outbox import NoticeKind
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import Post, make_check, open_post, run_until

WRONG = "failing:answered 503, wanted 200"
UNHEARD = "inconclusive:could not ask: AWS does not answer"
WEB = make_check(failures=1, recoveries=1)
ERRORS = make_check(id="myapp/prod:errors", name="errors", failures=1, recoveries=1)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over two checks of one target."""
    async with open_post(tmp_path, WEB, ERRORS) as opened:
        yield opened


async def _unheard(post: Post, check: Check = WEB, *, span: timedelta = UNASKED_SPAN) -> None:
    """Nobody can ask it for so long."""
    await post.ask(UNHEARD, check=check)
    post.clock.time += span - check.every
    await post.ask(UNHEARD, check=check)


async def test_for_a_while_nobody_is_told(post: Post) -> None:
    await _unheard(post, span=UNASKED_SPAN - timedelta(seconds=1))

    assert await post.alerts() == []


async def test_after_a_quarter_of_an_hour_it_is_told_once(post: Post) -> None:
    await _unheard(post)
    [notice] = await post.told()
    await post.ask(UNHEARD, UNHEARD)

    [alert] = await post.alerts()
    assert (alert.is_unasked, alert.since, alert.seen) == (True, NOON, 1)
    assert alert.reason == "could not ask: AWS does not answer"
    assert notice.kind is NoticeKind.CARD
    assert await post.told() == []
    assert (await post.record()).state is CheckState.UNKNOWN


async def test_a_check_that_is_seldom_asked_has_ten_tries(tmp_path: Path) -> None:
    seldom = make_check(every=timedelta(minutes=5))
    async with open_post(tmp_path, seldom) as post:
        await _unheard(post, seldom, span=timedelta(minutes=49))
        assert await post.alerts() == []

        await post.ask(UNHEARD)

        assert len(await post.alerts()) == 1


async def test_an_answer_ends_it(post: Post) -> None:
    await _unheard(post)

    await post.ask("ok")

    [alert] = await post.alerts()
    assert (alert.state, alert.is_unasked) == (AlertState.RESOLVED, True)
    assert (await post.record()).unasked_since is None


async def test_an_answer_that_is_a_miss_ends_it_too_and_says_what_is_wrong(post: Post) -> None:
    await _unheard(post)

    await post.ask(WRONG)

    unasked, failing = await post.alerts()
    assert (unasked.is_unasked, unasked.is_open) == (True, False)
    assert (failing.is_unasked, failing.reason) == (False, "answered 503, wanted 200")


async def test_resolved_by_hand_the_span_begins_anew(post: Post) -> None:
    await _unheard(post)
    await post.alerting.resolve(1, ALICE)

    await post.ask(UNHEARD)

    assert len(await post.alerts()) == 1


async def test_what_is_failing_stays_so_when_nobody_can_ask(post: Post) -> None:
    await post.ask(WRONG)
    await _unheard(post)

    [alert] = await post.alerts()
    assert (alert.is_unasked, alert.is_open) == (False, True)
    assert alert.reason == "could not ask: AWS does not answer"


async def test_while_a_rollout_goes_on_nobody_wonders(post: Post) -> None:
    post.rollouts.name = "D-1042"
    await _unheard(post)
    assert await post.alerts() == []

    post.rollouts.name = ""
    await post.ask(UNHEARD)

    assert len(await post.alerts()) == 1


async def test_in_a_group_it_can_fail_after_it_answered(post: Post) -> None:
    await _unheard(post)
    await post.ask(WRONG, check=ERRORS)
    await post.ask("ok", WRONG)

    web, errors = await post.alerts()
    assert (web.is_unasked, web.is_well, web.is_open) == (False, False, True)
    assert errors.led_by == web.id


async def test_an_alert_of_a_check_that_is_gone_is_ended(post: Post) -> None:
    await post.ask(WRONG)
    await post.told()

    await end_unwatched([ERRORS.id], post.database.store, post.clock)

    [alert] = await post.alerts()
    assert (alert.state, alert.resolved_by) == (AlertState.RESOLVED, SYSTEM)
    assert alert.reason == "no longer watched"
    assert {n.kind for n in await post.told()} == {NoticeKind.CARD, NoticeKind.ENDED}
    assert (await post.record()).state is CheckState.UNKNOWN
    await end_unwatched([ERRORS.id], post.database.store, post.clock)
    assert await post.told() == []


async def test_what_is_watched_still_is_left_alone(post: Post) -> None:
    await post.ask(WRONG)

    await end_unwatched([WEB.id], post.database.store, post.clock)

    assert (await post.alerting.show(1)).is_open


async def test_the_loop_ends_them_as_it_begins(post: Post) -> None:
    await post.ask(WRONG)
    post.checks.remove(WEB)
    post.prober.script(ERRORS, "ok")

    async def is_ended() -> bool:
        return not (await post.alerting.show(1)).is_open

    await run_until([post.watch], is_ended)
