from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.config.document import parse_document
from bot.config.editing import add_entry, remove_entry, replace_value
from bot.faults import ConfigError
from operations.errors import InvalidRequest

TEXT = """\
# ours
slack: {deploys_channel: C01GEN}   # where we speak

components:
  # the first
  dev:
    token_sha256: "aa"  # rotated in May
    may: [read]
  other:
    token_sha256: bb
    may:
      - events

# what we watch
checks: []
"""


def test_an_entry_is_added_behind_the_last_with_everything_else_as_it_was() -> None:
    changed = add_entry(TEXT, "components", "new", ['token_sha256: "cc"', "may: [read]"])

    assert changed == TEXT.replace(
        "      - events\n",
        '      - events\n  new:\n    token_sha256: "cc"\n    may: [read]\n',
    )


def test_a_section_that_is_missing_is_made() -> None:
    changed = add_entry("slack: {}\n", "components", "new", ["may: [read]"])

    assert changed == "slack: {}\n\ncomponents:\n  new:\n    may: [read]\n"


def test_the_indentation_is_that_of_the_neighbours() -> None:
    changed = add_entry("components:\n    a:\n        b: c\n", "components", "new", ["may: [read]"])

    assert yaml.safe_load(changed) == {"components": {"a": {"b": "c"}, "new": {"may": ["read"]}}}


@pytest.mark.parametrize("text", ["components: {a: {b: c}}\n", '{"slack": {}}', '{"slack": {}}\n'])
def test_flow_style_is_left_to_people(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not written as lines"):
        add_entry(text, "components", "new", [])


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    changed = replace_value(TEXT, ("components", "dev", "token_sha256"), "dd")

    assert changed == TEXT.replace('"aa"  # rotated', '"dd"  # rotated')


def test_a_value_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        replace_value(TEXT, ("components", "nobody", "token_sha256"), "dd")


def test_an_entry_is_taken_out_with_what_is_below_it() -> None:
    changed = remove_entry(TEXT, "components", "other")

    assert changed == TEXT.replace("  other:\n    token_sha256: bb\n    may:\n      - events\n", "")


def test_the_first_entry_goes_and_the_second_stays() -> None:
    changed = remove_entry(TEXT, "components", "dev")

    assert list(yaml.safe_load(changed)["components"]) == ["other"]


def test_the_last_entry_takes_the_section_along() -> None:
    changed = remove_entry(
        "a: 1\ncomponents:\n  dev:\n    may: [read]\nb: 2\n", "components", "dev"
    )

    assert changed == "a: 1\nb: 2\n"


LINES = ['token_sha256: "cc"', "may: [read]"]
NEW = {"token_sha256": "cc", "may": ["read"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("components:\na: 1\n", "components:\n  new:\n{}a: 1\n"),
        ("components: {{}}  # none yet\na: 1\n", "components:  # none yet\n  new:\n{}a: 1\n"),
        ("a: 1\ncomponents:", "a: 1\ncomponents:\n  new:\n{}"),
        ("components:\n  # ours\n  # to come\n", "components:\n  new:\n{}  # ours\n  # to come\n"),
    ],
)
def test_an_empty_section_is_filled(text: str, expected: str) -> None:
    block = "".join(f"    {line}\n" for line in LINES)

    assert add_entry(text.replace("{{}}", "{}"), "components", "new", LINES) == expected.format(
        block
    )


def test_line_ends_stay_as_they_are() -> None:
    changed = add_entry(TEXT.replace("\n", "\r\n"), "components", "new", LINES)

    assert changed.count("\n") == changed.count("\r\n")
    assert parse_document(changed).content["components"]["new"] == NEW  # type: ignore[index,call-overload]  # a mapping


@pytest.mark.parametrize("name", ["on", "1", "null", "new", "0x1f", "1.5"])
def test_a_name_is_a_name_whatever_yaml_takes_it_for(name: str) -> None:
    changed = add_entry(TEXT, "components", name, LINES)

    components = parse_document(changed).content["components"]
    assert isinstance(components, dict)
    assert list(components) == ["dev", "other", name]


FLOW = """\
components:
  dev: {token_sha256: "aa",
        may: [read]}
  other: {token_sha256: "bb",
          may: [read]}   # the last
slack: {}
"""


def test_entries_in_flow_style_over_several_lines_are_gone_round() -> None:
    added = add_entry(FLOW, "components", "new", LINES)
    removed = remove_entry(FLOW, "components", "dev")

    assert added == FLOW.replace(
        "# the last\n", '# the last\n  new:\n    token_sha256: "cc"\n    may: [read]\n'
    )
    assert removed == "components:\n" + "".join(FLOW.splitlines(True)[3:])


def test_a_value_that_stands_for_two_is_left_to_people() -> None:
    text = "components:\n  a: &same\n    token_sha256: aa\n    may: [read]\n  b: *same\n"

    with pytest.raises(InvalidRequest, match="cannot be changed where this stands"):
        replace_value(text, ("components", "b", "token_sha256"), "dd")
    with pytest.raises(InvalidRequest, match="cannot be changed where this stands"):
        remove_entry(text, "components", "a")

    assert parse_document(remove_entry(text, "components", "b")).content == {
        "components": {"a": {"token_sha256": "aa", "may": ["read"]}}
    }


@given(st.data())
def test_a_change_is_what_was_meant_or_is_refused(data: st.DataObject) -> None:
    """Whatever is written: lines of plausible files, put together at random."""
    pieces = ["components:", "  a:", "    token_sha256: x", "    may: [read]", "  b: {may: [read]}",
              "  # c", "", "slack: {}", "\tx: 1", "  d: |", "    text", "...", "---", "  e:", "  f: &k",
              "  g: *k", "components: {}", "'components':", "  \"a\":", "{", "}"]  # fmt: skip
    lines = data.draw(st.lists(st.sampled_from(pieces), max_size=12))
    end = data.draw(st.sampled_from(["", "\n", "\r\n"]))
    text = (end or "\n").join(["first: 1", *lines]) + end
    try:
        before = parse_document(text).content
        held = before.get("components") or {}
        changed = add_entry(text, "components", "new", LINES)
    except (InvalidRequest, ConfigError):
        return
    assert isinstance(held, dict)
    assert parse_document(changed).content == {**before, "components": {**held, "new": NEW}}
    back = parse_document(remove_entry(changed, "components", "new")).content
    assert back.get("components", {}) == held
