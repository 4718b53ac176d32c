"""`audit export`: what a third party gets can be verified with nothing but SHA-256."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_cli import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two deploys, one of them with a reason that a spreadsheet would run."""
    opened = Shop(path=tmp_path)
    opened.run("deploy myapp staging 1.1")
    opened.run("deploy myapp prod 1.1 --no-wait --reason \"=HYPERLINK('https://x')\"")
    return opened


def computed(line: Mapping[str, Any]) -> str:
    """The hash, by the recipe of docs/operations.md and nothing of ours."""
    body = {
        "at": line["at"],
        "actor": [line["actor"]["id"], line["actor"]["kind"], line["actor"]["name"]],
        "action": line["action"],
        "subject": line["subject"],
        "detail": line["detail"],
    }
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{line['previous']}\n{text}".encode()).hexdigest()


def exported(shop: Shop, words: str = "") -> list[dict[str, Any]]:
    result = shop.run(f"audit export {words}")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_is_chained_to_the_one_before(shop: Shop) -> None:
    lines = exported(shop)

    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["previous"] for line in lines] == ["", *(line["hash"] for line in lines[:-1])]
    assert [computed(line) for line in lines] == [line["hash"] for line in lines]
    assert {line["subject"] for line in lines} == {"D-1001", "D-1002"}


def test_a_line_that_was_changed_shows(shop: Shop) -> None:
    line = exported(shop)[1]

    assert computed({**line, "action": "rollout.approved"}) != line["hash"]


def test_since_begins_within_the_chain(shop: Shop) -> None:
    every = exported(shop)

    assert exported(shop, "--since 1h") == every
    assert exported(shop, "--since 0s") == []


def test_csv_runs_nothing_in_a_spreadsheet(shop: Shop) -> None:
    result = shop.run("audit export --format csv")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [int(row["number"]) for row in rows] == [line["number"] for line in exported(shop)]
    assert not any(cell[:1] in set("=+-@\t\r") for row in rows for cell in row.values())
    assert any("HYPERLINK" in row["detail"] for row in rows)


def test_an_empty_trail_is_an_empty_export(tmp_path: Path) -> None:
    assert Shop(path=tmp_path).run("audit export").stdout == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [("--format pdf", "There is no format “pdf”."), ("--since soon", "“soon” is not a duration.")],
)
def test_what_makes_no_sense_is_refused(shop: Shop, words: str, why: str) -> None:
    result = shop.run(f"audit export {words}")

    assert result.exit_code == 2
    assert why in result.stderr
