from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.http.event_values import Events
from handlers.http.problems import MOST_FAULTS, FaultyRequest
from handlers.http.sent_events import NDJSON, read_events
from tests.factories import NOON, make_catalog

JSON = "application/json"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
EVENTS = st.fixed_dictionaries(
    {
        "project": st.just("myapp"),
        "environment": st.sampled_from(["prod", "staging"]),
        "level": st.sampled_from(["error", "warn", "FATAL"]),
        "message": st.text(),
    },
    optional={"fields": st.dictionaries(st.text(), VALUES, max_size=5)},
)


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_an_array_and_lines_say_the_same(events: list[dict[str, object]]) -> None:
    lines = "\n".join(json.dumps(event) for event in events)
    makers = Events(make_catalog())
    by_lines, by_array = (
        makers.make(read_events(text, kind), "api:x", NOON)
        for text, kind in ((lines, NDJSON), (json.dumps(events), JSON))
    )

    assert repr(by_lines) == repr(by_array)
    assert [event.message for event in by_lines] == [event["message"] for event in events]


@given(st.text() | VALUES.map(json.dumps), st.sampled_from([JSON, NDJSON]))
def test_whatever_is_sent_is_read_or_refused(text: str, kind: str) -> None:
    with contextlib.suppress(FaultyRequest):
        read_events(text, kind)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_every_field_becomes_text(fields: dict[str, object]) -> None:
    event = {"project": "myapp", "environment": "prod", "level": "info", "message": ""}
    sent = read_events(json.dumps({**event, "fields": fields}), JSON)
    (made,) = Events(make_catalog()).make(sent, "api:x", NOON)

    assert all(isinstance(value, str) for value in made.fields.values())
    assert set(made.fields) == {name for name, value in fields.items() if value is not None}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\ude00 cut", "\ufffd cut"),
        (r"\uD83D\uDE00 whole", "😀 whole"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"a path \\ud83d", r"a path \ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
    ],
)
def test_half_an_emoji_is_no_reason_to_refuse(written: str, read: str) -> None:
    event = '{"project":"myapp","environment":"prod","level":"info","message":"%s"}'
    (sent,) = read_events(event % written, JSON)

    assert sent.message == read


def test_lines_that_only_fit_together_are_no_events() -> None:
    event = json.dumps({"project": "myapp", "environment": "prod", "level": "info", "message": ""})
    with pytest.raises(FaultyRequest) as refused:
        read_events(f"{event},{event}\n{event[:-1]}\n}}", NDJSON)

    assert [fault.index for fault in refused.value.faults] == [0, 1, 2]


def test_looking_for_faults_ends_when_there_are_enough() -> None:
    with pytest.raises(FaultyRequest) as refused:
        read_events("[" + ",".join(["7"] * 100_000) + "]", JSON)

    assert len(refused.value.faults) == MOST_FAULTS + 1
