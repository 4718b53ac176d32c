"""Where HMS-OPS's runs are kept, and what the bot's own environment lends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config.sections.programs import Legacy
from bot.dual import state_directory
from bot.settings import Settings

LEGACY = Legacy(command=["ops/hms-ops.sh"])


def settings(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


def test_what_is_configured_comes_first(tmp_path: Path) -> None:
    legacy = Legacy(command=["x"], state_directory=str(tmp_path))

    found = state_directory(legacy, settings("sqlite:///hms.db"), {"STATE_DIRECTORY": "/var/lib/x"})

    assert found == tmp_path


def test_then_the_state_directory_of_systemd() -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/hms:/var/lib/other"}

    found = state_directory(LEGACY, settings("sqlite:////srv/hms.db"), environ)

    assert found == Path("/var/lib/hms/hms-ops-runs")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////srv/data/hms.db", Path("/srv/data/hms-ops-runs")),
        ("sqlite:///hms.db", Path.cwd() / "hms-ops-runs"),
        ("postgresql://u:p@db/hms", Path.cwd() / "hms-ops-runs"),
    ],
)
def test_else_beside_the_database_or_where_the_bot_runs(url: str, expected: Path) -> None:
    assert state_directory(LEGACY, settings(url), {}) == expected
