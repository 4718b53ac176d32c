"""The commands of the guides, run in order where a reader would run them; the files and links they name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = sorted(
    [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "examples").rglob("*.md")]
)
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#([^)\s]*))?\)")
_DUAL = """
legacy:
  command: [ops/hms-ops.sh]
"""


def commands(guide: Path) -> list[str]:
    """Lines that begin with `$`, of the blocks that are meant to be typed."""
    blocks = _BLOCK.findall(guide.read_text(encoding="utf-8"))
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As typed, without a shell; the programs are those of this very checkout."""
    words = shlex.split(command, comments=True)
    program = Path(sys.executable).with_name(words[0])
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HMS_CONFIG": "hms.yaml",
        "HMS_DATABASE_URL": "sqlite:///hms.db",
        "KUBECONFIG": str(folder / "none"),
    }
    return subprocess.run(
        [str(program), *words[1:]],
        capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=environ,
    )  # fmt: skip


@pytest.mark.timeout(120)
def test_the_migration_guide_s_commands_do_what_it_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/hms-ops", tmp_path / "ops")
    shutil.move(tmp_path / "ops/around", tmp_path / "around")
    typed = commands(ROOT / "docs/migration.md")
    assert len(typed) > 10

    for command in typed:
        if command == "hms-sys migrate status":  # the guide has just had `legacy:` added
            _go_dual(tmp_path / "hms.yaml")
            assert run("hms-sys config check", tmp_path).returncode == 0
        done = run(command, tmp_path)
        expected = 1 if "# ends with 1" in command else 0
        assert done.returncode == expected, (command, done.stdout, done.stderr)

    assert "hms-sys deploy k8s myapp staging" in (tmp_path / "around/Makefile").read_text()
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def _go_dual(config: Path) -> None:
    text = config.read_text().replace(
        'namespace: "default"', 'namespace: "default"\n        dual: shadow'
    )
    config.write_text(text + _DUAL)


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
