"""The text files under a folder, as far as people write them. Follows no link, reads nothing large."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from operations.errors import InvalidRequest

_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "node_modules", "vendor", ".venv", "venv", "__pycache__", ".terraform"}
)
_LARGEST = 1 << 20


def walk_files(root: Path) -> Iterator[Path]:
    """Every plain file in order of its name, deepest last. Raises InvalidRequest for no such place."""
    if root.is_file():
        yield root
        return
    if not root.is_dir():
        raise InvalidRequest(f"{root} is neither a file nor a folder.")
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def read_text(path: Path) -> str | None:
    """The text with its line ends; None for what is none, or too large. Raises OSError.

    Bytes that are no UTF-8, as old scripts have them in comments, come through `raw_bytes` unchanged.
    """
    if path.stat().st_size > _LARGEST:
        return None
    raw = path.read_bytes()
    return None if b"\0" in raw else raw.decode("utf-8", "surrogateescape")


def raw_bytes(text: str) -> bytes:
    """What `read_text` read."""
    return text.encode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """Fit for a terminal and for JSON."""
    return raw_bytes(text).decode("utf-8", "replace")
