from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.integration.legacy.document import Place, Unreadable, read_document
from operations.integration.legacy.spelling import plain_key

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES), st.sampled_from([None, 2]))
def test_it_reads_what_the_standard_library_writes(
    content: dict[str, object], indent: int | None
) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=indent)

    assert read_document(text.encode()).content == content


def place_of_fault(raw: bytes) -> Place | None:
    try:
        read_document(raw)
    except Unreadable as refusal:
        return refusal.place
    return None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_place(raw: bytes) -> None:
    place = place_of_fault(raw)

    assert place is None or (place.line >= 1 and place.column >= 1)


def test_a_key_stands_where_its_quote_is() -> None:
    document = read_document(b'{\n  "projects": {"web": [1]}}')

    assert {path: str(place) for path, place in document.places.items()} == {
        ("projects",): "2:3",
        ("projects", "web"): "2:16",
        ("projects", "web", 0): "2:24",
    }


def test_a_megabyte_of_small_values_is_read_in_linear_time() -> None:
    raw = ('{"a": [' + "\n1," * 300_000 + "1]}").encode()
    begun = time.process_time()

    read_document(raw)

    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "written",
    ["forge_api_token", "forgeApiToken", "ForgeAPIToken", "FORGE_API_TOKEN", "forge-api-token"],
)
def test_spellings_of_one_key_are_one(written: str) -> None:
    assert plain_key(written) == "forge_api_token"
