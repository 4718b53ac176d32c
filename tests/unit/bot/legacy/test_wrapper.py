"""The old name, as a process beside a program that records what it is called with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_RECORDER = """\
#!{python}
import json, os, sys
json.dump(sys.argv[1:], open({file!r}, "w"))
for number in (0, 1, 2):
    os.fstat(number)
print("from hms-sys")
sys.exit(int({code!r}))
"""
_WRAPPER = "#!{python}\nfrom bot.legacy.wrapper import main\nmain()\n"
ROOT = Path(__file__).parents[4]


@dataclass
class Place:
    """A folder with `hms-ops` and a recording `hms-sys` in it."""

    folder: Path

    def call(
        self, *words: str, code: int = 0, name: str = "hms-ops"
    ) -> subprocess.CompletedProcess[str]:
        self._install("hms-sys", _RECORDER, file=str(self.folder / "called"), code=str(code))
        wrapper = self._install(name, _WRAPPER)
        environ = {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
        return subprocess.run(
            [str(wrapper), *words],
            capture_output=True, text=True, timeout=30, check=False, env=environ, cwd=self.folder,
        )  # fmt: skip

    def called(self) -> list[str] | None:
        """What `hms-sys` was called with; None when it was not."""
        file = self.folder / "called"
        return json.loads(file.read_text()) if file.exists() else None

    def _install(self, name: str, text: str, **values: str) -> Path:
        path = self.folder / name
        path.write_text(text.format(python=sys.executable, **values))
        path.chmod(0o755)
        return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["deploy", "forge", "site", "prod"], ["deploy", "forge", "site", "prod"]),
        (["deploy", "ecs", "myapp", "prod", "v1.2"], ["deploy", "ecs", "myapp", "prod", "v1.2"]),
        (["status"], ["status"]),
        (["status", "myapp", "prod"], ["status", "myapp", "prod"]),
        (["monitor", "start"], ["monitor", "start"]),
        (["monitor", "stop", "myapp"], ["monitor", "stop", "myapp"]),
        (["errors"], ["errors"]),
        (["errors", "20"], ["errors", "20"]),
        (["logs", "myapp", "prod"], ["logs", "myapp", "prod"]),
        (["logs"], ["history"]),
        (["logs", "200"], ["history", "--limit", "200"]),
        (["logs", "k8s", "myapp", "prod", "200"], ["logs", "myapp", "prod", "--lines", "200"]),
        (["help"], ["help"]),
        (["--help"], ["help"]),
        ([], ["help"]),
    ],
)
def test_every_old_command_is_handed_on(
    place: Place, words: list[str], expected: list[str]
) -> None:
    place.call(*words)

    assert place.called() == expected


def test_quoting_survives(place: Place) -> None:
    odd = [
        "deploy",
        "myapp",
        "prod",
        "--reason",
        'it\'s "odd"; rm -rf / $(whoami) `id`',
        "",
        "two  spaces",
    ]

    place.call(*odd)

    assert place.called() == odd


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_exit_code_is_the_new_program_s(place: Place, code: int) -> None:
    assert place.call("status", code=code).returncode == code


def test_only_the_new_program_writes_to_standard_output(place: Place) -> None:
    assert place.call("status").stdout == "from hms-sys\n"


def test_it_warns_on_standard_error_once_a_day(place: Place) -> None:
    first, second = place.call("status"), place.call("status")

    assert first.stderr == (
        "hms-ops is deprecated: HMS-OPS was replaced by HMS-SYS. Say `hms-sys` instead.\n"
    )
    assert second.stderr == ""


def test_yesterday_s_warning_does_not_count(place: Place) -> None:
    state = place.folder / ".local/state/hms-sys"
    state.mkdir(parents=True)
    (state / "hms-ops-warned-2020-01-01").touch()

    assert "deprecated" in place.call("status").stderr
    assert len(list(state.iterdir())) == 1


def test_of_many_calls_at_once_one_warns(place: Place) -> None:
    place.call("status")
    for stamp in (place.folder / ".local/state/hms-sys").iterdir():
        stamp.unlink()
    environ = {"HOME": str(place.folder), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    many = " & ".join(["./hms-ops nothing"] * 6)

    done = subprocess.run(
        ["/bin/sh", "-c", f"{many} & wait"],
        capture_output=True, text=True, timeout=30, check=False, env=environ, cwd=place.folder,
    )  # fmt: skip

    assert done.stderr.count("deprecated") == 1


def test_it_works_where_nothing_can_be_remembered(place: Place) -> None:
    (place.folder / ".local").write_text("a file in the way")

    assert place.call("status").returncode == 0
    assert "deprecated" in place.call("status").stderr


def test_it_works_under_its_old_file_name(place: Place) -> None:
    place.call("status", name="hms-ops.sh")

    assert place.called() == ["status"]


def test_an_unknown_command_gets_a_hint_and_one(place: Place) -> None:
    done = place.call("frobnicate", "--now")

    assert done.returncode == 1
    assert done.stderr.endswith(
        "hms-ops: “frobnicate” is not known to this wrapper. `hms-sys help` lists what there is.\n"
    )
    assert place.called() is None


@pytest.mark.parametrize("word", ["rollback", "doctor", "components"])
def test_a_command_that_only_hms_sys_has_is_not_handed_on_but_named(
    place: Place, word: str
) -> None:
    """A script's own HMS-OPS may have meant something else by it."""
    done = place.call(word, "shop", "staging")

    assert done.returncode == 1
    assert f"“{word}” is not known to this wrapper; `hms-sys {word}` exists." in done.stderr
    assert place.called() is None


def test_a_closed_standard_error_keeps_no_command_from_its_work(place: Place) -> None:
    """As cron tables and daemons call it: `2>&-`."""
    place.call("status")
    (place.folder / "called").unlink()
    for stamp in (place.folder / ".local/state/hms-sys").iterdir():
        stamp.unlink()
    environ = {"HOME": str(place.folder), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

    done = subprocess.run(
        ["/bin/sh", "-c", "./hms-ops status myapp 2>&-"],
        stdout=subprocess.PIPE, text=True, timeout=30, check=False, env=environ, cwd=place.folder,
    )  # fmt: skip

    assert place.called() == ["status", "myapp"]
    assert (done.returncode, done.stdout) == (0, "from hms-sys\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_open_for_the_new_program(place: Place, closed: str) -> None:
    """Else its first file would be taken for them."""
    place.call("status")
    environ = {"HOME": str(place.folder), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

    done = subprocess.run(
        ["/bin/sh", "-c", f"./hms-ops status {closed}"],
        capture_output=True, text=True, timeout=30, check=False, env=environ, cwd=place.folder,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_command_is_told_without_what_steers_a_terminal(place: Place) -> None:
    assert "“�[31mred”" in place.call("\x1b[31mred").stderr


def test_a_program_that_cannot_be_run_is_told_without_a_traceback(tmp_path: Path) -> None:
    wrapper, broken = tmp_path / "hms-ops", tmp_path / "hms-sys"
    wrapper.write_text(_WRAPPER.format(python=sys.executable))
    broken.write_text("#!/nowhere/python\n")
    for each in (wrapper, broken):
        each.chmod(0o755)

    done = subprocess.run(
        [str(wrapper), "status"],
        capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path,
        env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
    )  # fmt: skip

    assert done.returncode == 126
    assert "cannot be run: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
