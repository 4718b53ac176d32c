from __future__ import annotations

import pytest

from operations.integration.dual.environment import choose_environment, secrets_of


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "LC_ALL", "TZ", "SHELL", "TMPDIR", "KUBECONFIG", "KUBERNETES_SERVICE_HOST",
        "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "https_proxy", "SSH_AUTH_SOCK",
    ],
)  # fmt: skip
def test_what_programs_need_is_handed_on(name: str) -> None:
    assert choose_environment({name: "x"}, []) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        "SLACK_BOT_TOKEN", "HMS_DATABASE_URL", "HMS_SMTP_PASSWORD", "FORGE_API_TOKEN", "GITHUB_TOKEN",
        "PGPASSWORD", "XPATH", "PATH_TO_SECRET", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "LD_PRELOAD",
    ],
)  # fmt: skip
def test_everything_else_stays_with_the_bot_unless_it_is_named(name: str) -> None:
    assert choose_environment({name: "x"}, []) == {}
    assert choose_environment({name: "x"}, [name]) == {name: "x"}


def test_a_name_that_is_not_set_gives_nothing() -> None:
    assert choose_environment({}, ["MYAPP_TOKEN"]) == {}


def test_what_is_named_is_a_secret_unless_it_is_a_word() -> None:
    environ = {"MYAPP_TOKEN": "s3cr3t-s3cr3t", "DEBUG": "1", "AWS_SECRET_ACCESS_KEY": "abc/def+ghi"}

    assert secrets_of(environ, ["MYAPP_TOKEN", "DEBUG"]) == ("abc/def+ghi", "s3cr3t-s3cr3t")
