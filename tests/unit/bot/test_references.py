"""The pages of `docs/` that are written from the code say what the code says now."""

from __future__ import annotations

import re
from pathlib import Path

from bot.references import api, commands
from handlers.language import VERBS

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_commands_is_what_the_code_says() -> None:
    """Otherwise: `make reference`."""
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == commands.write_reference()


def test_the_page_of_the_api_is_what_the_code_says() -> None:
    """Otherwise: `make reference`."""
    assert (DOCS / "api.md").read_text(encoding="utf-8") == api.write_reference()


def test_every_verb_and_every_program_has_a_heading() -> None:
    headings = re.findall(r"^### (.+)$", commands.write_reference(), re.MULTILINE)

    assert {verb.name for verb in VERBS} <= set(headings)
    assert {"hms-sys serve", "hms-sys config check", "hms-sys db upgrade"} <= set(headings)


def test_every_document_that_is_referred_to_is_told() -> None:
    text = api.write_reference()
    headings = {heading.lower() for heading in re.findall(r"^### (.+)$", text, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
