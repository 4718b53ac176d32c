"""When every check fails at once, the bot suspects itself first, and says so once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.check import Check, CheckKind, CheckState, Outcome
from operations.monitoring.suspicion import ITSELF
from operations.outbox import NoticeKind
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import (
    EVERY,
    SECOND,
    Post,
    make_check,
    make_sites,
    open_post,
)

WRONG = "failing:no answer within 5 s"


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over four pages on hosts of their own; all was well so far."""
    async with open_post(tmp_path, *make_sites(4)) as opened:
        await ask_all(opened, "ok")
        yield opened


async def ask_all(
    post: Post, answer: str, rounds: int = 1, among: list[Check] | None = None
) -> None:
    """Each in its turn, as if spread over the interval."""
    checks = among or post.checks
    for _ in range(rounds):
        for check in checks:
            post.prober.script(check, answer)
            await post.watch.ask(check)
            post.clock.time += EVERY / len(checks)


async def open_alerts(post: Post) -> list[Alert]:
    return [alert for alert in await post.alerts() if alert.is_open]


async def test_all_at_once_makes_one_alert_about_the_bot(post: Post) -> None:
    await ask_all(post, WRONG, rounds=6)

    (alert,) = await post.alerts()
    assert (alert.check_id, alert.name) == (ITSELF, "the bot itself")
    assert alert.since == NOON + EVERY
    assert "every check fails at once (4 of 4)" in alert.reason
    (notice,) = await post.told()
    assert (notice.subject, notice.kind) == (alert.label, NoticeKind.CARD)


async def test_meanwhile_no_check_is_called_failing(post: Post) -> None:
    await ask_all(post, WRONG, rounds=6)

    for check in post.checks:
        record = await post.record(check)
        assert record.state is CheckState.OK
        assert record.last is not None
        assert record.last.outcome is Outcome.INCONCLUSIVE
        assert "HMS-SYS may be cut off" in record.last.detail


async def test_the_first_good_answer_ends_it(post: Post) -> None:
    await ask_all(post, WRONG, rounds=4)
    await post.told()

    await ask_all(post, "ok", among=post.checks[:1])

    (alert,) = await post.alerts()
    assert alert.state is AlertState.RESOLVED
    assert {n.kind for n in await post.told()} == {NoticeKind.CARD, NoticeKind.ENDED}


async def test_what_still_fails_when_others_answer_again_fires_at_its_next_miss(
    post: Post,
) -> None:
    await ask_all(post, WRONG, rounds=4)
    await ask_all(post, "ok", among=post.checks[1:])

    await ask_all(post, WRONG, among=post.checks[:1])

    (alert,) = await open_alerts(post)
    assert alert.check_id == post.checks[0].id
    assert alert.since == NOON + EVERY


async def test_one_that_answers_clears_the_bot(post: Post) -> None:
    for _ in range(3):
        await ask_all(post, "ok", among=post.checks[:1])
        await ask_all(post, WRONG, among=post.checks[1:])

    assert {alert.check_id for alert in await post.alerts()} == {c.id for c in post.checks[1:]}


async def test_one_that_was_down_before_is_no_witness(post: Post) -> None:
    await ask_all(post, WRONG, rounds=3, among=post.checks[:1])
    await ask_all(post, "ok", among=post.checks[1:])

    await ask_all(post, WRONG, rounds=4)

    assert [alert.check_id for alert in await post.alerts()] == [post.checks[0].id, ITSELF]


async def test_one_that_was_down_before_does_not_make_two_a_crowd(post: Post) -> None:
    await post.alerting.stop(ALICE, "s3")
    down, *others = post.checks[:3]
    await ask_all(post, WRONG, rounds=3, among=[down])
    await ask_all(post, "ok", among=others)

    await ask_all(post, WRONG, rounds=3, among=[down, *others])

    assert {alert.check_id for alert in await post.alerts()} == {c.id for c in post.checks[:3]}


async def test_an_answer_from_before_the_trouble_clears_nobody(tmp_path: Path) -> None:
    rare = make_check(id="rare/prod:web", url="https://rare.example.com/", every=timedelta(hours=1))
    async with open_post(tmp_path, *make_sites(3), rare) as post:
        await ask_all(post, "ok")

        await ask_all(post, WRONG, rounds=3, among=post.checks[:3])

        assert [alert.check_id for alert in await post.alerts()] == [ITSELF]


async def test_a_good_answer_ends_the_suspicion_at_once(post: Post) -> None:
    await ask_all(post, WRONG, rounds=3)
    for check, answer in zip(post.checks, (WRONG, "ok", WRONG), strict=False):
        post.prober.script(check, answer)
        await post.watch.ask(check)

    assert [alert.check_id for alert in await open_alerts(post)] == [post.checks[2].id]


async def test_two_hosts_are_too_few(tmp_path: Path) -> None:
    same = "https://same.example.com/"
    sites = [*make_sites(2), make_check(url=same), make_check(id="x/prod:b", url=same + "b")][1:]
    async with open_post(tmp_path, *sites) as post:
        await ask_all(post, "ok")

        await ask_all(post, WRONG, rounds=3)

        assert {alert.check_id for alert in await post.alerts()} == {check.id for check in sites}


async def test_a_provider_s_own_view_is_told_as_ever(tmp_path: Path) -> None:
    targets = make_sites(4, kind=CheckKind.TARGET)
    async with open_post(tmp_path, *targets) as post:
        await ask_all(post, WRONG, rounds=3)

        assert {alert.check_id for alert in await post.alerts()} == {c.id for c in targets}


async def test_a_stopped_check_is_no_witness(post: Post) -> None:
    await post.alerting.stop(ALICE, "s0")
    await post.alerting.stop(ALICE, "s1")

    await ask_all(post, WRONG, rounds=3, among=post.checks[2:])

    assert {alert.check_id for alert in await post.alerts()} == {c.id for c in post.checks[2:]}


async def test_several_processes_say_it_once(post: Post) -> None:
    await ask_all(post, WRONG, rounds=2)
    for check in post.checks:
        post.watch = post.new_watch()
        await post.watch.ask(check)
        post.clock.time += SECOND

    (alert,) = await post.alerts()
    assert alert.check_id == ITSELF


async def test_another_process_ends_it_too(post: Post) -> None:
    await ask_all(post, WRONG, rounds=3)
    post.watch = post.new_watch()

    await ask_all(post, "ok", among=post.checks[2:3])

    assert await open_alerts(post) == []


async def test_it_can_be_acknowledged_and_resolved_like_any_other(post: Post) -> None:
    await ask_all(post, WRONG, rounds=3)

    await post.alerting.acknowledge(1, ALICE)
    await post.alerting.resolve(1, ALICE)

    assert await open_alerts(post) == []
