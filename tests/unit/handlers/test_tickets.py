"""A ticket is a link by the configured address only, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.tickets import Ticket, Tickets, plainly
from operations.actor import Actor, ActorKind
from operations.deployment.rollout import Rollout
from tests.factories import ALICE, make_rollout

HMS_DEV = Actor(id="component:hms-dev", kind=ActorKind.COMPONENT, name="hms-dev")
TICKETS = Tickets({"hms-dev": "https://tracker.internal/tickets/{external_id}?from=hms"})


def asked(external_id: str, by: Actor = HMS_DEV) -> Rollout:
    return replace(make_rollout(), requested_by=by, external_id=external_id)


def test_it_is_where_the_configuration_says() -> None:
    assert TICKETS.of(asked("HMS-7")) == Ticket(
        "HMS-7", "https://tracker.internal/tickets/HMS-7?from=hms"
    )


def test_there_is_none_without_a_name() -> None:
    assert TICKETS.of(asked("")) is None


def test_no_address_of_another_s_is_used() -> None:
    other = replace(HMS_DEV, id="component:hms-ci", name="hms-ci")
    person = replace(ALICE, name="hms-dev")

    assert TICKETS.of(asked("HMS-7", other)) == Ticket("HMS-7")
    assert TICKETS.of(asked("HMS-7", person)) == Ticket("HMS-7")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200))
def test_no_name_leads_anywhere_else(name: str) -> None:
    ticket = TICKETS.of(asked(name))

    assert ticket is not None
    assert ticket.id == name
    if ticket.url:
        parts = urlsplit(ticket.url)
        assert (parts.netloc, parts.query, parts.fragment) == ("tracker.internal", "from=hms", "")
        assert unquote(parts.path) == f"/tickets/{name}"
        assert parts.path.count("/") == 2


@pytest.mark.parametrize("name", [".", ".."])
def test_a_direction_is_no_place(name: str) -> None:
    assert TICKETS.of(asked(name)) == Ticket(name)


def test_where_nothing_can_be_a_link_the_address_is_written_out() -> None:
    assert plainly(Ticket("HMS-7", "https://t/7")) == "HMS-7 (https://t/7)"
    assert plainly(Ticket("HMS-7")) == "HMS-7"
