"""HMS-DEV ships tickets through a real bot: by its API, with approvals in Slack, and hears of each change."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.hms_dev import Event, Refused
from operations.deployment.rollout import RolloutState
from operations.integration.webhooks.delivery import DeliveryState
from tests.factories import BOB
from tests.integration.hms_dev import SECRET, TOKEN, HmsDev, open_hms_dev
from tests.integration.processes import ROOT
from tests.scenario.counter import digest
from tests.slack_blocks import all_text
from tests.slack_stand_in import until

LIVE = "succeeded"


async def approve(dev: HmsDev) -> None:
    """Bob presses the button of the card that waits."""
    card = await dev.world.card_says("Waiting for approval: myapp 1.1 → prod")
    assert await dev.world.send(dev.bot, dev.world.click("Approve", card, BOB)) == 200


async def test_a_ticket_ships_to_staging_and_after_an_approval_to_production(
    tmp_path: Path,
) -> None:
    async with open_hms_dev(tmp_path) as dev:
        with dev.listening():
            first = await dev.ship("staging")
            assert (await dev.follow(first))[-1] == LIVE

            second = await dev.ship("prod")
            assert second["state"] == "pending_approval"
            assert dev.world.patches("myapp-prod") == 0
            await approve(dev)
            assert (await dev.follow(second))[-1] == LIVE
            await dev.hears_all_of(first, second)

        assert dev.heard_of(first) == [
            "hms.rollout.requested",
            "hms.rollout.started",
            "hms.rollout.following",
            "hms.rollout.ended",
        ]
        assert dev.heard_of(second) == [
            "hms.rollout.requested",
            "hms.rollout.approved",
            "hms.rollout.started",
            "hms.rollout.following",
            "hms.rollout.ended",
        ]


async def test_the_card_says_who_asks_and_leads_to_the_ticket(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path) as dev:
        rollout = await dev.ship("prod")
        card = await dev.world.card_says("Waiting for approval: myapp 1.1 → prod")
        link = "<https://tracker.internal/tickets/HMS-7|HMS-7>"

        assert f"hms-dev asks for {link}: “rounding fix”" in all_text(card.blocks)
        assert "component:hms-dev" not in json.dumps(card.blocks)

        await approve(dev)
        await dev.follow(rollout)
        told = await dev.world.told_once("Live: myapp 1.1 → prod")
        (reply,) = dev.world.slack.thread(told)
        assert all_text(reply.blocks).startswith(f"hms-dev ({link}) 🟢")
        shown = await dev.world.cli("show", rollout["id"])
        assert "asked by hms-dev for HMS-7 (https://tracker.internal/tickets/HMS-7)" in shown.stdout


async def test_what_happened_while_nobody_listened_arrives_afterwards(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path) as dev:
        first = await dev.ship("staging")
        await dev.follow(first)
        second = await dev.ship("staging", key="HMS-8", version="1.0")
        await dev.follow(second)
        await until(lambda: "waits" in dev.bot.said, 10)
        with dev.listening():
            dev.hurry()
            await dev.hears_all_of(first, second)


@pytest.mark.parametrize("at", [1, 3])
async def test_a_kill_loses_nothing_and_tells_nothing_twice(tmp_path: Path, at: int) -> None:
    async with open_hms_dev(tmp_path) as dev:

        def kill(event: Event) -> None:
            """HMS-DEV has heard, and HMS-SYS will never know."""
            if len(dev.heard) == at:
                dev.bot.process.kill()

        dev.on_event = kill
        with dev.listening():
            rollout = await dev.ship("staging")
            await dev.bot.ended()
            await dev.restart()
            assert (await dev.follow(rollout))[-1] == LIVE
            await dev.hears_all_of(rollout)
        assert dev.world.patches("myapp") == 1


async def test_without_the_right_to_production_nothing_is_changed(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path, ["deploy:staging"]) as dev:
        with dev.listening():
            with pytest.raises(Refused, match="lacks the right deploy:prod"):
                await dev.ship("prod")

            (event,) = await dev.audited("component:hms-dev")
            assert (event.action, event.actor.id) == ("request.refused", "component:hms-dev")
            shipped = await dev.ship("staging")
            await dev.follow(shipped)
            await dev.hears_all_of(shipped)
        assert shipped["id"] == "D-1001"
        assert dev.world.patches("myapp-prod") == 0


async def test_a_key_is_for_one_request(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path) as dev:
        first = await dev.ship("staging")
        await dev.follow(first)

        assert await dev.ship("staging") == first
        with pytest.raises(Refused, match="asked for something else before: it made D-1001"):
            await dev.ship("staging", version="1.0")
        assert dev.world.patches("myapp") == 1


async def test_rights_that_were_taken_hold_for_repeats_and_for_what_was_not_told_yet(
    tmp_path: Path,
) -> None:
    async with open_hms_dev(tmp_path) as dev:
        await dev.world.say(dev.bot, "deploy myapp staging 1.1")
        await dev.world.reaches("myapp", RolloutState.SUCCEEDED)
        await until(lambda: dev.counts(DeliveryState.PENDING, 4), 10)
        own = await dev.ship("prod")
        await dev.restart("deploy:staging")

        with pytest.raises(Refused, match="lacks the right deploy:prod"):
            await dev.ship("prod")
        with dev.listening():
            await until(lambda: dev.counts(DeliveryState.DEAD, 4), 10)
            dev.hurry()
            await dev.hears_all_of(own)


async def test_the_example_runs_as_its_first_lines_say(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path) as dev:
        with running_example(dev, "listen", str(dev.port)) as listener:
            wish = ("HMS-7", "myapp", "staging", "1.1", "rounding fix")
            with running_example(dev, "ship", *wish) as shipping:
                said, complaint = await asyncio.to_thread(shipping.communicate, None, 20)
            assert (shipping.returncode, complaint) == (0, "")
            assert said.splitlines()[-1] == "D-1001 succeeded"
            await until(lambda: dev.counts(DeliveryState.DELIVERED, 4), 10)
            listener.terminate()
            heard, _ = await asyncio.to_thread(listener.communicate, None, 5)

        assert [line.split()[0] for line in heard.splitlines()] == [
            "hms.rollout.requested",
            "hms.rollout.started",
            "hms.rollout.following",
            "hms.rollout.ended",
        ]


async def test_the_example_finds_its_ticket_again_after_it_lost_everything(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path) as dev:
        await dev.ship("staging", external_id="HMS-6", version="1.0")
        rollout = await dev.ship("prod")
        with running_example(dev, "follow", "HMS-7") as following:
            await approve(dev)
            said, complaint = await asyncio.to_thread(following.communicate, None, 20)
        with running_example(dev, "follow", "HMS-8") as lost:
            nothing, told = await asyncio.to_thread(lost.communicate, None, 20)

    assert (following.returncode, complaint) == (0, "")
    assert said.splitlines()[-1] == f"{rollout['id']} succeeded"
    assert (lost.returncode, nothing) == (1, "")
    assert told == "Nothing was asked for with this ticket.\n"


async def test_the_example_says_why_it_was_refused(tmp_path: Path) -> None:
    async with open_hms_dev(tmp_path) as dev:
        with running_example(dev, "ship", "HMS-7", "myapp", "live", "1.1", "") as shipping:
            said, complaint = await asyncio.to_thread(shipping.communicate, None, 20)

        assert (shipping.returncode, said) == (3, "")
        assert complaint.startswith("myapp has no environment “live”.")


@contextmanager
def running_example(dev: HmsDev, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`python examples/hms_dev.py WORDS`, ended at the end."""
    known = {"HMS_URL": dev.bot.url, "HMS_TOKEN": TOKEN, "HMS_DEV_WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, "examples/hms_dev.py", *words],
        cwd=ROOT,
        env=dev.world.environment() | known,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_a_secret_that_cannot_be_used_is_a_fault_of_the_configuration(
    tmp_path: Path,
) -> None:
    async with open_hms_dev(tmp_path) as dev:
        file = tmp_path / "hms.yaml"
        config = json.loads(file.read_text())
        sentry = {"token_sha256": digest("made-up"), "secret_env": "SENTRY_CLIENT_SECRET"}
        file.write_text(json.dumps({**config, "hooks": {"sentry": sentry}}))
        unset = dev.world.spawn(HMS_DEV_WEBHOOK_SECRET=SECRET)
        short = dev.world.spawn(HMS_DEV_WEBHOOK_SECRET="short", SENTRY_CLIENT_SECRET="made-up")

        assert [await bot.ended() for bot in (unset, short)] == [2, 2]
        assert "SENTRY_CLIENT_SECRET: is not set" in unset.said
        assert "HMS_DEV_WEBHOOK_SECRET: is no secret of Standard Webhooks" in short.said
