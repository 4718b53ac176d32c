"""What starting the command line costs."""

from __future__ import annotations

import subprocess
import sys

_HELP = """
import sys
import dataclasses
from typer.testing import CliRunner
from handlers.cli import Hooks, build_app

def never(*given):
    raise AssertionError("opened for nothing")

programs = {field.name: never for field in dataclasses.fields(Hooks)}
hooks = Hooks(**programs)
CliRunner().invoke(build_app(hooks), ["--help"])
slow = {"rich", "pydantic", "sqlalchemy", "aiohttp", "slack_sdk", "boto3", "kubernetes"}
print(sorted(slow & set(sys.modules)))
"""


def test_help_imports_nothing_slow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HELP], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
