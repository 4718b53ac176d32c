"""`hms-sys config migrate`: from `.hms-ops-config.json` to `hms.yaml`, and a `.env` beside it when asked.

Either everything is written or nothing, and what is there already is overwritten only when asked. The
result is read back by the same code that `config check` runs before it is written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.config.document import parse_document
from bot.config.reading import check_document
from bot.faults import ConfigError, Fault
from bot.legacy.reporting import report_document, say_report
from bot.legacy.writing import write_yaml
from bot.whole_files import prepare_file
from handlers.cli.orders import MigrateOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.document import Unreadable, read_document
from operations.integration.legacy.secrets import Secret
from operations.integration.legacy.spelling import say_path
from operations.integration.legacy.translation import Hints, Translation, translate

_STDOUT = "-"
_EMPTY = 1


def migrate_config(order: MigrateOrder) -> int:
    """The exit code: 1 when no target was found. What is left to people, the report says.

    Raises InvalidRequest when nothing can be or was written.
    """
    translation = _translated(order)
    text = write_yaml(translation, Path(order.source).name)
    _check(text, translation, order.source)
    secrets_text = "".join(_secret_lines(translation.secrets)) if order.secrets_file else ""
    written = _write_all(order, text, secrets_text)
    if order.as_json:
        sys.stdout.write(report_document(translation, *written) + "\n")
        return _code(translation)
    stream = sys.stderr if order.target == _STDOUT else sys.stdout
    stream.write(say_report(translation) + "\n")
    for name in filter(None, written):
        stream.write(f"\nWritten: {name}\n")
    return _code(translation)


def _code(translation: Translation) -> int:
    return 0 if translation.targets else _EMPTY


def _translated(order: MigrateOrder) -> Translation:
    try:
        raw = Path(order.source).read_bytes()
    except OSError as exc:
        raise InvalidRequest(f"{order.source} cannot be read: {exc.strerror}.") from exc
    hints = Hints(
        deploys_channel=order.deploys_channel,
        alerts_channel=order.alerts_channel,
        organization=order.organization,
    )
    try:
        return translate(read_document(raw), hints)
    except Unreadable as exc:
        raise InvalidRequest(f"{order.source}:{exc.message}", hint=exc.hint) from exc


def _check(text: str, translation: Translation, source: str) -> None:
    """What is to be written must pass `config check`, and hold no secret."""
    try:
        check_document(parse_document(text, "the new hms.yaml"))
    except ConfigError as exc:
        told = "\n".join(_at_its_origin(fault, translation, source) for fault in exc.faults)
        raise InvalidRequest(
            f"What was read makes no valid configuration:\n{told}",
            hint="Nothing was written. Mend the old file at these keys, or take them out.",
        ) from exc
    for secret in translation.secrets:
        if len(secret.value) >= 6 and secret.value in text:
            raise InvalidRequest(
                f"{say_path(secret.path)} is a secret and stands at another key too.",
                hint="Nothing was written. Take it out of the other key.",
            )


def _at_its_origin(fault: Fault, translation: Translation, source: str) -> str:
    """The fault where its value stands in the old file, as the new one is not there to look at."""
    path = fault.path
    while path and path not in translation.origins:
        path = path.rpartition(".")[0]
    origin = translation.origins.get(path)
    if origin is None:
        return f"{fault.path}: {fault.message}"
    return f"{source}:{origin.place} {origin.path}: {fault.message}"


def _secret_lines(secrets: tuple[Secret, ...]) -> Iterator[str]:
    """`NAME='value'`, as shells, Compose and systemd read it; one variable has one value."""
    known: dict[str, Secret] = {}
    for secret in secrets:
        first = known.setdefault(secret.variable or say_path(secret.path), secret)
        if not secret.variable:
            continue
        if first.value != secret.value:
            yield f"# {say_path(secret.path)} has another value than {say_path(first.path)}: decide.\n"
        elif "'" in secret.value or "\n" in secret.value:
            yield f"# {secret.variable} has a quote or several lines: use {secret.variable}_FILE.\n"
        elif first is secret:
            yield f"{secret.variable}='{secret.value}'\n"


def _write_all(order: MigrateOrder, text: str, secrets_text: str) -> tuple[str, str]:
    """The names of what was written; everything is checked before the first byte is."""
    files = [] if order.target == _STDOUT else [(Path(order.target), text, 0o644)]
    if order.secrets_file:
        files.append((Path(order.secrets_file), secrets_text, 0o600))
    _check_free([path for path, _, _ in files], order.force)
    _write_files(files)
    if order.target == _STDOUT and not order.as_json:
        sys.stdout.write(text)
    return ("" if order.target == _STDOUT else order.target), order.secrets_file


def _check_free(paths: Sequence[Path], force: bool) -> None:
    if len({path.resolve() for path in paths}) < len(paths):
        raise InvalidRequest("The configuration and the secrets need two files.")
    for path in paths:
        if path.is_dir():
            raise InvalidRequest(f"{path} is a folder, and nothing was written.")
        if (path.exists() or path.is_symlink()) and not force:
            raise InvalidRequest(
                f"{path} is there already, and nothing was written.",
                hint="Write elsewhere with -o, or overwrite it with --force.",
            )


def _write_files(files: Sequence[tuple[Path, str, int]]) -> None:
    """All are written beside their places before the first is put into its own."""
    prepared: list[tuple[Path, Path]] = []
    try:
        for path, content, mode in files:
            prepared.append((_prepared(path, content, mode), path))
        for ready, path in prepared:
            ready.replace(path)
    finally:
        for ready, _ in prepared:
            ready.unlink(missing_ok=True)


def _prepared(path: Path, content: str, mode: int) -> Path:
    try:
        return prepare_file(path, content.encode(), mode=mode)
    except OSError as exc:
        raise InvalidRequest(
            f"{path} cannot be written: {exc.strerror}.", hint="Nothing was written."
        ) from exc
