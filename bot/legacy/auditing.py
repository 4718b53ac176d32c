"""`hms-sys migrate audit`: what of an HMS-OPS checkout HMS-SYS covers, and what nobody does yet."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.legacy.tree import read_text, walk_files
from handlers.cli.orders import AuditOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.coverage import Coverage, cover
from operations.integration.legacy.document import Unreadable, read_document
from operations.integration.legacy.findings import FindingKind
from operations.integration.legacy.inventory import Part, PartKind, find_parts
from operations.integration.legacy.translation import Hints, translate

_CONFIGURATION = ".hms-ops-config.json"


def migrate_audit(order: AuditOrder) -> int:
    """The exit code: 1 while something is uncovered. Raises InvalidRequest where HMS-OPS is not."""
    root = Path(order.path)
    found = [*cover(_parts(root)), *_configuration(root)]
    if not found:
        raise InvalidRequest(
            f"{root} holds nothing of HMS-OPS.", hint="Name the folder with hms-ops.sh in it."
        )
    missing = [each for each in found if not each.by]
    if order.as_json:
        sys.stdout.write(json.dumps(_document(found), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join(_lines(found)))
    return 1 if missing else 0


def _parts(root: Path) -> Iterator[Part]:
    seen: set[tuple[PartKind, str]] = set()
    for path in walk_files(root):
        relative = path.relative_to(root) if root.is_dir() else Path(path.name)
        for part in find_parts(relative, _text(path)):
            if (part.kind, part.name) not in seen:
                seen.add((part.kind, part.name))
                yield part


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


def _document(found: list[Coverage]) -> dict[str, object]:
    return {
        "covered": all(each.by for each in found),
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
