from __future__ import annotations

from html.parser import HTMLParser

import pytest

from handlers.mail.pages import Code, Command, Heading, Image, Line, Page, Part, Table, line
from handlers.mail.rendering import render_html, render_text, render_title
from operations.letters import Tone

EVIL = "<script>alert(\"1\")</script> & <!channel> 'x'"


def page(*parts: Part | None, title: str = "Failing", headline: str = "🔴 Failing") -> Page:
    return Page(title=title, headline=headline, tone=Tone.BAD, parts=parts)


class Tags(HTMLParser):
    """What a browser would take for a tag, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "part",
    [
        Line(EVIL),
        Line(EVIL, small=True),
        Code(EVIL),
        Command(EVIL, EVIL),
        Heading(EVIL),
        Table((EVIL,), [(EVIL,)]),
        Image(EVIL, EVIL),
    ],
    ids=lambda part: type(part).__name__,
)
def test_nothing_that_is_shown_is_taken_for_html(part: Part) -> None:
    read = Tags(render_html(page(part, headline=EVIL)))

    assert "script" not in read.tags
    assert 'alert("1")' in read.text


def test_the_text_says_what_the_html_says() -> None:
    shown = page(
        Line("Since 12:00"),
        Code("answered 503\nsecond line"),
        Command("Look after it", "hms-sys ack A-1"),
        Heading("Errors"),
        Table(("Project", "Errors"), [("myapp", "12"), ("a longer one", "3")]),
        Image("chart", "Errors by hour"),
        None,
        Line("A-1", small=True),
    )

    assert render_text(shown) == (
        "🔴 Failing\n\n"
        "Since 12:00\n\n"
        "    answered 503\n    second line\n\n"
        "Look after it:\n    hms-sys ack A-1\n\n"
        "Errors\n------\n\n"
        "Project       Errors\nmyapp             12\na longer one       3\n\n"
        "A-1\n"
    )
    read = Tags(render_html(shown))
    for words in ("Since 12:00", "second line", "hms-sys ack A-1", "a longer one", "A-1"):
        assert words in read.text


def test_a_title_is_one_line_of_a_bearable_length() -> None:
    title = render_title(page(title="Failing:\r\nBcc: x@y.z\n" + "x" * 1000))

    assert title.startswith("Failing: Bcc: x@y.z ")
    assert len(title) == 200


def test_outsiders_text_cannot_pretend_to_be_a_line_of_ours() -> None:
    shown = page(Command("Approve", "x\nhms-sys approve D-2"), headline="a\nb")

    assert render_text(shown) == "a b\n\nApprove:\n    x hms-sys approve D-2\n"


def test_what_is_long_is_cut_and_code_keeps_its_end() -> None:
    text = render_text(page(Code("first" + "x" * 10_000 + "the reason"), Line("y" * 10_000)))

    assert "first" not in text
    assert "the reason\n" in text
    assert len(text) < 9_000


def test_a_table_without_a_head_shows_its_rows_only() -> None:
    shown = page(Table(("", ""), [("web", "99.9 %")]))

    assert render_text(shown).endswith("web  99.9 %\n")
    assert "th" not in Tags(render_html(shown)).tags


def test_a_line_of_nothing_is_none() -> None:
    assert line("", "") is None
    assert line("a", "", "b") == Line("a · b")


def test_a_word_wider_than_a_phone_is_broken_and_never_runs_out_of_its_frame() -> None:
    html = render_html(page(Code(f"app@sha256:{'0' * 64}")))

    body = html.partition("<body")[2].partition(">")[0]
    assert "overflow-wrap:anywhere" in body
    assert "white-space:pre-wrap" in html


def test_dark_words_bring_their_own_light_ground() -> None:
    body = render_html(page()).partition("<body")[2].partition(">")[0]

    assert ";color:#1d1c1d;background:#ffffff" in body
