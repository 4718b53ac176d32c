"""Commands where the bot's database is not, as processes with an hms.yaml and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = "slack: {deploys_channel: C01GEN}\nenvironments: {staging: {}}\nprojects: {}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a configuration and no database."""
    (tmp_path / "hms.yaml").write_text(CONFIG)
    return tmp_path


def say(shop: Path, *words: str, url: str = "") -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(shop), "HMS_DATABASE_URL": url}
    return subprocess.run(
        [str(Path(sys.executable).with_name("hms-sys")), *words],
        capture_output=True, text=True, timeout=60, check=False, cwd=shop, env=environ,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["history"],
        ["status", "--json"],
        ["monitor", "list"],
        ["components", "list"],
        ["migrate", "status"],
        ["audit", "export"],
    ],
)
def test_reading_without_a_database_says_so_and_leaves_none(shop: Path, words: list[str]) -> None:
    done = say(shop, *words)

    assert done.stderr.startswith(
        f"There is no database here: the file {shop / 'hms.db'} is not there, so nothing is known.\n"
        "HMS_DATABASE_URL names the bot's database"
    )
    assert "no database" not in done.stdout
    assert list(shop.iterdir()) == [shop / "hms.yaml"]


def test_a_trail_that_is_not_there_is_not_whole(shop: Path) -> None:
    done = say(shop, "audit", "verify")

    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no database here" in done.stderr


def test_a_command_that_changes_something_makes_it_and_says_so(shop: Path) -> None:
    first, second = say(shop, "monitor", "stop"), say(shop, "monitor", "stop")

    assert f"The file {shop / 'hms.db'} was not there, and is made now.\n" in first.stderr
    assert "made now" not in second.stderr
    assert (shop / "hms.db").exists()


def test_a_database_that_is_there_is_passed_over_in_silence(shop: Path) -> None:
    say(shop, "db", "upgrade", url="sqlite:///there.db")

    done = say(shop, "history", url="sqlite:///there.db")

    assert "database" not in done.stderr
    assert "Nothing was shipped yet" in done.stderr
