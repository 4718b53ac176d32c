from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.legacy.referring import migrate_references
from handlers.cli.orders import ReferencesOrder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that calls HMS-OPS from a script, a CI file, a cron table and a Makefile."""
    (tmp_path / "ci").mkdir()
    (tmp_path / "deploy.sh").write_text("#!/bin/sh\n./hms-ops.sh deploy myapp prod\n")
    (tmp_path / "deploy.sh").chmod(0o755)
    (tmp_path / "ci/build.yml").write_text("steps:\n  - run: bash hms-ops.sh status\n")
    (tmp_path / "crontab").write_text("0 * * * * hms /opt/hms-ops/hms-ops.sh errors 20\n")
    (tmp_path / "Makefile").write_text("ship:\n\t@hms-ops deploy myapp staging\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0hms-ops deploy")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("hms-ops deploy a b\n")
    return tmp_path


def run(folder: Path, *, apply: bool = False, as_json: bool = False) -> int:
    return migrate_references(ReferencesOrder(path=str(folder), apply=apply, as_json=as_json))


def test_changes_are_shown_as_a_diff_and_not_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder) == 1

    told = capsys.readouterr().out
    assert "-./hms-ops.sh deploy myapp prod\n+hms-sys deploy myapp prod\n" in told
    assert "4 lines would change" in told
    assert "./hms-ops.sh" in (folder / "deploy.sh").read_text()


def test_apply_changes_every_call_and_keeps_a_copy(folder: Path) -> None:
    assert run(folder, apply=True) == 0

    assert (folder / "deploy.sh").read_text() == "#!/bin/sh\nhms-sys deploy myapp prod\n"
    assert (folder / "Makefile").read_text() == "ship:\n\t@hms-sys deploy myapp staging\n"
    assert "hms-ops.sh" in (folder / "deploy.sh.before-hms-sys").read_text()
    assert (folder / "deploy.sh").stat().st_mode & 0o777 == 0o755
    assert (folder / ".git/config").read_text() == "hms-ops deploy a b\n"


def test_a_second_time_finds_nothing_and_keeps_the_first_copy(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, apply=True)
    capsys.readouterr()

    assert run(folder, apply=True) == 0
    assert capsys.readouterr().out == "Nothing mentions HMS-OPS here.\n"
    assert "hms-ops.sh" in (folder / "deploy.sh.before-hms-sys").read_text()


def test_what_a_person_must_look_at_is_listed_and_ends_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "README.md").write_text("We deploy with HMS-OPS.\n")

    assert run(folder, apply=True) == 1
    assert "README.md:1: We deploy with HMS-OPS." in capsys.readouterr().out


def test_the_report_is_json_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert len(document["files"]) == 4
    assert document["files"][0]["references"][0]["after"].endswith("hms-sys deploy myapp staging")


LATIN = "#!/bin/sh\n# für alle\n./hms-ops.sh deploy myapp prod\n".encode("latin-1")


def test_a_script_of_another_encoding_is_changed_and_its_other_bytes_stay(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "deploy.sh").write_bytes(LATIN)

    assert run(folder, apply=True) == 0

    assert (folder / "deploy.sh").read_bytes() == LATIN.replace(b"./hms-ops.sh", b"hms-sys")
    assert "-./hms-ops.sh deploy myapp prod" in capsys.readouterr().out
    assert run(folder, as_json=True) == 0


def test_what_cannot_be_read_is_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that refuses to be read whoever asks."""
    assert run(Path("/proc/self/mem")) == 1

    assert "/proc/self/mem:0: cannot be read" in capsys.readouterr().out


def test_owner_stays_who_it_was(folder: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(folder / "crontab", 65534, 65534)

    run(folder, apply=True)

    assert (folder / "crontab").stat().st_uid == 65534
