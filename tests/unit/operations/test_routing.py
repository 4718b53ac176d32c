from __future__ import annotations

import pytest

from operations.outbox import MAIL, SLACK, Notice, NoticeKind, Urgency
from operations.routing import Occasion, Routing, Way, occasion_of

CARD, ENDED = NoticeKind.CARD, NoticeKind.ENDED
FINAL, DECISION, PROGRESS, REDRAW = Urgency
PAGER = "notify:pager"
ROUTING = Routing(
    (
        Way(MAIL, frozenset({Occasion.ALERT, Occasion.DIGEST})),
        Way(PAGER, frozenset({Occasion.ALERT, Occasion.ROLLOUT_FAILED})),
    )
)


def notice(subject: str, kind: NoticeKind, urgency: Urgency, *, failed: bool = False) -> Notice:
    return Notice(subject=subject, kind=kind, channel="C1", urgency=urgency, is_failure=failed)


@pytest.mark.parametrize(
    ("given", "occasion"),
    [
        (notice("A-1", CARD, FINAL), Occasion.ALERT),
        (notice("A-1", CARD, DECISION), None),
        (notice("A-1", CARD, DECISION, failed=True), Occasion.ALERT),
        (notice("A-1", CARD, PROGRESS), None),
        (notice("A-1", ENDED, FINAL), Occasion.ALERT),
        (notice("A-1", ENDED, DECISION), Occasion.ALERT),
        (notice("D-1", CARD, FINAL), None),
        (notice("D-1", CARD, FINAL, failed=True), None),
        (notice("D-1", ENDED, FINAL), None),
        (notice("D-1", ENDED, FINAL, failed=True), Occasion.ROLLOUT_FAILED),
        (notice("D-1", NoticeKind.EVIDENCE, FINAL, failed=True), None),
        (notice("G-1", CARD, PROGRESS), Occasion.DIGEST),
    ],
    ids=lambda value: getattr(value, "subject", None),
)
def test_what_is_news_elsewhere(given: Notice, occasion: Occasion | None) -> None:
    assert occasion_of(given) is occasion


def test_a_way_gets_what_it_is_there_for_and_no_channel_of_slack_s() -> None:
    found = ROUTING.beside(notice("A-1", CARD, FINAL))

    assert [(n.route, n.channel) for n in found] == [(MAIL, ""), (PAGER, "")]
    assert [n.route for n in ROUTING.beside(notice("G-1", CARD, FINAL))] == [MAIL]


def test_the_first_way_is_the_one_to_fall_back_on() -> None:
    assert (ROUTING.fall_back, Routing().fall_back) == (MAIL, "")
    assert ROUTING.is_covered(notice("A-1", CARD, FINAL))
    assert not ROUTING.is_covered(notice("D-1", ENDED, FINAL, failed=True))


def test_slack_is_a_route_always() -> None:
    assert Routing().routes == (SLACK,)
    assert ROUTING.routes == (SLACK, MAIL, PAGER)
