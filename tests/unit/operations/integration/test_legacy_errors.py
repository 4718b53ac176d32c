"""HMS-OPS's error log in all shapes that are known, and in those of programs around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.integration.legacy.old_errors import Reader
from operations.integration.legacy.old_logs import Finding, Nothing, OldLog
from operations.integration.legacy.stamps import tidy_line
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.past import OldError

TEN = datetime(2025, 11, 3, 10, tzinfo=UTC)
NOW = TEN + timedelta(days=30)


def find(text: str, **reader: object) -> list[Finding]:
    """What is in a log of errors."""
    shaped = Reader(**{"level": Level.ERROR, **reader})  # type: ignore[arg-type]  # as a test says
    return list(OldLog(shaped, NOW, only_errors=True).read(map(tidy_line, text.splitlines())))


def events(text: str, **reader: object) -> list[LogEvent]:
    found = (finding.told for finding in find(text, **reader))
    return [told.event for told in found if isinstance(told, OldError)]


def nothing(text: str) -> Nothing:
    (finding,) = find(text)
    assert isinstance(finding.told, Nothing)
    return finding.told


@pytest.mark.parametrize(
    ("line", "target", "message"),
    [
        ("[2025-11-03 10:00:00] [ERROR] site/prod: exited with 1", "site/prod", "exited with 1"),
        ("[2025-11-03 10:00:00] [ERROR] [myapp] no answer", "myapp/unknown", "no answer"),
        ("[2025-11-03 10:00:00] [CRITICAL] [myapp/prod] no answer", "myapp/prod", "no answer"),
        ("[2025-11-03 10:00:00] [ERROR] [myapp] [prod] no answer", "myapp/prod", "no answer"),
        ("[2025-11-03 10:00:00] [myapp] ERROR: no answer", "myapp/unknown", "no answer"),
        ("2025-11-03T10:00:00Z ERROR app=myapp env=prod no", "myapp/prod", "app=myapp env=prod no"),
        ("[2025-11-03 10:00:00] production.ERROR: no answer", "unknown/production", "no answer"),
        ("[2025-11-03 10:00:00] Error while connecting", "unknown/unknown", "Error while connecting"),
        ("[03-Nov-2025 10:00:00 UTC] PHP Fatal error: no", "unknown/unknown", "PHP Fatal error: no"),
        ("[Mon Nov 03 10:00:00.5 2025] [php:error] no answer", "unknown/unknown", "no answer"),
        ("2025/11/03 10:00:00 [error] 12#0: no answer", "unknown/unknown", "12#0: no answer"),
        ('{"ts": "2025-11-03 10:00:00", "level": "error", "app": "a", "env": "b", "msg": "no"}', "a/b", "no"),
        ('{"time": 1762164000, "level": 50, "msg": "no", "app": "myapp"}', "myapp/unknown", "no"),
        ("\x1b[31m[2025-11-03 10:00:00] [ERROR] [myapp] no\x00 answer\x1b[0m", "myapp/unknown", "no answer"),
    ],
)  # fmt: skip
def test_shapes_of_an_error(line: str, target: str, message: str) -> None:
    (event,) = events(line)

    assert (event.target_name, event.message) == (target, message)
    assert event.level.is_error
    assert (event.at, event.source) == (TEN, "hms-ops")


def test_whose_error_it_is_may_be_said_from_outside() -> None:
    (event,) = events("[2025-11-03 10:00:00] [ERROR] no", project="site", environment="prod")

    assert event.target_name == "site/prod"


@pytest.mark.parametrize(
    ("text", "kind", "frames"),
    [
        (
            "[2025-11-03 10:00:00] production.ERROR: no rows"
            ' {"exception":"[object] (App\\\\NoRows(code: 0): no rows at /app/x.php:12)\n'
            '[stacktrace]\n#0 /app/a.php(12): A->b()\n#1 {main}\n"}',
            "App\\NoRows",
            "#0 /app/a.php(12): A->b()",
        ),
        (
            "[03-Nov-2025 10:00:00 UTC] PHP Fatal error:  Uncaught RuntimeException: boom in /app/x.php:12\n"
            "Stack trace:\n#0 /app/x.php(3): f()\n#1 {main}\n  thrown in /app/x.php on line 12",
            "RuntimeException",
            "#0 /app/x.php(3): f()",
        ),
        (
            "[2025-11-03 10:00:00] [ERROR] [myapp] job failed\n"
            'Traceback (most recent call last):\n  File "/app/x.py", line 2, in f\nValueError: x',
            "ValueError",
            'File "/app/x.py", line 2, in f',
        ),
    ],
)  # fmt: skip
def test_a_stack_trace_belongs_to_its_error(text: str, kind: str, frames: str) -> None:
    (event,) = events(text)

    assert event.fields["type"] == kind
    assert frames in event.fields["stack"]


def test_what_php_writes_below_an_error_is_no_other_one() -> None:
    stamp = "[03-Nov-2025 10:00:00 UTC]"

    found = events(
        f"{stamp} PHP Fatal error:  x\n{stamp} PHP Stack trace:\n{stamp} PHP   1. f() /x:1"
    )

    assert [event.message for event in found] == ["PHP Fatal error:  x"]


def test_a_trace_without_a_time_was_when_the_line_before_it_was() -> None:
    trace = 'Traceback (most recent call last):\n  File "/x.py", line 2, in f\nValueError: x'

    found = events(f"[2025-11-03 10:00:00] [INFO] begin\n{trace}")

    assert [(event.at, event.message) for event in found] == [(TEN, "ValueError: x")]


def test_a_zone_that_is_written_wins_over_the_one_that_was_named() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    lines = (
        "[2025-11-03 11:00:00] [ERROR] a\n2025-11-03T10:00:00Z ERROR b\n"
        "[03-Nov-2025 11:00:00 Europe/Berlin] PHP Fatal error: c\n"
        '{"time": "2025-11-03T11:00:00", "level": "error", "msg": "d"}'
    )

    assert {event.at for event in events(lines, zone=berlin)} == {TEN}


def test_secrets_do_not_get_into_the_log() -> None:
    (event,) = events("[2025-11-03 10:00:00] [ERROR] [a] login failed password=hunter2secret")

    assert "hunter2secret" not in event.message


@pytest.mark.parametrize(
    "line",
    [
        "[2025-11-03 10:00:00] [INFO] Status of myapp on prod: ok",
        "[2025-11-03 10:00:00] [WARNING] [myapp] slow",
        "[2025-11-03 10:00:00] [SUCCESS] done",
    ],
)
def test_what_is_no_error_is_passed_over(line: str) -> None:
    assert nothing(line) is Nothing.OTHER


@pytest.mark.parametrize("line", ["what?", "ERROR: when was that", '{"broken', "[[[[[", '{"a": 1}'])
def test_what_nobody_can_place_is_not_understood(line: str) -> None:
    assert nothing(line) is Nothing.NOT_UNDERSTOOD


@pytest.mark.parametrize("stamp", ["1970-01-01 00:00:00", "2999-01-01 00:00:00"])
def test_a_time_that_cannot_be_is_not_believed(stamp: str) -> None:
    assert nothing(f"[{stamp}] [ERROR] x") is Nothing.IMPOSSIBLE_TIME


def test_entries_know_where_they_begin() -> None:
    found = find(
        "what?\n\n[2025-11-03 10:00:00] [ERROR] a\n  more of it\n[2025-11-03 10:00:00] [ERROR] b"
    )

    assert [(finding.line, finding.size) for finding in found] == [(1, 1), (3, 2), (5, 1)]


def test_equal_lines_are_several_errors_and_each_is_known_again() -> None:
    line = "[2025-11-03 10:00:00] [ERROR] a"

    first, second = keys(f"{line}\n{line}"), keys(f"{line}\n{line}\n{line}")

    assert len(set(second)) == 3
    assert second[:2] == first


def test_a_line_is_the_same_in_whatever_zone() -> None:
    line = "[2025-11-03 10:00:00] [ERROR] a"

    assert keys(line) == keys(line, zone=ZoneInfo("Europe/Berlin"))


def keys(text: str, **reader: object) -> list[int]:
    told = (finding.told for finding in find(text, **reader))
    return [each.key for each in told if isinstance(each, OldError)]


@given(st.lists(st.text(max_size=200), max_size=8))
def test_whatever_is_written_every_line_is_in_one_finding(lines: list[str]) -> None:
    tidy = [tidy_line(line.replace("\n", " ")) for line in lines]

    found = list(OldLog(Reader(), NOW, only_errors=False).read(tidy))

    assert sum(finding.size for finding in found) == sum(1 for line in tidy if line.strip())
