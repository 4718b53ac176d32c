"""Which lines of a file are for people to read, and which for programs to run. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

_MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
_DOCUMENTS = frozenset({".rst", ".adoc", ".asciidoc", ".html", ".htm", ".org", ".tex", ".textile"})
_READ = re.compile(r"(?:readme|changelog|changes|notes|todo|history)(?:\.txt)?", re.IGNORECASE)
_OWN = frozenset(
    {"hms-ops.sh", "hms-ops", "forge-api.php", "integrate-all.sh", "hms-dev-integration.sh"}
)
_FENCE = re.compile(r"\s*(?:>\s*)?(```+|~~~+)")
_INDENTED = re.compile(r"(?: {4}|\t)\s*\S")
_SHOWN = re.compile(r"""\bcat\b[^|;&]*<<-?\s*["']?(\w+)""")


def lines_of_prose(name: str, lines: Sequence[str]) -> dict[int, str]:
    """For each line (from 0) that nothing runs: why. `name` is the file's."""
    path = PurePath(name)
    if path.name.lower() in _OWN:
        return dict.fromkeys(range(len(lines)), "a file of HMS-OPS itself")
    if path.suffix.lower() in _MARKDOWN:
        return dict(_beside_code(lines))
    if path.suffix.lower() in _DOCUMENTS or _READ.fullmatch(path.name):
        return dict.fromkeys(range(len(lines)), "a document")
    return dict(_here_documents(lines))


def _beside_code(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Markdown: fenced blocks and indented ones are code."""
    fence = ""
    for number, line in enumerate(lines):
        if found := _FENCE.match(line):
            if not fence:
                fence = found[1]
            elif found[1].startswith(fence):
                fence = ""
        elif not fence and not _INDENTED.match(line):
            yield number, "a sentence of a document"


def _here_documents(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What `cat <<END` shows or writes."""
    end = ""
    for number, line in enumerate(lines):
        if end:
            if line.strip() == end:
                end = ""
            else:
                yield number, "a text that `cat` shows or writes"
        elif found := _SHOWN.search(line):
            end = found[1]
