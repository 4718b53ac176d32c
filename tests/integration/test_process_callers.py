"""What the migration guide tells callers on other machines to type, against a real bot."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

from tests.integration.hms_dev import TOKEN, open_hms_dev
from tests.integration.processes import ROOT

_TYPED = re.compile(r"^```sh\n(curl .*?)^```", re.MULTILINE | re.DOTALL)


def typed() -> str:
    """The guide's own lines."""
    found = _TYPED.search((ROOT / "docs/migration.md").read_text(encoding="utf-8"))
    assert found
    return found[1]


async def test_a_ci_runner_s_curl_asks_once_however_often_the_job_is_run_again(
    tmp_path: Path,
) -> None:
    async with open_hms_dev(tmp_path) as dev:
        environ = {"PATH": os.environ["PATH"], "HMS_URL": dev.bot.url, "HMS_TOKEN": TOKEN}

        def ask() -> dict[str, str]:
            done = subprocess.run(
                ["/bin/sh", "-c", typed()],
                capture_output=True, text=True, timeout=30, check=False,
                env={**environ, "CI_JOB_ID": "job-1"},
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            document: dict[str, str] = json.loads(done.stdout)
            return document

        first = await asyncio.to_thread(ask)
        again = await asyncio.to_thread(ask)

        assert (first["project"], first["environment"], first["version"]) == (
            "myapp",
            "staging",
            "1.4",
        )
        assert again["id"] == first["id"]
