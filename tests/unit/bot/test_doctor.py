"""`doctor` looks at everything that can be looked at, also where nothing can start."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import load_config
from bot.doctor import of_targets, run_doctor, workspace_of
from operations.deployment.ports import TargetHealth
from operations.deployment.target import Target
from operations.diagnosis import Condition, Finding, diagnose
from operations.errors import ProviderUnauthorized
from tests.factories import make_catalog
from tests.fakes_deployment import ScriptedProvider

ROOT = Path(__file__).parents[3]


class Answering(ScriptedProvider):
    """A platform that answers as told, or refuses."""

    def __init__(self, answer: TargetHealth | Exception) -> None:
        super().__init__()
        self._answer = answer

    async def status(self, target: Target) -> TargetHealth:
        """As told."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


HEALTHY = TargetHealth(version="1.4", artifact="x", desired=3, healthy=3, state="healthy")


async def examine(answer: TargetHealth | Exception) -> Finding:
    catalog = make_catalog()
    platforms = {target.provider: Answering(answer) for target in catalog.targets}
    return (await diagnose(of_targets(catalog, platforms), seconds=5))[0]


async def test_a_target_that_answers_is_well() -> None:
    found = await examine(HEALTHY)

    assert found.condition is Condition.WELL
    assert "1.4 healthy, 3 of 3 healthy" in found.detail


async def test_a_target_that_is_down_is_doubtful_as_its_platform_answers() -> None:
    found = await examine(replace(HEALTHY, state="down", healthy=0))

    assert found.condition is Condition.DOUBTFUL
    assert found.advice.startswith("See `status ")


async def test_credentials_that_are_refused_are_failing_with_what_to_do() -> None:
    found = await examine(ProviderUnauthorized("No rights.", hint="Grant ecs:DescribeServices."))

    assert (found.condition, found.advice) == (Condition.FAILING, "Grant ecs:DescribeServices.")


async def test_faults_of_the_configuration_are_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hms.yaml"
    file.write_text("slack: {deploys_channel: general}\nenvironments: {}\nprojects: {}\n")
    monkeypatch.setenv("HMS_CONFIG", str(file))
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-made-up")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")

    (found,) = await run_doctor()

    assert found.subject == "slack.deploys_channel"
    assert found.condition is Condition.FAILING
    assert "(line 1)" in found.detail


async def test_it_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hms.yaml"
    file.write_text("slack: {deploys_channel: C01GEN}\nenvironments: {}\nprojects: {}\n")
    monkeypatch.setenv("HMS_CONFIG", str(file))
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/hms.db")
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)

    found = await run_doctor()

    assert {each.subject for each in found} >= {"SLACK_BOT_TOKEN", "connection", "disk"}
    assert os.listdir(tmp_path) == ["hms.yaml"]


async def test_a_folder_that_is_not_there_is_a_finding_and_the_rest_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hms.yaml"
    file.write_text("slack: {deploys_channel: C01GEN}\nenvironments: {}\nprojects: {}\n")
    monkeypatch.setenv("HMS_CONFIG", str(file))
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/none/hms.db")

    found = {each.subject: each for each in await run_doctor()}

    assert found["connection"].condition is Condition.FAILING
    assert "folder" in found["connection"].detail


def test_a_bug_of_the_command_line_is_told_without_the_values_at_hand() -> None:
    program = """
import asyncio
from bot.cli import _guard

async def work():
    token = "made-up-" + "value"
    raise KeyError("bug")

asyncio.run(_guard("x", work))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert "KeyError" in ended.stderr
    assert "made-up-value" not in ended.stderr


def test_every_channel_and_group_of_the_configuration_is_looked_at() -> None:
    workspace = workspace_of(load_config(ROOT / "hms.example.yaml"), "")

    assert set(workspace.channels) == {"C01GEN", "C02OPS", "C03LEADS"}
    assert workspace.groups == ("S01OPS",)


@pytest.mark.parametrize(
    ("command", "condition"), [("/bin/true", Condition.WELL), ("ops/none.sh", Condition.FAILING)]
)
async def test_secrets_of_components_and_the_program_of_dual_mode_are_looked_at(
    command: str, condition: Condition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the one `serve` does not start; without the other no rollout of the target does."""
    file = tmp_path / "hms.yaml"
    file.write_text(
        f"""\
slack: {{deploys_channel: C01GEN}}
environments: {{prod: {{}}}}
legacy: {{command: [{command}], environment: [OPS_TOKEN], state_directory: {tmp_path}/hms.yaml}}
components:
  hms-dev:
    token_sha256: "{"0" * 64}"
    may: [read]
    webhook: https://dev.example.com/hooks
    secret_env: DEV_SECRET
projects:
  myapp: {{environments: {{prod: {{provider: k8s, context: c, namespace: n, workload: deployment/w,
    image: a/b, dual: shadow}}}}}}
"""
    )
    monkeypatch.setenv("HMS_CONFIG", str(file))
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/hms.db")
    monkeypatch.delenv("DEV_SECRET", raising=False)
    monkeypatch.delenv("OPS_TOKEN", raising=False)

    found = {each.subject: each for each in await run_doctor()}

    assert found["DEV_SECRET"].condition is Condition.FAILING
    assert found["legacy.command"].condition is condition
    assert found["OPS_TOKEN"].condition is Condition.DOUBTFUL
    assert found["legacy.state_directory"].condition is Condition.FAILING
