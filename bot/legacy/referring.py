"""`hms-sys migrate references`: shows who still calls HMS-OPS, and changes the calls when asked."""

from __future__ import annotations

import difflib
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.legacy.tree import raw_bytes, read_text, shown, walk_files
from bot.whole_files import replace_file
from handlers.cli.orders import ReferencesOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.references import Reference, find_references, replace_all

_BACKUP = ".before-hms-sys"


@dataclass(frozen=True, slots=True)
class Referrer:
    """A file that mentions HMS-OPS, its text, and the lines."""

    path: Path
    text: str
    references: tuple[Reference, ...]

    @property
    def changed(self) -> str:
        """The text with every call changed."""
        return replace_all(self.text)


def migrate_references(order: ReferencesOrder) -> int:
    """The exit code: 1 while something is left to change or to look at."""
    found = list(_referrers(Path(order.path)))
    if order.apply:
        for referrer in found:
            _apply(referrer)
    if order.as_json:
        sys.stdout.write(json.dumps(_document(order, found), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join(_lines(order, found)))
    looked = any(reference.after is None for each in found for reference in each.references)
    return 1 if looked or (found and not order.apply) else 0


def _referrers(root: Path) -> Iterator[Referrer]:
    for path in walk_files(root):
        if path.name.endswith(_BACKUP):
            continue
        try:
            text = read_text(path)
        except OSError as exc:
            yield Referrer(path, "", (Reference(0, f"cannot be read: {exc.strerror}", None),))
            continue
        references = tuple(find_references(text)) if text else ()
        if text and references:
            yield Referrer(path, text, references)


def _apply(referrer: Referrer) -> None:
    """A copy is kept beside it first; the file keeps mode and owner, and is whole at any moment."""
    path = referrer.path
    if referrer.changed == referrer.text:
        return
    backup = path.with_name(path.name + _BACKUP)
    try:
        if not backup.exists():
            shutil.copy2(path, backup)
        replace_file(path, raw_bytes(referrer.changed))
    except OSError as exc:
        raise InvalidRequest(f"{path} cannot be changed: {exc.strerror}.") from exc


def _lines(order: ReferencesOrder, found: list[Referrer]) -> Iterator[str]:
    for referrer in found:
        yield from _diff(referrer)
    open_ends = [(r.path, ref) for r in found for ref in r.references if ref.after is None]
    if open_ends:
        yield "\nTo look at by hand:\n"
        yield from (
            f"  {path}:{ref.line}: {shown(ref.before).strip()[:160]}\n" for path, ref in open_ends
        )
    yield _sum(order, found)


def _diff(referrer: Referrer) -> Iterator[str]:
    name = str(referrer.path)
    lines = difflib.unified_diff(
        shown(referrer.text).splitlines(True), shown(referrer.changed).splitlines(True), name, name
    )
    yield from (line if line.endswith("\n") else f"{line}\n" for line in lines)


def _sum(order: ReferencesOrder, found: list[Referrer]) -> str:
    calls = sum(ref.after is not None for each in found for ref in each.references)
    if not found:
        return "Nothing mentions HMS-OPS here.\n"
    if order.apply:
        return f"\n{calls} lines changed; the files as they were are beside them (*{_BACKUP}).\n"
    return f"\n{calls} lines would change: say --apply to change them.\n"


def _document(order: ReferencesOrder, found: list[Referrer]) -> dict[str, object]:
    return {
        "applied": order.apply,
        "files": [
            {
                "path": str(each.path),
                "references": [
                    {
                        "line": ref.line,
                        "before": shown(ref.before),
                        "after": None if ref.after is None else shown(ref.after),
                    }
                    for ref in each.references
                ],
            }
            for each in found
        ],
    }
