"""Files that are replaced whole or not at all, whatever stops the process; no half of one is left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def prepare_file(path: Path, content: bytes, *, mode: int | None = None) -> Path:
    """Write it under another name beside `path`, to be renamed. Raises OSError, and leaves nothing then.

    `mode` None: mode and owner are those of the file that is there. It is private from its first byte on.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    prepared = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is None:
            _become_like(prepared, path)
        else:
            prepared.chmod(mode)
    except BaseException:
        prepared.unlink(missing_ok=True)
        raise
    return prepared


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Raises OSError, with everything as it was."""
    prepared = prepare_file(path, content, mode=mode)
    try:
        prepared.replace(path)
    except BaseException:
        prepared.unlink(missing_ok=True)
        raise


@contextmanager
def editing_alone(folder: Path) -> Iterator[None]:
    """One at a time changes files of this folder: who reads, changes and writes loses nobody's change."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _become_like(prepared: Path, path: Path) -> None:
    """Another owner could no longer read what is private; so it is refused where it cannot be kept."""
    there, ours = path.stat(), prepared.stat()
    if (there.st_uid, there.st_gid) != (ours.st_uid, ours.st_gid):
        os.chown(prepared, there.st_uid, there.st_gid)
    shutil.copymode(path, prepared)
