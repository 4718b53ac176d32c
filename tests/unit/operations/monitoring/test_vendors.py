"""What other systems say: each episode is one alert, whatever comes twice, late or in the wrong order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product
from pathlib import Path

import pytest

from operations.monitoring.alert import Alert
from operations.monitoring.vendors import VendorAlert, VendorAlerts
from operations.outbox import NoticeKind
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import CHANNEL, Post, make_check, open_post

HOUR = timedelta(hours=1)
FIRING = VendorAlert(
    source="alertmanager",
    key="b58c7c9d",
    name="HighLatency",
    project="myapp",
    environment="prod",
    is_firing=True,
    reason="p99 over 2 s for 10 minutes",
    since=NOON,
    url="https://prometheus.example.com/graph",
)
ENDED = replace(FIRING, is_firing=False)
AGAIN = replace(FIRING, since=NOON + HOUR)
WRONG = "failing:answered 503, wanted 200"


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over one check, beside another system."""
    async with open_post(tmp_path, make_check(failures=1, recoveries=1)) as opened:
        opened.clock.time = NOON + timedelta(minutes=1)
        yield opened


async def hear(post: Post, *said: VendorAlert) -> list[Alert]:
    """What becomes of it."""
    vendors = VendorAlerts(
        store=post.database.store, surroundings=post.rollouts, clock=post.clock, channel=CHANNEL
    )
    await vendors.receive(said)
    return await post.alerts()


async def test_it_fires_as_our_own_do(post: Post) -> None:
    post.rollouts.name = "D-1042"

    [alert] = await hear(post, FIRING)

    assert (alert.source, alert.check_id) == ("alertmanager", "alertmanager:b58c7c9d")
    assert (alert.name, alert.reason) == ("HighLatency", "p99 over 2 s for 10 minutes")
    assert (alert.since, alert.fired_at) == (NOON, post.clock.now())
    assert (alert.rollout, alert.url) == ("D-1042", FIRING.url)
    assert [(n.subject, n.kind) for n in await post.told()] == [("A-1", NoticeKind.CARD)]


async def test_its_end_is_told_once(post: Post) -> None:
    await hear(post, FIRING)
    await post.told()

    [alert] = await hear(post, ENDED)
    assert not alert.is_open
    assert {n.kind for n in await post.told()} == {NoticeKind.CARD, NoticeKind.ENDED}
    await hear(post, ENDED)

    assert await post.told() == []


async def test_a_repeat_changes_nothing_but_the_words(post: Post) -> None:
    [before] = await hear(post, FIRING)
    await post.told()

    assert await hear(post, FIRING) == [before]
    assert await post.told() == []
    [after] = await hear(post, replace(FIRING, reason="p99 over 9 s"))

    assert (after.reason, after.seen) == ("p99 over 9 s", 1)


async def test_an_end_that_comes_before_its_beginning_raises_nothing(post: Post) -> None:
    assert await hear(post, ENDED, FIRING) == []


async def test_a_later_episode_is_a_new_alert(post: Post) -> None:
    alerts = await hear(post, FIRING, ENDED, AGAIN)

    assert [alert.is_open for alert in alerts] == [False, True]


@pytest.mark.parametrize("late", [FIRING, ENDED], ids=["firing", "ended"])
async def test_what_is_heard_late_of_an_older_episode_changes_nothing(
    post: Post, late: VendorAlert
) -> None:
    before = await hear(post, AGAIN)

    assert await hear(post, late) == before


ORDERS = [
    [said for said, times in zip(order, copies, strict=True) for _ in range(times)]
    for order in permutations([FIRING, ENDED])
    for copies in product([1, 2], repeat=2)
]


@pytest.mark.parametrize("said", ORDERS, ids=range(len(ORDERS)))
async def test_in_any_order_and_however_often_an_episode_ends(
    post: Post, said: list[VendorAlert]
) -> None:
    await hear(post, *said)

    assert not any(alert.is_open for alert in await hear(post, *said))


async def test_resolved_by_hand_it_stays_so_for_an_hour_of_repeats(post: Post) -> None:
    await hear(post, FIRING)
    await post.alerting.resolve(1, ALICE)
    post.clock.time += HOUR - timedelta(seconds=1)

    assert len(await hear(post, FIRING)) == 1


async def test_still_repeated_after_that_it_is_a_new_alert(post: Post) -> None:
    """Alertmanager repeats what goes on every four hours: nobody else would say that it does."""
    await hear(post, FIRING)
    await post.alerting.resolve(1, ALICE)
    post.clock.time += HOUR

    assert [alert.is_open for alert in await hear(post, FIRING)] == [False, True]


async def test_resolved_by_hand_and_firing_anew_is_a_new_alert_at_once(post: Post) -> None:
    await hear(post, FIRING)
    await post.alerting.resolve(1, ALICE)

    assert [alert.is_open for alert in await hear(post, AGAIN)] == [False, True]


async def test_it_is_grouped_with_our_own(post: Post) -> None:
    await post.ask(WRONG)

    _, alert = await hear(post, FIRING)
    assert alert.led_by == 1
    await post.ask("ok")
    assert (await post.alerting.show(1)).is_open
    await hear(post, ENDED)

    assert not (await post.alerting.show(1)).is_open


async def test_well_in_a_group_it_fires_again_in_there(post: Post) -> None:
    await post.ask(WRONG)

    _, alert = await hear(post, FIRING, ENDED, AGAIN)

    assert (alert.is_well, alert.seen, alert.led_by) == (False, 2, 1)


async def test_secrets_and_control_characters_are_not_kept(post: Post) -> None:
    [alert] = await hear(post, replace(FIRING, reason="\x1b[31mpassword=hunter2 \x00now"))

    assert alert.reason == "password=[redacted] now"


async def test_a_time_to_come_is_no_beginning(post: Post) -> None:
    [alert] = await hear(post, replace(FIRING, since=NOON + 9 * HOUR))

    assert alert.since == post.clock.now()
