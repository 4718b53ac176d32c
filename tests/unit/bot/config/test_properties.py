"""Whatever stands in the file, the answer is a configuration or faults with a place: never a crash."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.document import Document, Value, parse_document
from bot.config.reading import check_document
from bot.config.schema import Config
from bot.faults import ConfigError
from tests.unit.bot.config.files import EXAMPLE, read

_EXAMPLE = parse_document(EXAMPLE.read_text(encoding="utf-8")).content
_WORDS = st.sampled_from(
    ["k8s", "aws", "U02BOB", "S01OPS", "C01GEN", "10m", "09:00-17:30", "mon-fri", "myapp/prod", "prod",
     "<<", "*a", "&a", "!!int x", "~", "on", "null", "1e9", "0x", ".inf", "http://[", "smtp://a:b@c"]
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    _WORDS,
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(_WORDS, st.text(max_size=8)), inner, max_size=4),
    ),
    max_leaves=8,
)


def _outcome(reading: Callable[[], Config]) -> Config | ConfigError:
    try:
        return reading()
    except ConfigError as error:
        return error


def _ends_well(text: str) -> None:
    outcome = _outcome(lambda: read(text))
    if isinstance(outcome, Config):
        return
    lines = len(text.splitlines()) + 2
    assert outcome.faults
    assert all(fault.message and 0 <= fault.line <= lines for fault in outcome.faults)
    assert outcome.message.encode()


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_faults(text: str) -> None:
    _ends_well(text)


@settings(deadline=None)
@given(st.text(alphabet="{}[]:,-&*!<>|?#'\"%@`~ \n\tab01\\u", max_size=80))
def test_any_text_of_yamls_own_signs_is_a_configuration_or_faults(text: str) -> None:
    _ends_well(text)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_faults(raw: bytes) -> None:
    _ends_well(raw.decode("utf-8", "surrogateescape"))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["slack", "environments", "projects", "access", "checks", "errors", "digest",
                         "email", "components"]),
        _ANYTHING,
    )
)  # fmt: skip
def test_any_values_in_the_sections_are_a_configuration_or_faults(content: object) -> None:
    _ends_well(yaml.safe_dump(content))


def _paths(node: Value, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children: list[tuple[str | int, Value]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    return [path, *(deeper for step, child in children for deeper in _paths(child, (*path, step)))]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(_paths(_EXAMPLE)[1:]), _ANYTHING)
def test_the_example_with_one_value_replaced_is_a_configuration_or_faults(
    path: tuple[str | int, ...], value: Value
) -> None:
    content = copy.deepcopy(_EXAMPLE)
    node: Value = content
    for step in path[:-1]:
        node = node[step]  # type: ignore[index] # the path was taken from this tree
    node[path[-1]] = value  # type: ignore[index]
    document = Document("hms.yaml", content)
    outcome = _outcome(lambda: check_document(document))
    assert outcome.catalog().targets if isinstance(outcome, Config) else outcome.faults


def test_the_properties_use_the_example() -> None:
    assert len(_paths(_EXAMPLE)) > 80
    assert Path(EXAMPLE).name == "hms.example.yaml"
