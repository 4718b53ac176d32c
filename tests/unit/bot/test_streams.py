"""The command line, started as cron tables and daemons start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_command_does_its_work_with_streams_closed(tmp_path: Path, closed: str) -> None:
    """Without them its first file took their number, and what it said was written into that."""
    shutil.copy(ROOT / "hms.example.yaml", tmp_path / "hms.yaml")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "HMS_DATABASE_URL": f"sqlite:///{tmp_path}/hms.db",
    }

    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m bot errors 20 {closed}"],
        capture_output=True, text=True, timeout=60, check=False, env=environ, cwd=tmp_path,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
