"""`hms-sys migrate audit`: what of an HMS-OPS checkout HMS-SYS covers, and what nobody does yet.

A part is covered by its name. What its body calls besides, and HMS-SYS does nothing in the place of, is named
for a person to look at.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bot.legacy.tree import read_text, walk_files
from handlers.cli.orders import AuditOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.coverage import Coverage, cover
from operations.integration.legacy.document import Unreadable, read_document
from operations.integration.legacy.findings import FindingKind
from operations.integration.legacy.inventory import Part, PartKind, find_parts
from operations.integration.legacy.programs import Look, find_looks
from operations.integration.legacy.translation import Hints, translate

_CONFIGURATION = ".hms-ops-config.json"


def migrate_audit(order: AuditOrder) -> int:
    """1 while something is uncovered or to be looked at. Raises InvalidRequest where HMS-OPS is not."""
    root = Path(order.path)
    files = list(_read(root))
    parts = list(_parts(files))
    found = [*cover(_first_of_each(parts)), *_configuration(root)]
    if not found:
        raise InvalidRequest(
            f"{root} holds nothing of HMS-OPS.", hint="Name the folder with hms-ops.sh in it."
        )
    looks = list(_looks(files, parts))
    if order.as_json:
        document = _document(found, looks)
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join([*_lines(found), *_look_lines(looks)]))
    return 0 if all(each.by for each in found) and not looks else 1


def _read(root: Path) -> Iterator[tuple[Path, str]]:
    for path in walk_files(root):
        yield path.relative_to(root) if root.is_dir() else Path(path.name), _text(path)


def _parts(files: Iterable[tuple[Path, str]]) -> Iterator[Part]:
    for path, text in files:
        yield from find_parts(path, text)


def _first_of_each(parts: Iterable[Part]) -> Iterator[Part]:
    seen: set[tuple[PartKind, str]] = set()
    for part in parts:
        if (part.kind, part.name) not in seen:
            seen.add((part.kind, part.name))
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


def _configuration(root: Path) -> Iterator[Coverage]:
    """Keys of the configuration itself, by what `config migrate` makes of them."""
    path = root / _CONFIGURATION
    if not path.is_file():
        return
    try:
        translation = translate(read_document(path.read_bytes()), Hints())
    except (Unreadable, OSError) as exc:
        why = exc.message if isinstance(exc, Unreadable) else f"cannot be read: {exc.strerror}"
        yield Coverage(Part(kind=PartKind.CONFIGURATION, name=why, file=_CONFIGURATION), "")
        return
    for finding in translation.findings:
        part = Part(
            kind=PartKind.CONFIGURATION,
            name=finding.path,
            file=_CONFIGURATION,
            line=finding.place.line if finding.place else 0,
        )
        unknown = finding.kind is FindingKind.UNKNOWN
        yield Coverage(part, "" if unknown else f"hms-sys config migrate: {finding.text}")


def _lines(found: list[Coverage]) -> Iterator[str]:
    for each in found:
        mark = "covered  " if each.by else "UNCOVERED"
        place = f"{each.part.file}:{each.part.line}" if each.part.line else each.part.file
        by = f" → {each.by}" if each.by else ""
        yield f"{mark}  {each.part.kind.value} {each.part.name} ({place}){by}\n"
    missing = sum(not each.by for each in found)
    yield f"\n{len(found) - missing} of {len(found)} parts are covered.\n"
    if missing:
        yield "Decide for each uncovered part whether somebody still needs it.\n"


def _look_lines(looks: Sequence[Look]) -> Iterator[str]:
    if not looks:
        return
    yield "\nHMS-SYS does nothing in the place of these programs. Look at each:\n"
    for look in looks:
        place = f"{look.file}:{look.line}"
        yield f"LOOK AT    {look.program} ({place}{f', in {look.function}' if look.function else ''})\n"
    yield (
        "What is still needed belongs to where the platform deploys: Forge's deployment script, the image,"
        " a job of CI.\n"
    )


def _document(found: Sequence[Coverage], looks: Sequence[Look]) -> dict[str, object]:
    return {
        "covered": all(each.by for each in found) and not looks,
        "look_at": [
            {
                "program": look.program,
                "function": look.function or None,
                "file": look.file,
                "line": look.line,
            }
            for look in looks
        ],
        "parts": [
            {
                "kind": each.part.kind.value,
                "name": each.part.name,
                "file": each.part.file,
                "line": each.part.line or None,
                "covered_by": each.by or None,
            }
            for each in found
        ],
    }
