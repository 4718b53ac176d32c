"""`hms-sys migrate audit`: what of an HMS-OPS checkout HMS-SYS covers, and what nobody does yet.

What its functions call besides, and HMS-SYS does nothing in the place of, is named for a person to look at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bot.legacy.audit_report import AuditReport
from bot.legacy.tree import read_text, walk_files
from handlers.cli.orders import AuditOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.bodies import Bodies
from operations.integration.legacy.coverage import Coverage, cover
from operations.integration.legacy.inventory import Part, PartKind, find_parts, is_shell
from operations.integration.legacy.keys import CONFIGURATION, cover_keys, tell_unreadable
from operations.integration.legacy.programs import Look, find_looks
from operations.integration.legacy.shell import read_script


def migrate_audit(order: AuditOrder) -> int:
    """1 while something is uncovered or to be looked at. Raises InvalidRequest where HMS-OPS is not."""
    root = Path(order.path)
    files = list(_read(root))
    parts = list(_first_of_each(find_parts(files)))
    looks = list(_looks(files, parts))
    scripts = [read_script(text) for path, text in files if is_shell(path, text)]
    found = [*cover(parts, Bodies(scripts, looks)), *_keys(root, parts)]
    if not found:
        raise InvalidRequest(
            f"{root} holds nothing of HMS-OPS.", hint="Name the folder with hms-ops.sh in it."
        )
    report = AuditReport(found, looks)
    sys.stdout.write(report.document() if order.as_json else report.sentences())
    return 0 if report.is_covered else 1


def _read(root: Path) -> Iterator[tuple[Path, str]]:
    for path in walk_files(root):
        yield path.relative_to(root) if root.is_dir() else Path(path.name), _text(path)


def _first_of_each(parts: Iterable[Part]) -> Iterator[Part]:
    seen: set[tuple[PartKind, str, str]] = set()
    for part in parts:
        if (part.kind, part.name, part.note) not in seen:
            seen.add((part.kind, part.name, part.note))
            yield part


def _looks(files: Sequence[tuple[Path, str]], parts: Iterable[Part]) -> Iterator[Look]:
    functions = {part.name for part in parts if part.kind is PartKind.FUNCTION}
    own = functions | {path.name for path, _ in files}
    for path, text in files:
        yield from find_looks(path, text, own)


def _text(path: Path) -> str:
    try:
        return read_text(path) or ""
    except OSError as exc:
        raise InvalidRequest(
            f"{path} cannot be read: {exc.strerror}.",
            hint="Nothing can be said of an HMS-OPS that is only half seen.",
        ) from exc


def _keys(root: Path, parts: Iterable[Part]) -> list[Coverage]:
    path = root / CONFIGURATION
    try:
        return cover_keys(parts, path.read_bytes() if path.is_file() else None)
    except OSError as exc:
        return [tell_unreadable(f"cannot be read: {exc.strerror}")]
