from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.legacy.referring import migrate_references
from handlers.cli.orders import ReferencesOrder
from operations.errors import InvalidRequest

PROGRAM = "/opt/hms/bin/hms-sys"


@pytest.fixture(autouse=True)
def config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where hms.yaml would be; there is none."""
    path = tmp_path_factory.mktemp("etc") / "hms.yaml"
    monkeypatch.setenv("HMS_CONFIG", str(path))
    return path


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


def run(folder: Path, *, apply: bool = False, as_json: bool = False, program: str = PROGRAM) -> int:
    return migrate_references(
        ReferencesOrder(path=str(folder), apply=apply, as_json=as_json, program=program)
    )


def test_changes_are_shown_as_a_diff_and_not_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder) == 1

    told = capsys.readouterr().out
    assert "-./hms-ops.sh deploy myapp prod\n+/opt/hms/bin/hms-sys deploy myapp prod\n" in told
    assert "4 lines would change" in told
    assert "./hms-ops.sh" in (folder / "deploy.sh").read_text()


def test_apply_changes_every_call_and_keeps_a_copy(folder: Path) -> None:
    assert run(folder, apply=True) == 0

    assert (folder / "deploy.sh").read_text() == f"#!/bin/sh\n{PROGRAM} deploy myapp prod\n"
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
    assert capsys.readouterr().out == "Nothing names HMS-OPS here.\n"
    assert "hms-ops.sh" in (folder / "deploy.sh.before-hms-sys").read_text()


def test_what_a_person_must_look_at_is_listed_and_ends_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "README.md").write_text("We deploy with HMS-OPS.\n")

    assert run(folder, apply=True) == 1
    told = capsys.readouterr().out
    assert "README.md:1: We deploy with HMS-OPS.\n    a sentence of a document.\n" in told


def test_a_line_that_names_it_still_after_the_change_ends_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "crontab").write_text("0 * * * * hms hms-ops status >/var/log/hms-ops\n")

    assert run(folder, apply=True) == 1
    assert "the line names HMS-OPS still." in capsys.readouterr().out
    assert run(folder, apply=True) == 1


def test_remarks_stand_with_their_lines_in_text_and_in_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "deploy.sh").write_text("hms-ops status myapp | grep -q DOWN\n")
    words = "HMS-SYS's words are others: let programs read `hms-sys status --json`."

    run(folder)
    told = capsys.readouterr().out
    run(folder, as_json=True)
    files = json.loads(capsys.readouterr().out)["files"]

    assert f"deploy.sh:1: hms-ops status myapp | grep -q DOWN\n    {words}\n" in told
    assert [words] in [each["references"][0]["remarks"] for each in files]


def test_without_a_program_full_paths_wait_and_the_last_line_says_for_what(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, apply=True, program="") == 1

    assert (folder / "deploy.sh").read_text() == "#!/bin/sh\nhms-sys deploy myapp prod\n"
    assert "/opt/hms-ops/hms-ops.sh errors 20" in (folder / "crontab").read_text()
    assert "\n1 more with --program" in capsys.readouterr().out


@pytest.mark.parametrize("program", ["hms sys", "$(id)", "a;b", "'x'", "/opt/\nx"])
def test_what_is_no_path_is_never_written_into_scripts(folder: Path, program: str) -> None:
    with pytest.raises(InvalidRequest, match="is no program's path"):
        run(folder, apply=True, program=program)

    assert "hms-ops.sh" in (folder / "deploy.sh").read_text()


def test_where_nothing_changes_nothing_is_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("We deploy with HMS-OPS.\n")

    run(tmp_path)

    assert "\nNothing would be changed.\n" in capsys.readouterr().out


CONFIG = """\
slack: {deploys_channel: C01GEN}
environments: {staging: {}, prod: {}}
projects:
  myapp:
    repository: acme/myapp
    environments:
      staging: {provider: forge, organization: acme, server: 1, site: 2}
      prod: {provider: forge, organization: acme, server: 1, site: 3}
"""


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("deploy forge shop prod", "There is no project “shop” in hms.yaml."),
        ("deploy forge myapp moon", "myapp has no environment “moon” in hms.yaml."),
        ("deploy k8s myapp prod", "myapp/prod is deployed by forge in hms.yaml."),
        ("deploy d myapp prod", "There is no project “d” in hms.yaml."),
    ],
)
def test_targets_that_are_not_configured_are_for_a_person(
    folder: Path, config: Path, capsys: pytest.CaptureFixture[str], call: str, why: str
) -> None:
    config.write_text(CONFIG)
    (folder / "deploy.sh").write_text(f"hms-ops {call}\nhms-ops deploy forge myapp $E\n")

    run(folder, apply=True)

    assert f"{call}\n    {why}\n" in capsys.readouterr().out
    assert (folder / "deploy.sh").read_text() == f"hms-ops {call}\nhms-sys deploy forge myapp $E\n"


def test_that_targets_were_not_compared_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder)

    assert "Projects and environments were not compared" in capsys.readouterr().out


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

    assert (folder / "deploy.sh").read_bytes() == LATIN.replace(b"./hms-ops.sh", PROGRAM.encode())
    assert "-./hms-ops.sh deploy myapp prod" in capsys.readouterr().out
    assert run(folder, as_json=True) == 0


def test_what_cannot_be_read_is_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that refuses to be read whoever asks."""
    assert run(Path("/proc/self/mem")) == 1

    assert "cannot be read" in capsys.readouterr().out


def test_owner_stays_who_it_was(folder: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(folder / "crontab", 65534, 65534)

    run(folder, apply=True)

    assert (folder / "crontab").stat().st_uid == 65534
