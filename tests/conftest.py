"""Options of the whole suite: pytest takes them from an initial conftest only."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots DIR`: the page tests save pictures of the messages, at the demo's own pace."""
    parser.addoption(
        "--screenshots", metavar="DIR", default="", help="where the page tests save their pictures"
    )
