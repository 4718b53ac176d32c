"""The command line as a process, beside a bot and without one, on the same database."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.integration.processes import open_world


async def test_a_deploy_without_a_bot_is_carried_out_by_the_command_itself(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        ended = await world.cli("deploy", "web", "staging", "1.1", "--json")
        assert ended.returncode == 0, ended.stderr
        document = json.loads(ended.stdout)
        assert document["state"] == "succeeded"
        assert document["version"] == "1.1"
        assert document["requested_by"] == "U01ALICE"
        assert world.patches("web") == 1


async def test_a_deploy_beside_a_bot_happens_once_and_is_told_in_slack(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        await world.start()
        ended = await world.cli("deploy", "web", "staging", "1.1", "--json")
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["state"] == "succeeded"
        await world.told_once("Live: web 1.1 → staging")
        assert world.patches("web") == 1


async def test_a_bad_version_ends_with_code_1_and_the_reason(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        ended = await world.cli("deploy", "web", "staging", "1.1-bad", "--json")
        assert ended.returncode == 1, ended.stderr
        document = json.loads(ended.stdout)
        assert document["state"] == "rolled_back"
        assert "cannot pull the image" in ended.stderr
        assert world.patches("web") == 2


async def test_what_is_not_permitted_ends_with_code_3_and_changes_nothing(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "guarded"}) as world:
        ended = await world.cli("deploy", "web", "guarded", "1.1", "--json")
        assert ended.returncode == 3, ended.stderr
        assert ended.stdout == ""
        assert "Traceback" not in ended.stderr
        assert ended.stderr.strip()
        assert world.patches("web") == 0


async def test_an_answer_that_cannot_be_written_is_one_line_and_code_1(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        with os.fdopen(os.open("/dev/full", os.O_WRONLY), "w") as full:
            ended = await world.cli("status", stdout=full)
        assert ended.returncode == 1
        assert ended.stderr == "The answer could not be written: No space left on device.\n"


async def test_a_reader_who_leaves_early_is_no_failure(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as closed:
            ended = await world.cli("status", stdout=closed)
        assert (ended.returncode, ended.stderr) == (0, "")
