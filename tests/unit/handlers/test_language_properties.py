"""What holds for every text that anybody could send."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.language import VERBS, Command, Deploy, parse, parse_argv, render
from operations.errors import InvalidRequest

_PIECES = st.sampled_from(
    [
        *(v.name for v in VERBS),
        *(f"--{o.name}" for v in VERBS for o in v.options),
        *("—reason", "reason=“", "“", "”", '"', "'", "’", "`", "\\", "--", "—", "-", "=", " "),
        *("<@U1|bob>", "<@U1", "|x>", "&lt;", "&amp;", "<https://x|y z>", "<!here>", "aws", "k8s"),
        *(
            "D-1042",
            "E-12",
            "count",
            "2h",
            "18:30",
            "2026-11-25T18:30+01:00",
            "7",
            "0",
            "-1",
            "myapp",
            "myapp/prod",
            "to",
            "all",
            "five",
            "for",
            "until",
            "prod",
            "v1.2",
            "\u00a0",
            "\n",
            "\ue000",
            "é",
        ),
    ]
)
_PIECED = st.lists(_PIECES, max_size=14).map(" ".join) | st.lists(_PIECES, max_size=14).map("".join)
_ANY = st.text(max_size=200) | _PIECED


def _try(read: Callable[[], Command]) -> Command | InvalidRequest:
    try:
        return read()
    except InvalidRequest as refusal:
        return refusal


@given(_ANY)
@settings(max_examples=600, deadline=None)
def test_any_text_is_understood_or_refused_politely_and_written_back_the_same(text: str) -> None:
    found = _try(lambda: parse(text))
    if isinstance(found, InvalidRequest):
        assert found.message
        assert "\ue000" not in found.message + found.hint
    else:
        assert parse(render(found)) == found


@given(st.lists(_PIECES | st.text(max_size=20), max_size=10))
@settings(max_examples=300, deadline=None)
def test_any_arguments_are_understood_or_refused_politely(argv: list[str]) -> None:
    found = _try(lambda: parse_argv(argv)[0])
    assert not isinstance(found, InvalidRequest) or found.message


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100))
def test_a_reason_of_plain_characters_arrives_unchanged(reason: str) -> None:
    meant = Deploy("myapp", "prod", reason=reason.strip())
    assert parse(render(meant)) == meant
