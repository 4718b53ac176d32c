"""The demo installs less than the tests, and nothing else: the same versions, by the same hashes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _pinned(name: str) -> dict[str, str]:
    """Each requirement with its hashes, by its first line."""
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / name).read_text())
    return {entry.splitlines()[0]: entry for entry in entries if entry.strip()}


def test_what_the_demo_installs_is_part_of_what_the_tests_do() -> None:
    demo, tests = _pinned("requirements-sandbox.txt"), _pinned("requirements-dev.txt")

    assert demo.items() <= tests.items()
    assert len(demo) < len(tests)


def test_the_demo_installs_all_that_the_bot_needs() -> None:
    assert _pinned("requirements.txt").items() <= _pinned("requirements-sandbox.txt").items()
