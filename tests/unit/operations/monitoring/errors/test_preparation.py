"""Events are prepared by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.preparation import Preparation
from tests.factories import NOON
from tests.unit.operations.monitoring.errors.logbook import make_event


def test_a_thread_waits_for_that_of_a_caller_who_gave_up() -> None:
    """What was seen before is remembered in an order that two would break."""
    preparation = Preparation()
    is_at_work, may_end = threading.Event(), threading.Event()

    def slow() -> Iterator[LogEvent]:
        yield make_event()
        is_at_work.set()
        assert may_end.wait(5)

    with ThreadPoolExecutor(2) as pool:
        former = pool.submit(preparation.prepare, slow(), NOON)
        assert is_at_work.wait(5)
        newer = pool.submit(preparation.prepare, [make_event()], NOON)
        try:
            with pytest.raises(TimeoutError):
                newer.result(0.1)
        finally:
            may_end.set()
        assert former.result(5) == newer.result(5)
