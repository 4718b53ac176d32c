"""What goes by mail beside Slack, and in its place when Slack is down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.deployment.progress import Failure
from operations.deployment.rollout import RolloutState
from operations.outbox import NoticeKind
from operations.routing import Occasion
from tests.factories import ALICE, BOB
from tests.mail_server import MailServer, mail_server
from tests.scenario.alarms import PLATFORM
from tests.scenario.post import Post, open_post
from tests.slack_stand_in import SlackStandIn, until

DIGEST_ONLY = frozenset({Occasion.DIGEST})


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with mail_server() as running:
        yield running


@pytest.fixture
async def post(tmp_path: Path, slack: SlackStandIn, mail: MailServer) -> AsyncIterator[Post]:
    """Alerts and failed rollouts are mailed."""
    async with open_post(tmp_path, slack, mail) as opened:
        yield opened


async def test_an_alert_is_mailed_when_it_fires_and_when_it_is_over(post: Post) -> None:
    await post.alarm.fail(5)
    fired = await post.arrived("Failing: web · myapp/prod (A-1)")
    await post.alarm.recover()
    over = await post.arrived("Well again: web")
    await post.office.quiet()

    assert len(post.mail.taken) == 2
    assert over.message["In-Reply-To"] == fired.message["Message-ID"]
    assert fired.message["In-Reply-To"] is None
    assert "answered 503, wanted 200" in post.text(fired)
    assert "hms-sys ack A-1" in post.text(fired)
    assert "Slack" not in post.text(fired)


async def test_what_joins_an_alert_is_mailed_as_an_answer_to_its_mail(post: Post) -> None:
    """A minute later, so that what fails one by one is not as many mails; Slack's one message moves."""
    await post.alarm.fail()
    fired = await post.arrived("Failing: web · myapp/prod (A-1)")
    await post.alarm.fail(check=PLATFORM)
    await post.alarm.card("Failing: web, target")
    assert len(post.mail.taken) == 1

    post.office.engine.clock.ahead += timedelta(minutes=1)
    joined = await post.arrived("Failing: web, target · myapp/prod (A-1)")

    assert joined.message["In-Reply-To"] == fired.message["Message-ID"]
    assert "target" in post.text(joined)
    await post.office.quiet()
    assert len(post.mail.taken) == 2


async def test_what_joined_and_is_well_again_before_it_is_mailed_is_told_by_the_end(
    post: Post,
) -> None:
    await post.alarm.fail()
    await post.arrived("Failing: web · myapp/prod (A-1)")
    await post.alarm.fail(check=PLATFORM)
    await post.alarm.recover(check=PLATFORM)
    await post.alarm.recover()
    await post.arrived("Well again")

    post.office.engine.clock.ahead += timedelta(minutes=1)
    await post.office.quiet()

    assert len(post.mail.taken) == 2


async def test_a_failed_rollout_is_mailed_and_one_that_is_live_is_not(post: Post) -> None:
    await post.office.say("deploy myapp staging 1.1")
    await post.office.end(1001, state=RolloutState.SUCCEEDED)
    await post.office.say("deploy myapp prod 1.1")
    await post.office.end(1002, state=RolloutState.FAILED, failure=Failure(summary="it broke"))
    failed = await post.arrived("Failed: myapp 1.1 → prod (D-1002)")
    await post.office.quiet()

    assert post.subjects() == [post.subject(failed)]
    assert "Why: it broke" in post.text(failed)


async def test_an_alert_that_is_over_before_mail_works_is_one_mail(post: Post) -> None:
    post.mail.is_down = True
    await post.alarm.fail()
    await post.alarm.recover()
    await post.alarm.card("Well again")
    assert post.mail.taken == []

    post.mail.is_down = False
    await post.arrived("Well again: web")
    await post.office.quiet()
    assert len(post.mail.taken) == 1


async def test_slack_down_for_two_minutes_then_a_decision_goes_by_mail(
    post: Post, slack: SlackStandIn
) -> None:
    slack.is_down = True
    await post.office.send(post.office.command_body("deploy myapp prod 1.1", ALICE))
    await post.fails_in_slack("D-1001")
    await post.pass_by(1.9)
    assert post.mail.taken == []

    await post.pass_by(0.2)
    mailed = await post.arrived("Waiting for approval: myapp 1.1 → prod (D-1001)")
    assert "hms-sys approve D-1001" in post.text(mailed)
    assert "Slack cannot be reached: it has not taken this since" in post.text(mailed)


async def test_each_is_told_once_by_mail_and_in_slack_when_it_is_back(
    post: Post, slack: SlackStandIn
) -> None:
    slack.is_down = True
    await post.office.send(post.office.command_body("deploy myapp prod 1.1", ALICE))
    await post.fails_in_slack("D-1001")
    await post.pass_by(2.1)
    await post.arrived("Waiting for approval")
    await post.pass_by(1)
    await post.pass_by(1)
    slack.is_down = False

    await post.office.card("Waiting for approval")
    await post.office.quiet()
    assert len(post.mail.taken) == 1
    assert len(slack.cards()) == 1


async def test_an_alert_that_was_mailed_is_not_mailed_again_as_slack_is_down(
    post: Post, slack: SlackStandIn
) -> None:
    slack.is_down = True
    await post.alarm.fail(4)
    await post.arrived("Failing: web")
    await post.fails_in_slack("A-1")
    for _ in range(3):
        await post.pass_by(1)
        await post.alarm.fail(1)
    slack.is_down = False
    await post.office.quiet()

    assert len(post.mail.taken) == 1


async def test_what_falls_back_goes_by_mail_whatever_mail_is_there_for(
    tmp_path: Path, slack: SlackStandIn, mail: MailServer
) -> None:
    async with open_post(tmp_path, slack, mail, on=DIGEST_ONLY) as post:
        slack.is_down = True
        await post.alarm.fail(3)
        await post.fails_in_slack("A-1")
        await post.pass_by(2.1)
        fired = await post.arrived("Failing: web")
        await post.alarm.recover()
        await post.fails_in_slack("A-1", NoticeKind.ENDED)
        await post.pass_by(2.1)
        over = await post.arrived("Well again: web")

        assert over.message["References"] == fired.message["Message-ID"]
        assert len(mail.taken) == 2
        slack.is_down = False
        await post.alarm.card("Well again")
        await post.office.quiet()


async def test_progress_never_falls_back(post: Post, slack: SlackStandIn) -> None:
    await post.office.say("deploy myapp staging 1.1")
    await post.office.card("Queued")
    slack.is_down = True
    await post.office.change(1001, state=RolloutState.RUNNING)
    await post.fails_in_slack("D-1001")
    await post.pass_by(10)
    slack.is_down = False
    await post.office.quiet()

    assert post.mail.taken == []


async def test_both_down_then_slack_is_back_first(post: Post, slack: SlackStandIn) -> None:
    slack.is_down = post.mail.is_down = True
    await post.alarm.fail(3)
    await post.fails_in_slack("A-1")
    await post.pass_by(10)
    slack.is_down = False
    await post.is_told_in_slack("A-1")

    post.mail.is_down = False
    mailed = await post.arrived("Failing: web")
    await post.office.quiet()
    assert len(post.mail.taken) == 1
    assert "Slack" not in post.text(mailed)


async def test_both_down_then_mail_is_back_first(post: Post, slack: SlackStandIn) -> None:
    slack.is_down = post.mail.is_down = True
    await post.alarm.fail(3)
    await post.fails_in_slack("A-1")
    await post.pass_by(10)
    post.mail.is_down = False
    mailed = await post.arrived("Failing: web")
    assert "Slack cannot be reached" in post.text(mailed)

    slack.is_down = False
    await post.alarm.card("Failing")
    await post.office.quiet()
    assert (len(post.mail.taken), len(slack.cards("C02OPS"))) == (1, 1)


async def test_what_was_due_when_the_bot_was_stopped_is_mailed_by_the_next(
    tmp_path: Path, slack: SlackStandIn, mail: MailServer
) -> None:
    async with open_post(tmp_path, slack, mail, delivering=False) as before:
        await before.alarm.fail()
    assert mail.taken == []

    async with open_post(tmp_path, slack, mail) as after:
        await after.arrived("Failing: web")
        await after.office.quiet()
    assert len(mail.taken) == 1


async def test_a_mail_whose_answer_was_lost_comes_twice_under_one_id(post: Post) -> None:
    post.mail.hangs_up_after_data = 1
    await post.alarm.fail()
    await post.office.quiet()

    first, second = post.mail.taken
    assert first.message["Message-ID"] == second.message["Message-ID"]


async def test_mail_that_is_refused_for_good_is_kept_and_tried_again(post: Post) -> None:
    post.mail.rcpt_answers = {"ops@example.com": ["550 5.1.1 unknown", "550 5.1.1 unknown"]}
    await post.alarm.fail()
    post.office.engine.clock.ahead += timedelta(hours=1)

    await post.arrived("Failing: web")
    await post.office.quiet()


async def test_acknowledged_elsewhere_while_slack_is_down_is_told(
    post: Post, slack: SlackStandIn
) -> None:
    slack.is_down = True
    await post.alarm.fail(3)
    await post.arrived("Failing: web")
    await post.alarm.alerting.acknowledge(1, BOB)
    await post.fails_in_slack("A-1")
    await post.pass_by(2.1)
    await until(lambda: len(post.mail.taken) == 2)

    assert "Acknowledged by bob" in post.text(post.mail.taken[1])
    assert "hms-sys ack" not in post.text(post.mail.taken[1])
    slack.is_down = False
    await post.office.quiet()
