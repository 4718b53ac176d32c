"""An emergency is marked everywhere until somebody else has looked at it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from operations.deployment.service import Deployments
from tests.factories import ALICE, BOB, CAROL, make_catalog, make_target
from tests.fakes_cli import Shop
from tests.scenario.office import Office, open_office
from tests.scenario.test_holding import shows
from tests.scenario.test_working import working
from tests.slack_blocks import all_text
from tests.slack_stand_in import Said, SlackStandIn

CATALOG = make_catalog(make_target(admins=frozenset({BOB.id})))


@pytest.fixture
async def office(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[Office]:
    async with open_office(tmp_path, slack, catalog=CATALOG) as opened:
        yield opened


async def an_emergency(office: Office) -> Said:
    """Alice asked, the admin consented, and it is live."""
    await office.say("deploy myapp prod 1.1 --emergency --reason fire")
    card = await office.card("Waiting for approval")
    assert "somebody must review it afterwards" in all_text(card.blocks)
    await office.press("Approve", card, BOB)
    async with working(office):
        return await office.card("Live: myapp 1.1 → prod")


async def test_the_card_asks_for_a_review_and_then_says_by_whom(office: Office) -> None:
    card = await an_emergency(office)
    await shows(card, "*Emergency*, to be reviewed: `/hms review D-1001`")

    told = await office.say("review D-1001 right so", CAROL)

    assert "You reviewed D-1001" in told
    await shows(card, "*Emergency*, reviewed by <@U03CAROL>: “right so”")


async def test_history_marks_what_is_to_be_reviewed_and_lists_it_alone(office: Office) -> None:
    await an_emergency(office)
    assert "emergency, *to be reviewed*" in await office.say("history --unreviewed", CAROL)
    assert "1 emergency is to be reviewed" in await office.say("status", CAROL)

    await office.say("review D-1001", CAROL)

    assert "No emergency waits" in await office.say("history --unreviewed", CAROL)
    assert "emergency, reviewed by <@U03CAROL>" in await office.say("history", CAROL)
    assert "to be reviewed" not in await office.say("status", CAROL)
    assert "reviewed it" in await office.say("show D-1001", CAROL)


async def test_who_asked_cannot_review_it(office: Office) -> None:
    await an_emergency(office)

    told = await office.say("review D-1001", ALICE)

    assert "You asked for D-1001 yourself: somebody else has to review it." in told


def test_the_command_line_reviews_too(tmp_path: Path) -> None:
    async def consent(deployments: Deployments, rollout_id: int) -> None:
        await deployments.decisions.approve(rollout_id, BOB)

    shop = Shop(path=tmp_path, catalog=CATALOG, before_work=consent)
    shop.run("deploy myapp prod 1.1 --emergency --reason fire")
    assert "Live, to be reviewed" in shop.run("history").stdout
    assert "1 emergency is to be reviewed" in shop.run("status").stderr
    assert shop.run("review D-1001").exit_code == 3

    done = shop.run("review D-1001 right so", actor=BOB)

    assert (done.exit_code, done.stdout) == (0, "Your review of D-1001 is kept.\n")
    assert "Reviewed by bob: right so" in shop.run("show D-1001").stdout
    (document,) = json.loads(shop.run("history --json").stdout)["rollouts"]
    assert document["reviewed_by"] == BOB.id
    assert document["reviewed_at"] is not None
