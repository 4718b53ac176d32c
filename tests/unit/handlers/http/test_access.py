from __future__ import annotations

import hashlib

import pytest

from handlers.http.access import Component, find_by_token, is_token

TOKEN = "made-up-token"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
NOTHING = hashlib.sha256(b"").hexdigest()


def make_component(name: str = "hms-dev", digest: str = DIGEST, *rights: str) -> Component:
    return Component(name=name, token_sha256=digest, rights=frozenset(rights))


@pytest.mark.parametrize(
    ("rights", "right", "expected"),
    [
        (["read"], "read", True),
        (["read"], "events", False),
        (["deploy:staging"], "deploy", True),
        (["deploy:staging"], "deploy:staging", True),
        (["deploy:Staging"], "deploy:staging", True),
        (["deploy:staging"], "deploy:prod", False),
        (["deploy:staging"], "deploy:stag", False),
        (["read", "events"], "deploy", False),
        ([], "read", False),
    ],
)
def test_a_component_may_what_its_rights_say(rights: list[str], right: str, expected: bool) -> None:
    assert make_component("hms-dev", DIGEST, *rights).may(right) is expected


def test_a_component_is_found_by_its_token() -> None:
    other = make_component("other", hashlib.sha256(b"another").hexdigest())

    assert find_by_token([other, make_component()], TOKEN) == make_component()
    assert find_by_token([other, make_component()], "neither") is None


def test_no_token_is_nobody_s_even_if_its_digest_was_configured() -> None:
    assert not is_token("", NOTHING)


@pytest.mark.parametrize("token", ["\udcff", "ü" * 10, "x" * 10_000])
def test_odd_tokens_are_compared_without_harm(token: str) -> None:
    assert not is_token(token, DIGEST)


def test_a_component_acts_under_its_own_name() -> None:
    actor = make_component().actor

    assert (actor.id, actor.kind.value, actor.is_person) == (
        "component:hms-dev",
        "component",
        False,
    )
