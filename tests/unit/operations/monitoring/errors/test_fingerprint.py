"""Which errors are the same: by messages without what changes, by stack traces, by what the sender says."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.monitoring.errors.fingerprint import fingerprint
from operations.monitoring.errors.wording import normalise

PYTHON = """Traceback (most recent call last):
  File "/srv/{where}/shop/cart.py", line {line}, in total
    return price(item)
  File "/srv/{where}/shop/prices.py", line {line}, in price
    raise KeyError(item)
KeyError: '{what}'
"""
CHAINED = (
    """Traceback (most recent call last):
  File "/usr/lib/socket.py", line 3, in connect
ConnectionRefusedError: [Errno 111] {what}

The above exception was the direct cause of the following exception:

"""
    + PYTHON
)
JAVA = """java.lang.IllegalStateException: order {what}
\tat com.acme.Cart.total(Cart.java:{line})
\tat com.acme.Shop.lambda$buy${line}(Shop.java:{line})
Caused by: java.net.SocketException: reset {what}
\tat java.net.{cause}.read(Socket.java:{line})
"""
NODE = """TypeError: Cannot read properties of undefined (reading '{what}')
    at total (/srv/{where}/dist/cart.js:{line}:7)
    at async /srv/{where}/dist/app.{hash}.js:{line}:11
"""
PHP = """PHP Fatal error:  Uncaught ShopException: order {what} in /srv/{where}/Cart.php:{line}
Stack trace:
#0 /srv/{where}/app/Shop.php({line}): App\\Cart->total({line})
#1 [internal function]: App\\Shop->buy()
#2 {{main}}
"""
FIRST = {"line": 12, "what": "42", "where": "a", "hash": "3f9ab2c1", "cause": "Socket"}
LATER = {"line": 977, "what": "x9", "where": "b", "hash": "aa01bb02cc", "cause": "Channel"}


def of(message: str, **fields: str) -> str:
    return fingerprint(message, fields).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 42 not found", "user 1043 not found"),
        ("took 950ms", "took 1.2 s"),
        ("mail to bob@example.com", "mail to carol.x+y@mail.example.org"),
        ("no answer from 10.0.0.3:5432", "no answer from 192.168.17.4:5433"),
        ("no answer from fe80::1", "no answer from 2001:db8::aa:1"),
        ("job 550e8400-e29b-41d4-a716-446655440000", "job 123e4567-e89b-12d3-a456-426614174000"),
        ("at 2026-11-24T00:00:01.5Z gone", "at 2025-01-02 03:04:05 gone"),
        ("open /var/log/a.log failed", "open /srv/www/b/c.log failed"),
        ("key 'a b' missing", "key 'other' missing"),
        ("GET https://x.test/u/12345/o?p=1", "GET https://x.test/u/99/o?q=2"),
        ("commit deadbeef1", "commit 0123abc9def"),
        ("pod web-7d4f9c5b6d-x2xkp died", "pod web-6c8f7bd94b-2zkqw died"),
        ("rows [1, 2, 3] locked", "rows [7] locked"),
    ],
)
def test_what_changes_makes_no_other_group(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 42 not found", "order 42 not found"),
        ("GET /users/1 failed", "GET /orders/1 failed"),
        ("https://a.example.com/x is down", "https://b.example.com/x is down"),
        ("disk full", "disk fell"),
    ],
)
def test_other_words_are_another_group(one: str, other: str) -> None:
    assert of(one) != of(other)


@pytest.mark.parametrize("shape", [PYTHON, CHAINED, JAVA, NODE, PHP])
def test_a_stack_is_the_same_whatever_its_lines_values_and_causes(shape: str) -> None:
    assert of("it broke", stack=shape.format(**FIRST)) == of(
        "so 7 did", stack=shape.format(**LATER)
    )


@pytest.mark.parametrize(
    ("shape", "function"), [(PYTHON, "total"), (JAVA, "total"), (NODE, "total"), (PHP, "total")]
)
def test_another_function_in_the_stack_is_another_group(shape: str, function: str) -> None:
    text = shape.format(**FIRST)

    assert of("", stack=text) != of("", stack=text.replace(function, "sum"))


def test_the_outermost_exception_of_a_chain_counts() -> None:
    assert of("", stack=CHAINED.format(**FIRST)) == of("", stack=PYTHON.format(**FIRST))


def test_a_recursion_is_the_same_however_deep_it_went() -> None:
    frame = '  File "/a/b.py", line 3, in again\n'
    head, tail = "Traceback (most recent call last):\n", "RecursionError: too deep\n"

    assert of("", stack=head + 5 * frame + tail) == of("", stack=head + 900 * frame + tail)


def test_a_stack_within_the_message_is_found() -> None:
    text = PYTHON.format(**FIRST)

    assert of(text) == of("", stack=text)
    assert fingerprint(text, {}).title == "KeyError: '42'"


def test_a_stack_that_nobody_can_read_leaves_the_message() -> None:
    assert of("disk full", stack="???") == of("disk full") != of("disk fell", stack="???")


def test_exceptions_of_other_types_stay_apart() -> None:
    assert of("it broke", type="KeyError") != of("it broke", type="ValueError")


def test_a_fingerprint_that_is_given_wins() -> None:
    assert of("a", fingerprint="mine", type="X") == of("b", fingerprint="mine", type="Y")
    assert of("a", fingerprint="mine") != of("a", fingerprint="yours")


@pytest.mark.parametrize(
    ("message", "fields", "title"),
    [
        ("user 42\n  not found", {}, "user 42"),
        ("no answer", {"type": "asyncio.TimeoutError"}, "TimeoutError: no answer"),
        ("TimeoutError: no answer", {"type": "TimeoutError"}, "TimeoutError: no answer"),
        ("", {"type": "TimeoutError"}, "TimeoutError"),
        (" \n ", {}, "(no message)"),
        ("x" * 500, {}, "x" * 159 + "…"),
    ],
)
def test_a_title_is_one_line_with_the_type(
    message: str, fields: dict[str, str], title: str
) -> None:
    assert fingerprint(message, fields).title == title


WORDS = st.lists(
    st.one_of(st.sampled_from(["user", "order", "is", "late:", "gone,"]), st.integers(0, 10**12)),
    min_size=1,
    max_size=12,
)


@given(WORDS, st.data())
def test_numbers_never_matter(words: list[str | int], data: st.DataObject) -> None:
    other = [w if isinstance(w, str) else data.draw(st.integers(0, 10**12)) for w in words]

    assert of(" ".join(map(str, words))) == of(" ".join(map(str, other)))


_FRAGMENTS = st.sampled_from(
    [
        "<n>",
        "<id>",
        "12",
        "1.5s ",
        "/a/b",
        "'",
        '"',
        "x",
        " ",
        "\n",
        "http://h/9",
        "a@b.c",
        "-",
        "0x1f",
        ":",
        "GET ",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(_FRAGMENTS, max_size=30).map("".join)))
def test_any_text_has_a_fingerprint_and_always_the_same(text: str) -> None:
    found = fingerprint(text, {})

    assert re.fullmatch("[0-9a-f]{32}", found.fingerprint)
    assert fingerprint(text, {}) == found
    assert "\n" not in found.title


@given(st.lists(st.sampled_from([
    "user", "12", "1.5s", "/a/b.py", "'q q'", "https://h.test/u/9?x=1", "a@b.cd", "0x1f", "10.0.0.1",
    "550e8400-e29b-41d4-a716-446655440000", "2026-11-24T00:00:01Z", "GET /u/7", "failed:",
    "web-7d4f9c5b6d-x2xkp",
]), max_size=12))  # fmt: skip
def test_normalising_twice_is_normalising_once(words: list[str]) -> None:
    once = normalise(" ".join(words))

    assert normalise(once) == once


@pytest.mark.parametrize(
    "piece", ["a", "1", "'", "/", "a/", "-", "1.", "0x", "::", "a@", "1s ", "<n", "GET /", "\\a", "a1_",
              "\n\tat a(", '\n  File "', "#0 ", "\nCaused by: "],
)  # fmt: skip
def test_a_megabyte_of_anything_takes_no_time(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    begun = time.process_time()

    fingerprint(text, {"stack": text})
    fingerprint(text, {})

    assert time.process_time() - begun < 1.0
