"""Options of the whole suite: pytest takes them from an initial conftest only."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest
import structlog


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots DIR`: the page tests save pictures of the messages, at the demo's own pace."""
    parser.addoption(
        "--screenshots", metavar="DIR", default="", help="where the page tests save their pictures"
    )


def pytest_configure() -> None:
    """A run that a shell put in the background ignores Ctrl-C, and would hand that on to what it tries."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Who starts the product within the process sets up its logging; the next test knows nothing of it."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], _levels()
    yield
    root.handlers[:] = handlers
    for name, level in _levels().items():
        if level != levels.get(name, logging.NOTSET):
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
    logging.captureWarnings(False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def _levels() -> dict[str, int]:
    known = logging.root.manager.loggerDict.items()
    levels = {name: each.level for name, each in known if isinstance(each, logging.Logger)}
    return {**levels, "": logging.root.level}
