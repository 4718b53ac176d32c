"""The Slack app's manifest: what Slack accepts, what we register, and nothing beyond what we need."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from handlers.slack.ids import SLASH_COMMAND
from tests.slack_stand_in import SCOPES

ROOT = Path(__file__).parents[2]
RULES = json.loads((ROOT / "tests/facts/slack-manifest.json").read_text(encoding="utf-8"))
Manifest = dict[str, dict[str, object]]


@pytest.fixture(name="manifest")
def _manifest() -> Manifest:
    loaded: Manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    return loaded


def _broken_rules(manifest: Manifest) -> list[str]:
    return [error.json_path for error in Draft202012Validator(RULES).iter_errors(manifest)]


def test_the_rules_are_a_json_schema() -> None:
    Draft202012Validator.check_schema(RULES)


def test_slack_accepts_the_manifest(manifest: Manifest) -> None:
    assert _broken_rules(manifest) == []


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda m: m["display_information"].update(name="x" * 36), "$.display_information.name"),
        (lambda m: m["features"].update(slash_command=[]), "$.features"),
        (lambda m: m["settings"].update(socket_mode_enabled="yes"), "$.settings.socket_mode_enabled"),
        (lambda m: m["_metadata"].update(major_version=1), "$['_metadata'].major_version"),
        (lambda m: m["oauth_config"].update(scopes={"bot": ["chat:write:bot"]}),
         "$.oauth_config.scopes.bot[0]"),
        (lambda m: m["features"].update(slash_commands=[{"command": "hms", "description": "x"}]),
         "$.features.slash_commands[0].command"),
    ],
    ids=["name too long", "unknown key", "not a boolean", "old schema", "unknown scope", "no slash"],
)  # fmt: skip
def test_the_rules_refuse_what_slack_refuses(
    manifest: Manifest, spoil: Callable[[Manifest], None], place: str
) -> None:
    spoiled = copy.deepcopy(manifest)
    spoil(spoiled)
    assert _broken_rules(spoiled) == [place]


def test_the_command_of_the_manifest_is_the_one_we_answer(manifest: Manifest) -> None:
    commands = manifest["features"]["slash_commands"]
    assert isinstance(commands, list)
    assert [command["command"] for command in commands] == [SLASH_COMMAND]
    assert all(command["should_escape"] is True for command in commands)


def test_scopes_are_the_least_that_the_bot_needs(manifest: Manifest) -> None:
    assert manifest["oauth_config"]["scopes"] == {"bot": SCOPES}


def test_socket_mode_and_buttons_are_on_and_what_cannot_be_undone_is_off(
    manifest: Manifest,
) -> None:
    assert manifest["settings"] == {
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": False,
        "socket_mode_enabled": True,
        "token_rotation_enabled": False,
    }
