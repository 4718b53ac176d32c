"""The JSON Schema that editors use agrees with what is accepted, and the reference with both."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.config import config_schema
from bot.config.document import parse_document
from bot.config.reference import write_reference
from bot.settings import VARIABLES, load_settings
from tests.unit.bot.config.files import EXAMPLE, ROOT, SOUND, faults_of, spoiled


def _schema_accepts(text: str) -> bool:
    return Draft202012Validator(config_schema()).is_valid(parse_document(text).content)


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(config_schema())


@pytest.mark.parametrize("text", [EXAMPLE.read_text(encoding="utf-8"), SOUND])
def test_it_accepts_what_is_sound(text: str) -> None:
    assert faults_of(text) == []
    assert _schema_accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        spoiled("approvals", "aprovals"),
        spoiled("cluster: main, ", ""),
        spoiled("provider: aws", "provider: azure"),
        spoiled("staging: {}", "staging:"),
        spoiled("approvals: {required: 1, from: [U02BOB, S01OPS]}", "approvals:"),
        spoiled("required: 1", "expires: 30"),
        spoiled("required: 1", "self_approval: yes"),
        spoiled("C01GEN", "general"),
        spoiled("  myapp:", "  my app:"),
        SOUND + "checks: [{target: myapp/prod, expect: 200}]\n",
        SOUND + "checks: [{target: myapp/prod, url: 'http://h', error_rate: 1/1m}]\n",
        SOUND + "errors: {sources: [{target: myapp/prod}]}\n",
    ],
)
def test_it_refuses_what_has_a_fault_of_shape(text: str) -> None:
    assert faults_of(text)
    assert not _schema_accepts(text)


def test_every_key_is_explained() -> None:
    definitions = config_schema()["$defs"]
    assert isinstance(definitions, dict)
    silent = [
        f"{name}.{key}"
        for name, node in definitions.items()
        for key, child in node["properties"].items()
        if "description" not in child
    ]
    assert silent == []


def test_durations_have_their_defaults_as_people_write_them() -> None:
    definitions = config_schema()["$defs"]
    assert isinstance(definitions, dict)
    assert definitions["Approvals"]["properties"]["expires"]["default"] == "1h"
    assert definitions["EcsSpec"]["properties"]["timeout"]["default"] == "10m"


def test_the_reference_is_current() -> None:
    """When this fails: python -m bot.config.reference > docs/configuration.md"""
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == write_reference()


def test_the_reference_tells_every_variable_with_its_true_default() -> None:
    told = {variable.name: variable.default.strip("`") for variable in VARIABLES}
    settings = load_settings({})
    assert Path(told["HMS_CONFIG"]) == settings.config_path
    assert told["HMS_DATABASE_URL"] == settings.database_url.get_secret_value()
    assert (told["HMS_HOST"], told["HMS_PORT"]) == (settings.host, str(settings.port))
    assert told["SLACK_API_URL"] == settings.slack_api_url
    assert told["FORGE_API_URL"] == settings.forge_api_url
    assert told["GITHUB_API_URL"] == settings.github_api_url
    assert told["HMS_LOG_LEVEL"] == settings.log_level
