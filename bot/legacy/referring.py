"""`hms-sys migrate references`: shows who still calls HMS-OPS, and changes the calls when asked."""

from __future__ import annotations

import difflib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.legacy.grammar import configured_targets, refusals
from bot.legacy.tree import raw_bytes, read_text, shown, walk_files
from bot.whole_files import replace_file
from handlers.cli.orders import ReferencesOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.references import (
    NEEDS_PROGRAM,
    Reference,
    Rules,
    find_references,
    replace_all,
)

_BACKUP = ".before-hms-sys"
_SHOWN = 160
_PROGRAM = re.compile(r"(?:~?/|\$\w+/|\$\{\w+\}/)[\w./+@-]+|[\w.+-]+")
_NO_TARGETS = (
    "Projects and environments were not compared: HMS_CONFIG names no hms.yaml that can be read.\n"
)


@dataclass(frozen=True, slots=True)
class Referrer:
    """A file that names HMS-OPS, its text, and the lines."""

    path: Path
    text: str
    references: tuple[Reference, ...]

    @property
    def changed(self) -> str:
        """The text with every call changed."""
        return replace_all(self.text, self.references)


def migrate_references(order: ReferencesOrder) -> int:
    """The exit code: 1 while something is left to change or to look at."""
    _check_program(order.program)
    catalog = configured_targets()
    rules = Rules(refuses=refusals(catalog), program=order.program)
    found = list(_referrers(Path(order.path), rules))
    if order.apply:
        for referrer in found:
            _apply(referrer)
    if order.as_json:
        document = {**_document(order, found), "targets_compared": catalog is not None}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join(_lines(order, found)))
        sys.stdout.write(_NO_TARGETS if found and catalog is None else "")
    left = any(reference.is_left for each in found for reference in each.references)
    return 1 if left or (found and not order.apply) else 0


def _check_program(program: str) -> None:
    """It is written into shell lines as it is."""
    if program and not _PROGRAM.fullmatch(program):
        raise InvalidRequest(
            f"“{program[:80]}” is no program's path.", hint="Say --program /opt/hms/bin/hms-sys."
        )


def _referrers(root: Path, rules: Rules) -> Iterator[Referrer]:
    for path in walk_files(root):
        if path.name.endswith(_BACKUP):
            continue
        try:
            text = read_text(path)
        except OSError as exc:
            unread = Reference(line=0, before="", reason=f"cannot be read: {exc.strerror}")
            yield Referrer(path, "", (unread,))
            continue
        references = tuple(find_references(text, rules, name=path.name)) if text else ()
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


def _lines(order: ReferencesOrder, found: Sequence[Referrer]) -> Iterator[str]:
    for referrer in found:
        yield from _diff(referrer)
    every = [(referrer.path, ref) for referrer in found for ref in referrer.references]
    if remarked := [(path, ref) for path, ref in every if ref.remarks]:
        yield "\nChanged, and to look at:\n"
        for path, ref in remarked:
            yield from _place(path, ref, ref.remarks)
    if open_ends := [(path, ref) for path, ref in every if ref.after is None]:
        yield "\nTo look at by hand:\n"
        for path, ref in open_ends:
            yield from _place(path, ref, [f"{ref.reason}."])
    yield _sum(order, [ref for _, ref in every])


def _place(path: Path, ref: Reference, said: Sequence[str]) -> Iterator[str]:
    line = " ".join(shown(ref.before).split())
    yield f"  {path}:{ref.line}: {line[:_SHOWN]}\n"
    yield from (f"    {sentence}\n" for sentence in said)


def _diff(referrer: Referrer) -> Iterator[str]:
    name = str(referrer.path)
    lines = difflib.unified_diff(
        shown(referrer.text).splitlines(True), shown(referrer.changed).splitlines(True), name, name
    )
    yield from (line if line.endswith("\n") else f"{line}\n" for line in lines)


def _sum(order: ReferencesOrder, references: Sequence[Reference]) -> str:
    if not references:
        return "Nothing names HMS-OPS here.\n"
    calls = sum(ref.after is not None for ref in references)
    lines = f"{calls} line" if calls == 1 else f"{calls} lines"
    if not calls:
        told = "Nothing was changed." if order.apply else "Nothing would be changed."
    elif order.apply:
        told = f"{lines} changed; the files as they were are beside them (*{_BACKUP})."
    else:
        told = f"{lines} would change: say --apply to change them."
    placed = sum(ref.reason == NEEDS_PROGRAM for ref in references)
    hint = f"{placed} more with --program, such as --program /opt/hms/bin/hms-sys.\n"
    return f"\n{told}\n{hint if placed else ''}"


def _document(order: ReferencesOrder, found: Sequence[Referrer]) -> dict[str, object]:
    return {
        "applied": order.apply,
        "files": [
            {"path": str(each.path), "references": [_reference(ref) for ref in each.references]}
            for each in found
        ],
    }


def _reference(ref: Reference) -> dict[str, object]:
    return {
        "line": ref.line,
        "before": shown(ref.before),
        "after": None if ref.after is None else shown(ref.after),
        "reason": ref.reason,
        "remarks": list(ref.remarks),
    }
