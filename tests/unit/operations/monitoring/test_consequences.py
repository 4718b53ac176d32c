"""An alert's life as answers write it, over SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.monitoring.alert import AlertState
from operations.monitoring.check import CheckState, Outcome
from operations.outbox import NoticeKind, Urgency
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import CHANNEL, EVERY, Post, make_check, open_post

WRONG = "failing:answered 503, wanted 200"


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over one check."""
    async with open_post(tmp_path) as opened:
        yield opened


async def test_two_misses_are_no_alert(post: Post) -> None:
    await post.ask("ok", WRONG, WRONG)

    assert await post.alerts() == []
    assert await post.told() == []


async def test_the_third_miss_fires_one_alert_with_its_beginning_and_count(post: Post) -> None:
    await post.ask("ok", WRONG, WRONG, WRONG)

    (alert,) = await post.alerts()
    assert alert.label == "A-1"
    assert (alert.state, alert.name, alert.target_name) == (AlertState.FIRING, "web", "myapp/prod")
    assert (alert.since, alert.seen) == (NOON + EVERY, 3)
    assert alert.reason == "answered 503, wanted 200"
    (notice,) = await post.told()
    assert (notice.subject, notice.kind, notice.channel) == ("A-1", NoticeKind.CARD, CHANNEL)
    assert notice.urgency is Urgency.FINAL
    assert [event.action for event in await post.events("A-1")] == ["alert.fired"]


async def test_every_flip_is_stored_before_anybody_is_told(post: Post) -> None:
    await post.ask("ok", WRONG, WRONG, WRONG, "ok", "ok")

    assert [flip.new for flip in await post.flips()] == [
        CheckState.OK,
        CheckState.FAILING,
        CheckState.OK,
    ]


async def test_more_misses_are_counted_on_the_same_alert(post: Post) -> None:
    await post.ask(*[WRONG] * 4, "failing:no answer within 5 s")

    (alert,) = await post.alerts()
    assert (alert.seen, alert.reason) == (5, "no answer within 5 s")


async def test_progress_moves_the_one_message(post: Post) -> None:
    await post.ask(*[WRONG] * 3)
    await post.told()

    await post.ask(WRONG)

    (notice,) = await post.told()
    assert (notice.kind, notice.urgency) == (NoticeKind.CARD, Urgency.PROGRESS)


@pytest.mark.parametrize("answer", ["ok", "inconclusive:could not ask"])
async def test_an_answer_that_is_no_miss_tells_nothing_new(post: Post, answer: str) -> None:
    await post.ask(*[WRONG] * 3)
    before = await post.alerts()
    await post.told()

    await post.ask(answer)

    assert await post.alerts() == before
    assert await post.told() == []


async def test_recovery_ends_the_alert_and_is_told_in_its_thread(post: Post) -> None:
    await post.ask(*[WRONG] * 3, "ok")
    await post.told()
    recovered_at = post.clock.now()

    await post.ask("ok")

    (alert,) = await post.alerts()
    assert (alert.state, alert.resolved_at) == (AlertState.RESOLVED, recovered_at)
    assert alert.resolved_by is None
    told = await post.told()
    assert {notice.kind for notice in told} == {NoticeKind.CARD, NoticeKind.ENDED}
    assert {notice.urgency for notice in told} == {Urgency.FINAL}
    assert (await post.events("A-1"))[-1].action == "alert.resolved"


async def test_failing_again_after_recovery_is_another_alert(post: Post) -> None:
    await post.ask(*[WRONG] * 3, "ok", "ok", *[WRONG] * 3)

    assert [alert.label for alert in await post.alerts()] == ["A-1", "A-2"]


async def test_a_silence_hides_progress(post: Post) -> None:
    await post.ask(*[WRONG] * 3)
    await post.alerting.silence(1, ALICE, timedelta(hours=1))
    await post.told()

    await post.ask(WRONG)

    assert await post.told() == []
    assert (await post.alerts())[0].seen == 4


async def test_progress_is_told_again_after_the_silence(post: Post) -> None:
    await post.ask(*[WRONG] * 3)
    await post.alerting.silence(1, ALICE, timedelta(hours=1))
    await post.told()
    post.clock.time += timedelta(hours=1)

    await post.ask(WRONG)

    assert [notice.subject for notice in await post.told()] == ["A-1"]


async def test_a_silence_does_not_hide_the_end(post: Post) -> None:
    await post.ask(*[WRONG] * 3)
    await post.alerting.silence(1, ALICE, timedelta(hours=1))
    await post.told()

    await post.ask("ok", "ok")

    assert {n.kind for n in await post.told()} == {NoticeKind.CARD, NoticeKind.ENDED}


async def test_a_check_that_goes_up_and_down_has_one_alert_that_says_so(post: Post) -> None:
    down_and_up = [*[WRONG] * 3, "ok", "ok"]
    await post.ask("ok", *down_and_up * 2)
    await post.told()

    await post.ask(*down_and_up * 3)

    alerts = await post.alerts()
    assert [alert.is_flapping for alert in alerts] == [False, False, True]
    assert alerts[-1].is_open
    assert {notice.kind for notice in await post.told()} == {NoticeKind.CARD}


async def test_flapping_that_shows_on_the_way_up_keeps_the_alert_open(post: Post) -> None:
    await post.ask(*[WRONG] * 3)
    post.clock.time += timedelta(hours=1)
    up_and_down = ["ok", "ok", *[WRONG] * 3]
    await post.ask(*up_and_down * 2)
    await post.told()

    await post.ask("ok", "ok")

    alert = (await post.alerts())[-1]
    assert alert.is_flapping
    assert alert.is_open
    assert len(await post.told()) == 1


async def test_flapping_ends_with_the_alert_once_it_has_been_quiet(post: Post) -> None:
    await post.ask("ok", *[*[WRONG] * 3, "ok", "ok"] * 3)
    post.clock.time += timedelta(hours=1)

    await post.ask("ok")

    assert (await post.alerts())[-1].state is AlertState.RESOLVED
    assert not (await post.record()).is_flapping


async def test_a_flapping_check_that_stays_down_is_called_failing_again(post: Post) -> None:
    await post.ask("ok", *[*[WRONG] * 3, "ok", "ok"] * 2, *[WRONG] * 3)
    assert (await post.alerts())[-1].is_flapping
    post.clock.time += timedelta(hours=1)

    await post.ask(WRONG)

    alert = (await post.alerts())[-1]
    assert alert.is_open
    assert not alert.is_flapping


async def test_a_rollout_on_the_target_is_named(post: Post) -> None:
    post.rollouts.name = "D-1042"

    await post.ask("ok", *[WRONG] * 4)

    (alert,) = await post.alerts()
    assert alert.rollout == "D-1042"
    assert post.rollouts.questions == [
        ("myapp", "prod", NOON + EVERY - timedelta(minutes=30)),
    ]


async def test_secrets_and_control_characters_of_outsiders_are_not_kept(post: Post) -> None:
    await post.ask(*["failing:\x1b[31mpassword=hunter2 \x00said the page"] * 3)

    (alert,) = await post.alerts()
    assert alert.reason == "password=[redacted] said the page"
    record = await post.record()
    assert record.last is not None
    assert record.last.detail == alert.reason


async def test_an_answer_that_comes_after_a_stop_is_dropped(post: Post) -> None:
    await post.ask(WRONG, WRONG)
    await post.alerting.stop(ALICE)

    await post.ask(WRONG)

    assert await post.alerts() == []
    assert (await post.record()).bad == 0


async def test_a_question_that_is_wrong_by_itself_is_told_too(post: Post) -> None:
    await post.ask(*["error:there is no such service"] * 3)

    (alert,) = await post.alerts()
    assert alert.reason == "there is no such service"
    record = await post.record()
    assert record.last is not None
    assert record.last.outcome is Outcome.ERROR


async def test_without_a_channel_the_alert_is_kept_and_nobody_told(tmp_path: Path) -> None:
    check = make_check(failures=1)
    async with open_post(tmp_path, check) as post:
        post.watch = post.new_watch(channel="")
        await post.ask(WRONG)

        assert len(await post.alerts()) == 1
        assert await post.told() == []
