"""What may be said before and around the verbs of the command line."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from operations.actor import Actor, ActorKind
from tests.factories import ALICE, BOB
from tests.fakes_cli import Shop

DAVE = Actor(id="cli:dave", kind=ActorKind.CLI, name="Dave")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(path=tmp_path)


def test_the_version_is_the_installations(shop: Shop) -> None:
    assert shop.run("--version").output == f"hms-sys {version('hms-sys')}\n"
    assert shop.opened == 0


@pytest.mark.parametrize("line", ["--json history", "history --json", "--json history --json"])
def test_json_may_be_said_before_the_verb_and_after_it(shop: Shop, line: str) -> None:
    assert json.loads(shop.run(line).stdout)["rollouts"] == []


@pytest.mark.parametrize(
    ("who", "names"),
    [
        ("alice", ["D-1001"]),
        ("ALICE", ["D-1001"]),
        ("U01ALICE", ["D-1001"]),
        ("dave", ["D-1003"]),
        ("cli:dave", ["D-1003"]),
        ("nobody", []),
    ],
)
def test_history_by_somebody_goes_by_name_login_or_id(
    shop: Shop, who: str, names: list[str]
) -> None:
    for actor in (ALICE, BOB, DAVE):
        assert shop.run("deploy myapp staging 1.1", actor=actor).exit_code == 0

    told = json.loads(shop.run(f"history --by {who} --json").stdout)

    assert [each["id"] for each in told["rollouts"]] == names
