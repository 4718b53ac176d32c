"""What starting the command line costs."""

from __future__ import annotations

import subprocess
import sys

_HELP = """
import sys
from typer.testing import CliRunner
from handlers.cli import Hooks, build_app

def never(*given):
    raise AssertionError("opened for nothing")

hooks = Hooks(
    open_services=never, guard=never, serve=never, sandbox=never, config_check=never,
    config_schema=never, config_migrate=never, migrate_audit=never, migrate_references=never, migrate_status=never, db_upgrade=never, audit_verify=never, doctor=never, components=never,
    audit_trail=never,
)
CliRunner().invoke(build_app(hooks), ["--help"])
slow = {"rich", "pydantic", "sqlalchemy", "aiohttp", "slack_sdk", "boto3", "kubernetes"}
print(sorted(slow & set(sys.modules)))
"""


def test_help_imports_nothing_slow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HELP], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
