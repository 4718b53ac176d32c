"""What the configuration asks for and the environment lacks is told at once, with where to get it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.cli import build_command_line
from bot.doctor import run_doctor
from bot.faults import SettingsError
from bot.serving import run_serve
from bot.settings import Settings
from bot.variables import missing_variables
from operations.diagnosis import Condition
from tests.unit.bot.config.files import read

ASKING = """\
slack: {deploys_channel: C01GEN}
environments: {prod: {}}
projects:
  site: {environments: {prod: {provider: forge, organization: acme, server: 1, site: 2}}}
email: {smtp: "smtp://hms@127.0.0.1:1", from: hms@example.com, to: [ops@example.com]}
notify: [{name: pager, url_env: PAGER_URL}]
components:
  dev:
    token_sha256: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    may: [read]
    webhook: "https://dev.example.com/hooks"
    secret_env: DEV_SECRET
hooks:
  sentry:
    token_sha256: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    secret_env: SENTRY_SECRET
"""
ALL = [
    "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "FORGE_API_TOKEN", "HMS_SMTP_PASSWORD", "PAGER_URL", "DEV_SECRET",
    "SENTRY_SECRET",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the configuration above, and an environment that lacks everything."""
    (tmp_path / "hms.yaml").write_text(ASKING)
    for name in ALL:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.delenv("SLACK_SIGNING_SECRET", raising=False)
    monkeypatch.setenv("HMS_CONFIG", str(tmp_path / "hms.yaml"))
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/hms.db")
    return tmp_path


def test_all_are_named_at_once_each_with_where_to_get_it() -> None:
    found = missing_variables(Settings(), read(ASKING), {})

    assert [each.fault.path for each in found] == ALL
    assert all(each.advice for each in found)


def test_what_is_set_is_not_named() -> None:
    given = Settings(
        slack_bot_token=SecretStr("xoxb-1"),
        slack_signing_secret=SecretStr("s"),
        forge_api_token=SecretStr("f"),
        smtp_password=SecretStr("p"),
    )

    found = missing_variables(given, read(ASKING), {"PAGER_URL": "x", "DEV_SECRET": "y"})

    assert [each.fault.path for each in found] == ["SENTRY_SECRET"]


def test_serve_names_all_of_them(folder: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        run_serve()

    assert [fault.path for fault in refusal.value.faults] == ALL


def test_config_check_names_them_and_ends_well_as_the_file_is_sound(folder: Path) -> None:
    done = CliRunner().invoke(build_command_line(), ["config", "check"])

    assert done.exit_code == 0
    first, *rest = done.stdout.splitlines()
    assert first.endswith("is valid: 1 target.")
    assert [line.split(":")[0].strip() for line in rest if line.startswith("  ")] == ALL


async def test_doctor_names_them_with_what_to_do(folder: Path) -> None:
    found = {each.subject: each for each in await run_doctor() if each.area == "environment"}

    assert list(found) == ALL
    assert all(each.condition is Condition.FAILING and each.advice for each in found.values())
