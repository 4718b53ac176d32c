"""The commands of the guides, run in order where a reader would run them; the files and links they name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.settings import SECRETS, VARIABLES
from operations.deployment.rollout import Rollout, RolloutState
from storage.database import open_database
from tests.contract.databases import PostgresServer, add_rollout, program

pytest_plugins = ("tests.contract.database_fixtures",)

ROOT = Path(__file__).parents[2]
GUIDES = sorted(
    [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "examples").rglob("*.md")]
)
_BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#([^)\s]*))?\)")
_DUAL = """
legacy:
  command: [ops/hms-ops.sh]
"""


def commands(guide: Path, heading: str = "") -> list[str]:
    """Lines that begin with `$`, of the blocks that are meant to be typed; "" all of them."""
    text = guide.read_text(encoding="utf-8")
    if heading:
        _, found, text = text.partition(f"\n{heading}\n")
        assert found, f"{guide.name} has no {heading}"
        text = re.split(r"^#+ ", text, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = _BLOCK.findall(text)
    lines = [line.lstrip() for block in blocks for line in block.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ ")]


def run(
    command: str, folder: Path, database_url: str = "sqlite:///hms.db"
) -> subprocess.CompletedProcess[str]:
    """As typed, without a shell; the programs are those of this very checkout."""
    words = shlex.split(command.replace("$HMS_DATABASE_URL", database_url), comments=True)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HMS_CONFIG": "hms.yaml",
        "HMS_DATABASE_URL": database_url,
        "KUBECONFIG": str(folder / "none"),
    }
    return subprocess.run(
        [_program(words[0]), *words[1:]],
        capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=environ,
    )  # fmt: skip


def type_all(typed: Sequence[str], folder: Path, database_url: str = "sqlite:///hms.db") -> None:
    """Each must end as the guide says."""
    assert typed
    for command in typed:
        done = run(command, folder, database_url)
        expected = 1 if "# ends with 1" in command else 0
        assert done.returncode == expected, (command, done.stdout, done.stderr)


def _program(name: str) -> str:
    """Ours, PostgreSQL's of the version that the tests' server has, or the system's."""
    own = Path(sys.executable).with_name(name)
    if own.exists():
        return str(own)
    return program(name) if name in {"pg_dump", "pg_restore", "psql"} else name


@pytest.mark.timeout(120)
def test_the_migration_guide_s_commands_do_what_it_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/hms-ops", tmp_path / "ops")
    shutil.move(tmp_path / "ops/around", tmp_path / "around")
    typed = commands(ROOT / "docs/migration.md")
    assert len(typed) > 10

    for command in typed:
        if command.startswith("hms-sys migrate status"):  # the guide has just had `legacy:` added
            _go_dual(tmp_path / "hms.yaml")
            assert run("hms-sys config check", tmp_path).returncode == 0
        type_all([command], tmp_path)

    assert "hms-sys deploy k8s myapp staging" in (tmp_path / "around/Makefile").read_text()
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def _go_dual(config: Path) -> None:
    text = config.read_text().replace(
        'namespace: "default"', 'namespace: "default"\n        dual: shadow'
    )
    config.write_text(text + _DUAL)


OPERATIONS = ROOT / "docs/operations.md"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the example's configuration, where the guide's reader types."""
    shutil.copy(ROOT / "hms.example.yaml", tmp_path / "hms.yaml")
    return tmp_path


def test_the_unit_gives_the_bot_variables_that_it_knows_and_secrets_that_it_is_handed() -> None:
    unit = OPERATIONS.read_text(encoding="utf-8").partition("```ini\n")[2].partition("```")[0]
    given = dict(re.findall(r"^Environment=(\w+)=(\S+)$", unit, re.MULTILINE))
    handed = set(re.findall(r"^LoadCredential=(\w+):/etc/hms/secrets/\1$", unit, re.MULTILINE))

    known = {variable.name for variable in VARIABLES} | {f"{name}_FILE" for name in SECRETS}
    assert set(given) <= known
    files = {name: value for name, value in given.items() if name.endswith("_FILE")}
    assert {value.removeprefix("%d/") for value in files.values()} == handed
    assert "ExecStart=/opt/hms/bin/hms-sys serve\n" in unit


def test_the_operations_guide_s_other_commands_end_as_it_says(shop: Path) -> None:
    type_all(commands(OPERATIONS, "## Install it in a workspace"), shop)
    type_all(commands(OPERATIONS, "## Upgrade, and go back"), shop)


async def test_a_backup_of_sqlite_in_use_is_restored_with_its_history(shop: Path) -> None:
    url = f"sqlite:///{shop / 'hms.db'}"
    backup, *restore = commands(OPERATIONS, "### SQLite")
    async with await open_database(url) as database:
        await add_rollout(database, state=RolloutState.SUCCEEDED)
        kept = _history(shop, url)
        type_all([backup], shop)
        lost = await add_rollout(database, project="site")

    type_all(restore, shop, url)

    assert _history(shop, url) == kept
    await _no_number_comes_again(url, lost)


async def test_a_dump_of_postgresql_in_use_is_restored_with_its_history(
    shop: Path, postgres_server: PostgresServer
) -> None:
    url, empty = postgres_server.create(), postgres_server.create()
    backup, *restore = commands(OPERATIONS, "### PostgreSQL")
    async with await open_database(url) as database:
        await add_rollout(database, state=RolloutState.SUCCEEDED)
        kept = _history(shop, url)
        type_all([backup], shop, url)
        lost = await add_rollout(database, project="site")

    type_all(restore, shop, empty)

    assert _history(shop, empty) == kept
    await _no_number_comes_again(empty, lost)


def _history(folder: Path, url: str) -> str:
    done = run("hms-sys history --json", folder, url)
    assert done.returncode == 0, done.stderr
    assert '"D-1001"' in done.stdout
    return done.stdout


async def _no_number_comes_again(url: str, lost: Rollout) -> None:
    """An old message's button would mean the new rollout."""
    async with await open_database(url) as database:
        assert (await add_rollout(database, project="site")).id > lost.id


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_are_there(guide: Path) -> None:
    broken = []
    for target, heading in _LINK.findall(guide.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file = (guide.parent / target).resolve()
        if not file.exists() or (heading and heading not in _headings(file)):
            broken.append(f"{target}#{heading}")
    assert broken == []


def _headings(file: Path) -> set[str]:
    """Anchors as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in lines}
