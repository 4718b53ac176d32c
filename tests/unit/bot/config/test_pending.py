from __future__ import annotations

from pathlib import Path

from bot.config import load_config
from bot.config.pending import pending_parts

ROOT = Path(__file__).parents[4]


def test_what_the_example_asks_for_and_nobody_does_yet_is_named() -> None:
    config = load_config(ROOT / "hms.example.yaml")

    assert set(pending_parts(config)) >= {"errors"}


def test_a_plain_configuration_has_nothing_pending(tmp_path: Path) -> None:
    file = tmp_path / "hms.yaml"
    file.write_text("slack: {deploys_channel: C01GEN}\nenvironments: {prod: {}}\nprojects: {}\n")

    assert list(pending_parts(load_config(file))) == []
