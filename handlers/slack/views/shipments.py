"""What ships: the commits between what serves and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.slack.views.blocks import code, dots, link, one_line

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedCommit:
    """One commit: its full hash, the first line of its message and its author's name."""

    commit: str
    title: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """`commits` newest first; `url` of the comparison, `span` its words (`1.0.3…1.1.0`)."""

    commits: tuple[ShippedCommit, ...]
    url: str = ""
    span: str = ""


def shipment(shipped: Shipped) -> list[str]:
    """A heading and the newest commits."""
    commits = shipped.commits
    authors = len({commit.author for commit in commits})
    counts = f"{_many(len(commits), 'commit')} by {_many(authors, 'person', 'people')}"
    lines = [dots("*What ships*", counts if commits else "nothing new", _link(shipped))]
    lines += [
        f"• {code(commit.commit[:7])} {dots(one_line(commit.title, 100), one_line(commit.author, 40))}"
        for commit in commits[:_SHOWN]
    ]
    more = len(commits) - _SHOWN
    return [*lines, f"and {more} more"] if more > 0 else lines


def _link(shipped: Shipped) -> str:
    return link(shipped.url, shipped.span, 80)


def _many(count: int, word: str, words: str = "") -> str:
    return f"{count} {word if count == 1 else words or word + 's'}"
