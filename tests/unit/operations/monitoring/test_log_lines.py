"""Lines to entries to events: what belongs together, how bad it is, and which exception it is of."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.monitoring.errors.entries import events_of
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.lines import LONGEST_LINE, MOST_LINES, Entry, join
from operations.monitoring.errors.log_ports import LogKind, LogLine, LogSource

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

PYTHON = """\
Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
    db = connect(os.environ["DATABASE_URL"])
KeyError: 'DATABASE_URL'"""

CHAINED = """\
Traceback (most recent call last):
  File "/app/a.py", line 1, in f
    g()
ValueError: first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/b.py", line 2, in h
    raise RuntimeError("second")
RuntimeError: second"""

JAVA = """\
java.lang.IllegalStateException: cart is closed
\tat shop.Cart.add(Cart.java:41)
\tat shop.Main.main(Main.java:7)
Caused by: java.sql.SQLException: gone
\tat shop.Db.open(Db.java:3)
\t... 12 more"""

LARAVEL = """\
[2026-11-24 11:59:58] production.ERROR: Unknown column 'total' {"exception":"[object] \
(Illuminate\\\\Database\\\\QueryException(code: 42S22): Unknown column at /home/forge/app/Cart.php:12)
[stacktrace]
#0 /home/forge/vendor/laravel/Connection.php(760): run()
#1 {main}
"} """

NODE = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at Object.<anonymous> (/app/index.js:3:9)
    at node:internal/main/run_main_module:23:47"""

GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.main()
\t/app/main.go:8 +0x1d
exit status 2"""

PHP = """\
PHP Fatal error:  Uncaught RuntimeException: no cart in /app/cart.php:3
Stack trace:
#0 /app/index.php(9): checkout()
#1 {main}
  thrown in /app/cart.php on line 3"""


def lines_of(*texts: str, stream: str = "") -> list[LogLine]:
    return [LogLine(NOON, line, stream) for text in texts for line in text.split("\n")]


def entries_of(*texts: str) -> list[Entry]:
    joined = join([], lines_of(*texts))
    return [*joined.done, *joined.open]


def events_in(*texts: str, pattern: str | None = None) -> list[LogEvent]:
    """Of all entries: with a pattern, of those that it matched."""
    source = LogSource(
        id="pods:myapp/prod",
        kind=LogKind.PODS,
        project="myapp",
        environment="prod",
        every=timedelta(seconds=5),
        pattern=pattern,
    )
    return list(events_of(entries_of(*texts), source, NOON))


@pytest.mark.parametrize("trace", [PYTHON, CHAINED, JAVA, LARAVEL, NODE, GO, PHP])
def test_a_stack_trace_is_one_entry(trace: str) -> None:
    before, after = "INFO starting", "INFO went on"

    assert [entry.lines for entry in entries_of(before, trace, after)] == [
        (before,),
        tuple(trace.split("\n")),
        (after,),
    ]


@pytest.mark.parametrize(
    ("trace", "kind"),
    [
        (PYTHON, "KeyError"),
        (CHAINED, "RuntimeError"),
        (JAVA, "java.lang.IllegalStateException"),
        (LARAVEL, "Illuminate\\Database\\QueryException"),
        (NODE, "TypeError"),
        (GO, "panic"),
        (PHP, "RuntimeException"),
    ],
)
def test_a_stack_trace_tells_the_exceptions_class(trace: str, kind: str) -> None:
    (event,) = events_in(trace)

    assert event.fields["type"] == kind
    assert event.fields["stack"]


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (PYTHON, "KeyError: 'DATABASE_URL'"),
        (JAVA, "java.lang.IllegalStateException: cart is closed"),
        (LARAVEL, "Unknown column 'total'"),
        (f"2026-11-24 11:59:59,123 ERROR shop.cart: no cart\n{PYTHON}", "shop.cart: no cart"),
    ],
)
def test_the_message_is_what_was_said_without_the_time_and_the_trace(
    trace: str, message: str
) -> None:
    (event,) = events_in(trace)

    assert event.message == message


def test_the_same_trace_three_times_is_three_entries() -> None:
    assert [len(entry.lines) for entry in entries_of(PYTHON, PYTHON, PYTHON)] == [4, 4, 4]


def test_a_trace_belongs_to_the_error_that_was_logged_with_it() -> None:
    assert len(entries_of("ERROR:root:payment failed", PYTHON)) == 1


def test_a_trace_does_not_belong_to_the_request_that_was_logged_before_it() -> None:
    assert len(entries_of("GET /healthz 200", PYTHON)) == 2


def test_pods_that_speak_at_once_do_not_mix() -> None:
    web, api = (lines_of(PYTHON, stream=name) for name in ("web", "api"))
    mixed = [line for pair in zip(web, api, strict=True) for line in pair]

    joined = join([], mixed)

    assert [(entry.stream, len(entry.lines)) for entry in joined.open] == [("web", 4), ("api", 4)]


def test_a_trace_that_is_read_in_two_parts_is_one_entry() -> None:
    lines = lines_of(PYTHON)
    first = join([], lines[:2])

    second = join(first.open, lines[2:])

    assert not first.done
    assert [entry.lines for entry in second.open] == [tuple(PYTHON.split("\n"))]


def test_an_entry_without_end_is_ended() -> None:
    joined = join([], lines_of("ERROR begin", *["  more"] * (2 * MOST_LINES)))

    assert max(len(entry.lines) for entry in [*joined.done, *joined.open]) == MOST_LINES


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("ERROR no cart", Level.ERROR),
        ("[2026-11-24 11:59:58] production.CRITICAL: no cart", Level.CRITICAL),
        ("level=error msg=x", Level.ERROR),
        ("E1124 12:00:00.000001 1 cart.go:3] no cart", Level.ERROR),
        ("2026/11/24 12:00:00 [error] 7#7: *1 upstream timed out", Level.ERROR),
        ('{"level":50,"time":1795521600000,"msg":"no cart"}', Level.ERROR),
        ('{"level":"error","event":"no cart"}', Level.ERROR),
        ('{"levelno":50,"message":"no cart"}', Level.CRITICAL),
        ('{"log.level":"ERROR","message":"no cart"}', Level.ERROR),
        ('{"severity":"CRITICAL","message":"no cart"}', Level.CRITICAL),
    ],
)
def test_what_calls_itself_an_error_is_one(line: str, level: Level) -> None:
    (event,) = events_in(line)

    assert event.level is level


@pytest.mark.parametrize(
    "line",
    [
        "INFO done",
        "WARN slow",
        "0 errors found",
        "no-ERROR-here-123",
        "KeyError: 'x'",
        '{"level":40,"msg":"slow"}',
        '{"level":"info","msg":"ERROR in text"}',
        "",
        "{",
    ],
)
def test_what_does_not_is_none(line: str) -> None:
    assert events_in(line) == []


def test_what_a_pattern_matched_is_an_error_whatever_it_calls_itself() -> None:
    found = events_in(
        "payment refused", "WARN payment slow", "FATAL payment lost", pattern="payment"
    )

    assert [(event.message, event.level) for event in found] == [
        ("payment refused", Level.ERROR),
        ("payment slow", Level.ERROR),
        ("payment lost", Level.CRITICAL),
    ]


def test_pinos_error_is_read_with_its_trace() -> None:
    (event,) = events_in(
        json.dumps(
            {
                "level": 50,
                "time": 1795521590000,
                "msg": "boom",
                "reqId": 7,
                "err": {"type": "TypeError", "message": "x is null", "stack": NODE},
            }
        )
    )

    assert (event.message, event.fields["type"], event.fields["reqId"]) == (
        "boom",
        "TypeError",
        "7",
    )
    assert event.fields["stack"].startswith("TypeError: Cannot read")


def test_structlogs_error_is_read_with_its_trace() -> None:
    (event,) = events_in(json.dumps({"level": "error", "event": "boom", "exception": PYTHON}))

    assert (event.message, event.fields["type"]) == ("boom", "KeyError")
    assert event.fields["stack"] == PYTHON


def test_logstashs_error_is_read_with_its_trace() -> None:
    (event,) = events_in(
        json.dumps({"level": "ERROR", "message": "boom", "level_value": 40000, "stack_trace": JAVA})
    )

    assert event.fields["type"] == "java.lang.IllegalStateException"


def test_the_platforms_time_is_believed_first() -> None:
    (event,) = events_in('{"level":"error","msg":"x","time":"2026-11-24T11:00:00Z"}')

    assert event.at == NOON


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-11-24T13:59:00.5+02:00", datetime(2026, 11, 24, 11, 59, 0, 500_000, UTC)),
        ("1970-01-01T00:00:00Z", NOON),
        ("2038-01-19T03:14:07Z", NOON),
        ("2026-99-99T99:99:99Z", NOON),
    ],
)
def test_a_time_in_the_text_is_believed_within_reason(written: str, at: datetime) -> None:
    source = LogSource(
        id="site",
        kind=LogKind.SITE,
        project="site",
        environment="prod",
        every=timedelta(seconds=60),
    )

    (event,) = events_of([Entry(None, "", (f"[{written}] production.ERROR: x",))], source, NOON)

    assert event.at == at


def test_secrets_and_control_characters_are_taken_out() -> None:
    (event,) = events_in("ERROR \x1b[31mlogin\x00 failed password=hunter22")

    assert event.message == "login failed password=[redacted]"


def test_a_line_of_a_megabyte_is_cut() -> None:
    (event,) = events_in("ERROR " + "x" * 1_000_000)

    assert len(event.message) <= 2000


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.one_of(
                st.sampled_from(
                    [line for t in (PYTHON, CHAINED, JAVA, LARAVEL, GO) for line in t.split("\n")]
                ),
                st.text(max_size=30),
            ),
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_no_line_is_lost_or_made_up_and_each_stream_keeps_its_order(
    written: list[tuple[str, str]], cut: int
) -> None:
    lines = [LogLine(NOON, text, stream) for stream, text in written]

    first = join([], lines[:cut])
    second = join(first.open, lines[cut:])

    assert _by_stream([*first.done, *second.done, *second.open]) == _expected(written)


@given(st.lists(st.text(max_size=60), max_size=30), st.integers(0, 30))
def test_it_does_not_matter_where_pages_end(texts: list[str], cut: int) -> None:
    lines = [LogLine(NOON, text) for text in texts]
    whole = join([], lines)

    first = join([], lines[:cut])
    second = join(first.open, lines[cut:])

    assert [*first.done, *second.done] == list(whole.done)
    assert second.open == whole.open


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    events_in(text, f"ERROR {text}", f'{{"level":"error","msg":{json.dumps(text)}}}', pattern="")


@pytest.mark.parametrize("filler", ["(", " ", "a", "{", '"', "at ", "\\", "a.", "(a", "[", "}"])
def test_time_grows_with_the_text_and_not_faster(filler: str) -> None:
    line = (filler * LONGEST_LINE)[:LONGEST_LINE]
    lines = lines_of("goroutine 1 [running]:", line, f"ERROR {line}", PYTHON, line, f"  {line}")

    begun = time.process_time()
    joined = join([], lines)
    events_in("\n".join(entry.lines[0] for entry in [*joined.done, *joined.open]))

    assert time.process_time() - begun < 1


def _by_stream(entries: Sequence[Entry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        found[entry.stream] += entry.lines
    return found


def _expected(written: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for stream, text in written:
        found[stream].append(text)
    return found
