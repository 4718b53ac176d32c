"""What a migration left open stops the bot, and not the check of the file."""

from __future__ import annotations

from pathlib import Path

from bot.config import load_config
from bot.undecided import undecided

_FILE = """
slack: {deploys_channel: C0DECIDEME}
environments: {prod: {}}
projects:
  site:
    environments:
      prod: {provider: forge, organization: decide-me, server: 1, site: 2}
"""


def load(folder: Path, text: str) -> list[str]:
    path = folder / "hms.yaml"
    path.write_text(text)
    return [f"{fault.path} {fault.message}" for fault in undecided(load_config(path))]


def test_the_file_is_sound_and_what_is_open_is_named_with_what_to_write(tmp_path: Path) -> None:
    channel, organization = load(tmp_path, _FILE)

    assert channel.startswith("slack.deploys_channel is to be decided: write the channel's id")
    assert organization.startswith("projects.site.environments.prod.organization is to be decided")


def test_what_is_decided_is_not_named(tmp_path: Path) -> None:
    decided = _FILE.replace("C0DECIDEME", "C01GEN").replace("decide-me", "acme")

    assert load(tmp_path, decided) == []
