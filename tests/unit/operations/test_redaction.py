from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.redaction import clean, redact


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token xoxb-123456-abcdef", "xoxb-123456-abcdef"),
        ("xapp-1-A0-secretsecret", "secretsecret"),
        ("postgresql://hms:hunter22@db/hms", "hunter22"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("DB_PASSWORD=hunter22 next", "hunter22"),
        ('{"api_key": "k-123456"}', "k-123456"),
        ("AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP"),
        ("ghp_abcdefghijklmnop1234", "ghp_abcdefghijklmnop1234"),
        ("https://forge/deploy/http?token=abcdefgh", "abcdefgh"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----", "MIIB"),
        ("APP_KEY=base64:abcdefgh", "base64:abcdefgh"),
        ("redis://:hunter22@cache", "hunter22"),
        ("jwt eyJhbGciOiJI.eyJzdWIiOi.c2ln", "eyJzdWIiOi"),
        ("whsec_abcdefghijkl", "abcdefghijkl"),
        ("PassWord : hunter22", "hunter22"),
        ("bearer abcdef123456", "abcdef123456"),
    ],
)
def test_secrets_are_masked(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


def test_plain_text_stays_as_it_is() -> None:
    text = "CannotPullContainerError: failed to resolve ref acme/myapp:1.2.0: not found"

    assert redact(text) == text


@pytest.mark.parametrize(
    "piece",
    ["a.", "a", "eyJ-", "eyJaaaaaaaa.", "-", "a://a:", "://", "token ", "token=", "authorization ",
     "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "xoxe.", "\x1b[", "\x1b]"],
)  # fmt: skip
def test_nobody_can_make_it_take_long(piece: str) -> None:
    text = (piece * 200_000)[:200_000]
    begun = time.process_time()

    clean(text, limit=200_000)

    assert time.process_time() - begun < 1.0


def test_control_and_escape_sequences_are_taken_out() -> None:
    assert clean("\x1b[31mred\x1b[0m\x00 a\u202eb\r\nnext\tend") == "red ab\nnext\tend"


def test_what_no_database_can_store_is_taken_out() -> None:
    assert clean("half a sign: \ud83d and NUL: \x00") == "half a sign:  and NUL: "


def test_the_cut_keeps_the_end() -> None:
    assert clean("a" * 50 + "the reason", limit=11) == "…the reason"


@given(st.text(max_size=300), st.integers(2, 100))
def test_nothing_is_longer_than_asked(text: str, limit: int) -> None:
    assert len(clean(text, limit=limit)) <= limit


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)

    assert clean(once) == once
