"""Groups of errors for tests: each with everything filled in, each detail changeable by keyword."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from operations.monitoring.errors.event import Level
from operations.monitoring.errors.group import (
    Change,
    ErrorGroup,
    GroupDetail,
    GroupReport,
    GroupState,
    Sample,
)
from tests.factories import NOON

HOURS = (0,) * 20 + (1, 40, 700, 71)
STACK = "\n".join(
    [
        "Traceback (most recent call last):",
        *(f'  File "/app/middleware/{number}.py", line 7, in __call__' for number in range(30)),
        '  File "/app/orders/totals.py", line 41, in total',
        "    return sum(line.price for line in order.lines)",
        "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
    ]
)


def make_group(**changes: object) -> ErrorGroup:
    """E-12: 812 times on myapp/prod, since three hours before noon, after 1.4.2 went out."""
    plain = ErrorGroup(
        id=12,
        project="myapp",
        environment="prod",
        fingerprint="f12",
        title="TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
        level=Level.ERROR,
        state=GroupState.OPEN,
        revision=3,
        count=812,
        first_seen=NOON - timedelta(hours=3),
        last_seen=NOON - timedelta(minutes=2),
        first_release="1.4.2",
        last_release="1.4.2",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def make_report(hours: Sequence[int] = HOURS, **changes: object) -> GroupReport:
    """The group with its last 24 hours."""
    return GroupReport(group=make_group(**changes), hours=hours)


def make_sample(**changes: object) -> Sample:
    """One event of E-12."""
    plain = Sample(
        at=NOON - timedelta(minutes=2),
        message="unsupported operand type(s) for +: 'int' and 'NoneType'",
        release="1.4.2",
        source="pods",
        fields={"stack": STACK, "type": "TypeError", "order": "4711"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # same


def make_change(**changes: object) -> Change:
    """D-1042 went out four minutes before E-12 began."""
    plain = Change(
        at=NOON - timedelta(hours=3, minutes=4), subject="D-1042", text="D-1042 shipped 1.4.2"
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # same


def make_detail(**changes: object) -> GroupDetail:
    """E-12 with one sample and one change."""
    plain = GroupDetail(report=make_report(), samples=(make_sample(),), changes=(make_change(),))
    return replace(plain, **changes)  # type: ignore[arg-type]  # same
