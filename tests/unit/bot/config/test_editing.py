from __future__ import annotations

import pytest
import yaml

from bot.config.editing import add_entry, remove_entry, replace_value
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
