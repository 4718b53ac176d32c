"""HMS-OPS as a program of its own: what it gets, what it leaves, and how its end is found by anybody."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from operations.errors import ProviderUnavailable
from operations.integration.dual.ports import LegacyOrder, LegacyResult
from providers.legacy_keeper import LARGEST_LOG
from providers.legacy_runs import RunFiles
from providers.legacy_tool import HmsOps

ROOT = Path(__file__).parents[3]
ORDER = LegacyOrder("D-7", "k8s", "myapp", "prod", "1.4")
_ENVIRON = {"PATH": os.environ["PATH"]}


def tool(folder: Path, script: str, *, secrets: tuple[str, ...] = ()) -> HmsOps:
    """An HMS-OPS that is this shell script; its files are in `runs`."""
    return HmsOps(["/bin/sh", "-c", script], RunFiles(folder / "runs", secrets), _ENVIRON)


async def end_of(hms_ops: HmsOps) -> LegacyResult:
    run = await hms_ops.deploy(ORDER)
    found = await run.wait(20)
    assert found is not None
    return found


async def test_a_tool_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    hms_ops = HmsOps(["/nowhere/hms-ops.sh"], RunFiles(tmp_path / "runs"))

    with pytest.raises(ProviderUnavailable, match="HMS-OPS cannot be started: No such file"):
        await hms_ops.deploy(ORDER)


async def test_a_tool_that_may_not_be_run_is_said_so_to_whoever_comes_later_too(
    tmp_path: Path,
) -> None:
    (tmp_path / "hms-ops.sh").write_text("#!/bin/sh\n")
    hms_ops = HmsOps([str(tmp_path / "hms-ops.sh")], RunFiles(tmp_path / "runs"))
    with pytest.raises(ProviderUnavailable, match="cannot be started: Permission denied"):
        await hms_ops.deploy(ORDER)

    run = await tool(tmp_path, "true").find(ORDER)

    assert run is not None
    with pytest.raises(ProviderUnavailable, match="cannot be started: Permission denied"):
        await run.wait(1)


async def test_it_sees_of_our_environment_what_it_was_given(tmp_path: Path) -> None:
    environ = {**_ENVIRON, "KUBECONFIG": "/etc/kube"}
    hms_ops = HmsOps(["/bin/sh", "-c", "env"], RunFiles(tmp_path / "runs"), environ)

    said = [await end_of(hms_ops), await hms_ops.status("myapp", "prod")]

    for each in said:
        names = {line.partition("=")[0] for line in each.output.splitlines()}
        of_shell_and_python = {"PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}
        assert names - of_shell_and_python == {"PATH", "KUBECONFIG"}


async def test_one_that_was_killed_is_told_by_its_signal(tmp_path: Path) -> None:
    assert (await end_of(tool(tmp_path, "kill -9 $$"))).exit_code == -signal.SIGKILL


@pytest.mark.parametrize("code", [0, 3, 126, 127])
async def test_its_exit_code_is_kept_for_later(tmp_path: Path, code: int) -> None:
    await end_of(tool(tmp_path, f"exit {code}"))

    run = await tool(tmp_path, "true").find(ORDER)

    assert run is not None
    found = await run.wait(0)
    assert found is not None
    assert found.exit_code == code


async def test_it_is_never_started_a_second_time(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    await end_of(tool(tmp_path, f"echo once >> {calls}"))

    with pytest.raises(ProviderUnavailable, match="File exists"):
        await tool(tmp_path, f"echo twice >> {calls}").deploy(ORDER)

    assert calls.read_text() == "once\n"


async def test_a_hundred_megabytes_do_not_stay_on_the_disk(tmp_path: Path) -> None:
    script = "head -c 104857600 /dev/zero | tr '\\0' 'x' ; sleep 1; echo; echo end"
    hms_ops = tool(tmp_path, script)

    found = await end_of(hms_ops)

    assert found.output.endswith("end\n")
    assert (tmp_path / "runs/myapp/prod/D-7.log").stat().st_size < LARGEST_LOG


async def test_secrets_that_it_prints_are_masked(tmp_path: Path) -> None:
    script = (
        "echo using hunter2-hunter2; echo 'Authorization: Bearer abcdefghijkl'; echo password=abc"
    )

    found = await end_of(tool(tmp_path, script, secrets=("hunter2-hunter2",)))

    assert "hunter2" not in found.output
    assert "abcdefghijkl" not in found.output
    assert "password=[redacted]" in found.output


async def test_a_secret_that_the_cut_goes_through_is_not_shown(tmp_path: Path) -> None:
    script = "printf 'token=%090000d' 7; echo; echo end"

    assert (await end_of(tool(tmp_path, script))).output == "end\n"


async def test_its_end_does_not_wait_for_children_that_it_left(tmp_path: Path) -> None:
    hms_ops = tool(tmp_path, "sh -c 'while [ -e hold ]; do sleep 0.05; done' & echo left; exit 0")

    found = await end_of(hms_ops)

    assert (found.exit_code, found.output) == (0, "left\n")
    assert await hms_ops.at_work("myapp", "prod") is None


async def test_a_script_that_is_replaced_while_it_runs_ends_as_it_began(tmp_path: Path) -> None:
    script = tmp_path / "hms-ops.sh"
    hold = tmp_path / "hold"
    hold.touch()
    script.write_text(f"#!/bin/sh\nwhile [ -e {hold} ]; do sleep 0.05; done\necho old\n")
    script.chmod(0o755)
    run = await HmsOps([str(script)], RunFiles(tmp_path / "runs"), _ENVIRON).deploy(ORDER)
    (tmp_path / "new").write_text("#!/bin/sh\necho new\nexit 9\n")
    (tmp_path / "new").replace(script)
    hold.unlink()

    found = await run.wait(20)

    assert found is not None
    assert (found.exit_code, found.output) == (0, "old\n")


async def test_a_status_that_does_not_end_is_ended_with_what_it_started(
    tmp_path: Path,
) -> None:
    hms_ops = HmsOps(
        ["/bin/sh", "-c", "trap '' TERM; sleep 300"],
        RunFiles(tmp_path / "runs"),
        _ENVIRON,
        status_seconds=0.3,
    )

    found = await hms_ops.status("myapp", "prod")

    assert found == LegacyResult(None, "no answer within 0.3 s")
    assert list((tmp_path / "runs").iterdir()) == []


async def test_a_status_that_does_not_stop_talking_is_ended_before_the_disk_is_full(
    tmp_path: Path,
) -> None:
    hms_ops = HmsOps(
        ["/bin/sh", "-c", "while head -c 8388608 /dev/zero; do sleep 0.02; done"],
        RunFiles(tmp_path / "runs"),
        _ENVIRON,
    )

    found = await hms_ops.status("myapp", "prod")

    assert found == LegacyResult(None, "it did not stop talking: more than 64 MiB")
    assert list((tmp_path / "runs").iterdir()) == []


async def test_its_folder_is_nobody_else_s(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "real")

    with pytest.raises(ProviderUnavailable, match="somebody else's"):
        await tool(tmp_path, "true").deploy(ORDER)


async def test_nobody_else_may_look_into_its_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir(mode=0o755)

    await end_of(tool(tmp_path, "true"))

    found = [tmp_path / "runs", tmp_path / "runs/myapp/prod", *(tmp_path / "runs").rglob("*.*")]
    assert [each for each in found if each.stat().st_mode & 0o077] == []


async def test_what_is_two_weeks_old_is_removed_by_the_next(tmp_path: Path) -> None:
    await end_of(tool(tmp_path, "true"))
    long_ago = time.time() - 15 * 86_400
    for file in (tmp_path / "runs/myapp/prod").iterdir():
        os.utime(file, (long_ago, long_ago))

    later = LegacyOrder("D-8", "k8s", "myapp", "prod", "1.5")
    run = await tool(tmp_path, "true").deploy(later)
    await run.wait(20)

    assert {each.stem for each in (tmp_path / "runs/myapp/prod").iterdir()} == {"D-8"}


async def test_what_took_its_files_away_does_not_end_it_for_its_own_process(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    run = await tool(tmp_path, f"while [ -e {tmp_path}/hold ]; do sleep 0.05; done").deploy(ORDER)
    shutil.rmtree(tmp_path / "runs")

    while_held = await run.wait(0.3)
    (tmp_path / "hold").unlink()

    assert while_held is None
    assert await run.wait(20) == LegacyResult(None, "")


_BEGINS = """
import asyncio, os, pathlib, sys
from operations.integration.dual.ports import LegacyOrder
from providers.legacy_runs import RunFiles
from providers.legacy_tool import HmsOps

async def main():
    script = "echo begun; while [ -e hold ]; do sleep 0.05; done; echo done; exit 5"
    tool = HmsOps(["/bin/sh", "-c", script], RunFiles(pathlib.Path("runs")), os.environ)
    await tool.deploy(LegacyOrder("D-7", "k8s", "myapp", "prod", "1.4"))
    print("started", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def start_and_kill(folder: Path) -> None:
    """A process that starts HMS-OPS, which goes on while `hold` is there, and is killed."""
    (folder / "hold").touch()
    first = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _BEGINS,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"started\n"
    first.kill()
    await first.wait()


async def test_it_outlives_the_kill_of_whoever_started_it_and_its_end_is_found(
    tmp_path: Path,
) -> None:
    await start_and_kill(tmp_path)
    hms_ops = tool(tmp_path, "false")
    run = await hms_ops.at_work("myapp", "prod")
    assert run is not None

    while_held = await run.wait(0.3)
    last, place = await run.last_line(), await run.place()
    (tmp_path / "hold").unlink()
    found = await run.wait(10)

    assert (while_held, last) == (None, "begun")
    assert place.startswith("process ")
    assert found is not None
    assert (found.exit_code, found.output.split()) == (5, ["begun", "done"])
    assert await hms_ops.at_work("myapp", "prod") is None


async def test_where_its_keeper_was_killed_with_it_nobody_claims_to_know(tmp_path: Path) -> None:
    """As when the machine went down."""
    await start_and_kill(tmp_path)
    run = await tool(tmp_path, "false").find(ORDER)
    assert run is not None
    number = int((await run.place()).split()[1])
    os.killpg(os.getpgid(number), signal.SIGKILL)

    assert await run.wait(10) == LegacyResult(None, "begun\n")


async def test_a_stop_of_everything_at_once_is_written_down(tmp_path: Path) -> None:
    """As systemd and containers do it: SIGTERM to all."""
    await start_and_kill(tmp_path)
    run = await tool(tmp_path, "false").find(ORDER)
    assert run is not None
    number = int((await run.place()).split()[1])
    os.killpg(os.getpgid(number), signal.SIGTERM)

    found = await run.wait(10)

    assert found is not None
    assert found.exit_code == -signal.SIGTERM
