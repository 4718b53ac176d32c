"""The environment: values, secrets from files, every fault at once, and nothing secret shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.faults import SettingsError
from bot.settings import SECRETS, Settings, check_serve, load_secrets, load_settings

BOT, APP = "xoxb-111111111111-abcdef", "xapp-1-A111-222-abcdef"


def _faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({}) == Settings()
    assert Settings().config_path == Path("hms.yaml")
    assert Settings().database_url.get_secret_value() == "sqlite:///hms.db"
    assert (Settings().host, Settings().port) == ("127.0.0.1", 3000)
    assert Settings().slack_api_url == "https://slack.com/api/"
    assert Settings().forge_api_url == "https://forge.laravel.com/api"
    assert Settings().github_api_url == "https://api.github.com"
    assert (Settings().log_level, Settings().log_format) == ("info", "")


def test_every_variable_is_read() -> None:
    settings = load_settings(
        {
            "HMS_CONFIG": "/etc/hms/hms.yaml",
            "HMS_DATABASE_URL": "postgresql://hms:pw@db/hms",
            "HMS_HOST": "0.0.0.0",  # noqa: S104 - a value to be read
            "HMS_PORT": "8080",
            "SLACK_BOT_TOKEN": BOT,
            "SLACK_APP_TOKEN": APP,
            "SLACK_SIGNING_SECRET": "signing",
            "SLACK_API_URL": "http://127.0.0.1:9/api",
            "FORGE_API_TOKEN": "forge",
            "FORGE_API_URL": "http://127.0.0.1:8/api/",
            "GITHUB_TOKEN": "github",
            "GITHUB_API_URL": "http://127.0.0.1:7",
            "HMS_SMTP_PASSWORD": "smtp",
            "KUBECONFIG": "/a:/b",
            "HMS_LOG_LEVEL": "DEBUG",
            "HMS_LOG_FORMAT": "console",
        }
    )
    assert settings == Settings(
        config_path=Path("/etc/hms/hms.yaml"),
        database_url=SecretStr("postgresql://hms:pw@db/hms"),
        host="0.0.0.0",  # noqa: S104 - a value that was read
        port=8080,
        slack_bot_token=SecretStr(BOT),
        slack_app_token=SecretStr(APP),
        slack_signing_secret=SecretStr("signing"),
        slack_api_url="http://127.0.0.1:9/api/",
        forge_api_token=SecretStr("forge"),
        forge_api_url="http://127.0.0.1:8/api",
        github_token=SecretStr("github"),
        github_api_url="http://127.0.0.1:7",
        smtp_password=SecretStr("smtp"),
        kubeconfig="/a:/b",
        log_level="debug",
        log_format="console",
    )


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file(name: str, tmp_path: Path) -> None:
    text = "postgresql://hms:secret@db/hms" if name == "HMS_DATABASE_URL" else "a-secret"
    file = tmp_path / "secret"
    file.write_text(text + "\n", encoding="utf-8")
    assert load_settings({f"{name}_FILE": str(file)}) == load_settings({name: text})


def test_a_secret_given_twice_is_a_fault(tmp_path: Path) -> None:
    found = _faults({"SLACK_BOT_TOKEN": BOT, "SLACK_BOT_TOKEN_FILE": str(tmp_path / "x")})
    assert found == [
        "SLACK_BOT_TOKEN: is set twice: SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE; keep one"
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b" \n", "is empty"),
        (b"\xff\xfe", "does not hold text"),
        (b"x" * 70_000, "is too large for a secret"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_holds_no_secret_is_a_fault(
    raw: bytes | None, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    if raw is not None:
        file.write_bytes(raw)
    assert _faults({"FORGE_API_TOKEN_FILE": str(file)}) == [
        f"FORGE_API_TOKEN_FILE: {file} {expected}"
    ]


def test_a_file_with_an_impossible_name_is_a_fault() -> None:
    assert len(_faults({"FORGE_API_TOKEN_FILE": "a\0b"})) == 1


def test_a_variable_set_to_nothing_is_not_set() -> None:
    """Compose files pass what is not set as an empty text."""
    assert (
        load_settings({"SLACK_APP_TOKEN": " ", "SLACK_APP_TOKEN_FILE": "", "HMS_PORT": ""})
        == Settings()
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HMS_PORT", "http", "must be a port"),
        ("HMS_PORT", "65536", "must be a port"),
        ("HMS_PORT", "-1", "must be a port"),
        ("HMS_PORT", "٣٠٠٠", "must be a port"),
        ("HMS_DATABASE_URL", "mysql://u:hunter22@h/d", "must be sqlite:///PATH or postgresql://"),
        ("HMS_DATABASE_URL", "postgres://u:hunter22@h/d", "(it starts with postgres://)"),
        ("HMS_DATABASE_URL", "postgresql://[hunter22", "must be sqlite:///PATH"),
        ("HMS_DATABASE_URL", "sqlite://", "must be sqlite:///PATH"),
        ("HMS_DATABASE_URL", "sqlite:///", "must be sqlite:///PATH"),
        ("HMS_DATABASE_URL", "hms.db", "must be sqlite:///PATH"),
        ("SLACK_API_URL", "slack.com/api", "must be an address"),
        ("FORGE_API_URL", "https://", "must be an address"),
        ("FORGE_API_URL", "https://me:hunter22@forge/api", "must be an address"),
        ("GITHUB_API_URL", "https://h/?token=hunter22", "must be an address"),
        ("GITHUB_API_URL", "https://h:99999/", "must be an address"),
        ("HMS_LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
        ("HMS_LOG_FORMAT", "xml", "must be one of json, console"),
    ],
)
def test_a_value_that_cannot_be_used_is_a_fault(name: str, value: str, expected: str) -> None:
    found = _faults({name: value})
    assert len(found) == 1
    assert found[0].startswith(f"{name}: ")
    assert expected in found[0]
    assert "hunter22" not in found[0]


def test_all_faults_are_told_at_once() -> None:
    found = _faults({"HMS_PORT": "x", "HMS_LOG_LEVEL": "x", "FORGE_API_TOKEN_FILE": "/nowhere"})
    assert [line.split(":")[0] for line in found] == [
        "FORGE_API_TOKEN_FILE",
        "HMS_PORT",
        "HMS_LOG_LEVEL",
    ]


def test_no_secret_is_in_the_representation() -> None:
    environ = {name: f"hunter22-{name}" for name in SECRETS}
    environ["HMS_DATABASE_URL"] = "postgresql://hms:hunter22@db/hms"
    settings = load_settings(environ)
    assert "hunter22" not in f"{settings!r} {settings}"


def test_secrets_are_listed_for_masking_with_the_databases_password() -> None:
    settings = load_settings(
        {"HMS_DATABASE_URL": "postgresql://hms:p%40ss@db/hms", "SLACK_BOT_TOKEN": BOT}
    )
    assert settings.secrets() == (BOT, "p%40ss", "p@ss")
    assert Settings().secrets() == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["SLACK_BOT_TOKEN: is not set", "SLACK_APP_TOKEN: is not set, nor is SLACK_SIGNING_SECRET"]),
        ({"SLACK_BOT_TOKEN": BOT}, ["SLACK_APP_TOKEN: is not set"]),
        ({"SLACK_BOT_TOKEN": "xoxp-1-hunter22", "SLACK_APP_TOKEN": APP}, ["SLACK_BOT_TOKEN: is not such"]),
        ({"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": APP}, ["SLACK_BOT_TOKEN: is not such a token"]),
        ({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": "xoxb-hunter22"}, ["SLACK_APP_TOKEN: is not such"]),
        ({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP}, []),
        ({"SLACK_BOT_TOKEN": BOT, "SLACK_SIGNING_SECRET": "s"}, []),
    ],
)  # fmt: skip
def test_serving_needs_a_way_to_slack(given: dict[str, str], expected: list[str]) -> None:
    found = [f"{fault.path}: {fault.message}" for fault in check_serve(load_settings(given))]
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))
    assert "hunter22" not in "".join(found)


def test_components_secrets_come_from_variables_or_files(tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text("two\n", encoding="utf-8")
    found = load_secrets(["A", "B", "A"], {"A": "one", "B_FILE": str(file)})
    assert {name: secret.get_secret_value() for name, secret in found.items()} == {
        "A": "one",
        "B": "two",
    }


def test_components_secrets_that_are_not_there_are_all_told() -> None:
    with pytest.raises(SettingsError) as caught:
        load_secrets(["A", "B", "C"], {"A": "one", "C_FILE": "/nowhere"})
    assert [fault.path for fault in caught.value.faults] == ["B", "C_FILE"]


def test_settings_can_be_replaced_for_a_test_and_not_changed() -> None:
    assert replace(Settings(), port=0).port == 0
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc] # that it fails is the point
