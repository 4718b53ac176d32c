"""What people would type is not told to programs."""

from __future__ import annotations

import pytest

from handlers.http.hints import hint_for_program
from operations.errors import Blocked, InvalidRequest, NotPermitted, UnknownAlert, UnknownRollout


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("They or an admin can lift it with `unlock`.", "They or an admin can lift it."),
        (
            "In an emergency an admin can consent: `--emergency --reason TEXT`.",
            "In an emergency an admin can consent.",
        ),
        ('Write `--at 18:30`, `--at 2h`, or `--at "2026-11-25T18:30+01:00"`.', ""),
        ("See `show D-1001`.", ""),
        ("Say `/hms deploy myapp prod 1.1`, or leave the word out.", ""),
        ("`cancel D-7` stops it. To take back what it brings, wait for its end.",
         "To take back what it brings, wait for its end."),
        ("Did you mean “myapp”?", "Did you mean “myapp”?"),
        ("Letters, digits and . _ - / : @ + only.", "Letters, digits and . _ - / : @ + only."),
        ("Checks are configured in hms.yaml: `checks:`.", "Checks are configured in hms.yaml: `checks:`."),
        ("An admin can add it under `components.app.may` in hms.yaml.",
         "An admin can add it under `components.app.may` in hms.yaml."),
        ("Send `Authorization: Bearer TOKEN`.", "Send `Authorization: Bearer TOKEN`."),
        ("<@U01ALICE> may.", "U01ALICE may."),
        ("", ""),
    ],
)  # fmt: skip
def test_a_hint_keeps_what_a_program_can_use(typed: str, told: str) -> None:
    assert hint_for_program(Blocked("No.", hint=typed)) == told


def test_what_is_not_there_is_looked_for_by_the_api() -> None:
    rollout = hint_for_program(UnknownRollout("There is no rollout D-7.", hint="See `history`."))
    alert = hint_for_program(UnknownAlert("There is no alert A-7.", hint="See `monitor list`."))

    assert rollout == "`GET /api/v1/rollouts` lists those that there are."
    assert alert == "`GET /api/v1/alerts` lists those that there are."


@pytest.mark.parametrize("kind", [InvalidRequest, NotPermitted])
def test_no_other_kind_gains_a_way(kind: type[InvalidRequest]) -> None:
    assert hint_for_program(kind("No.", hint="See `history`.")) == ""
