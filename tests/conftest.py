"""Options of the whole suite: pytest takes them from an initial conftest only."""

from __future__ import annotations

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots DIR`: the page tests save pictures of the messages, at the demo's own pace."""
    parser.addoption(
        "--screenshots", metavar="DIR", default="", help="where the page tests save their pictures"
    )


def pytest_configure() -> None:
    """A run that a shell put in the background ignores Ctrl-C, and would hand that on to what it tries."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
