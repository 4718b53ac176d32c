"""The commands of the guides, run in order where a reader would run them; the files and links they name."""

from __future__ import annotations

import base64
import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from standardwebhooks.webhooks import WebhookVerificationError

from bot.clock import SystemClock
from bot.settings import VARIABLES
from operations.deployment.ports import Provider
from operations.deployment.rollout import Rollout
from operations.durations import say_duration
from operations.integration.webhooks.delivery import FIRST_PAUSES, GIVEN_UP_AFTER, Delivery
from providers.webhooks import Endpoint, WebhookCaller
from storage.database import open_database
from tests.contract.databases import PostgresServer, add_rollout, program
from tests.slack_stand_in import listening

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
WEBHOOKS = ROOT / "docs/webhooks.md"
PROVIDERS = ROOT / "docs/providers.md"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the example's configuration, where the guide's reader types."""
    shutil.copy(ROOT / "hms.example.yaml", tmp_path / "hms.yaml")
    return tmp_path


def test_the_operations_guide_s_other_commands_end_as_it_says(shop: Path) -> None:
    type_all(commands(OPERATIONS, "## Install it in a workspace"), shop)
    type_all(commands(OPERATIONS, "## Upgrade, and go back"), shop)


async def test_a_backup_of_sqlite_in_use_is_restored_with_its_history(shop: Path) -> None:
    url = f"sqlite:///{shop / 'hms.db'}"
    backup, *restore = commands(OPERATIONS, "### SQLite")
    async with await open_database(url) as database:
        await add_rollout(database)
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
        await add_rollout(database)
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


def test_the_guide_explains_the_scopes_that_the_manifest_asks_for() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    table = OPERATIONS.read_text(encoding="utf-8").partition("| scope | without it |")[2]
    rows = [
        line.partition("|")[2].partition("|")[0] for line in table.split("\n\n")[0].splitlines()
    ]
    explained = re.findall(r"`([a-z:.]+)`", " ".join(rows))

    assert sorted(explained) == sorted(manifest["oauth_config"]["scopes"]["bot"])


def test_the_texts_that_the_guide_explains_are_said_by_the_code() -> None:
    table = OPERATIONS.read_text(encoding="utf-8").partition("| you see | because | do |")[2]
    shown = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    code = _code()
    said = [text for cell in shown for text in re.findall(r"`([^`]+ [^`]+)`", cell)]

    assert len(said) > 10
    assert [text for text in said if text not in code] == []


def _code() -> str:
    """All of production, each literal that is broken over lines in one piece."""
    packages = ("bot", "handlers", "operations", "providers", "storage")
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r"\"\s*\n\s*f?\"", "", text)


def test_the_page_of_webhooks_names_every_change_that_components_hear_of() -> None:
    told = set(re.findall(r"`hms\.([a-z]+\.[a-z_]+)`", WEBHOOKS.read_text(encoding="utf-8")))
    files = [ROOT / "handlers/timeline.py", *(ROOT / "operations").rglob("*.py")]
    texts = [file.read_text("utf-8") for file in files if file.name != "documents.py"]
    written = set(re.findall(r'"((?:rollout|alert|error)\.[a-z_]+)"', " ".join(texts)))

    assert told == written | {"rollout.unknown", "rollout.failed"}  # how a worker gives one up


async def test_a_call_is_verified_as_the_page_of_webhooks_says() -> None:
    found = re.search(r"^```python\n(.*?)^```", WEBHOOKS.read_text("utf-8"), re.M | re.S)
    assert found
    names: dict[str, Callable[[str, bytes, Mapping[str, str]], object]] = {}
    exec(found[1], names)  # noqa: S102 - what the page says is what is tried
    calls: list[tuple[bytes, dict[str, str]]] = []

    async def take(request: web.Request) -> web.Response:
        calls.append((await request.read(), dict(request.headers)))
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/", take)
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    async with listening(application) as root:
        endpoint = Endpoint(component="a", url=f"{root}/", secret=secret, may_be_private=True)
        caller = WebhookCaller(endpoint, SystemClock())
        await caller.call(_DELIVERY, '{"id": "hms-42", "data": "Grüße"}')
        await caller.close()

    body, headers = calls[0]
    assert names["verified"](secret, body, headers) == {"id": "hms-42", "data": "Grüße"}
    with pytest.raises(WebhookVerificationError):
        names["verified"](secret, body + b" ", headers)


_NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_DELIVERY = Delivery(
    id=42, component="a", subject="D-1042", type="hms.rollout.ended", at=_NOON, body="",
    made_at=_NOON, due_at=_NOON,
)  # fmt: skip


def test_the_page_of_webhooks_tells_the_pauses_and_the_end_of_trying() -> None:
    text = WEBHOOKS.read_text(encoding="utf-8")
    pauses = [say_duration(pause).replace(" m", " min") for pause in FIRST_PAUSES]

    assert ", ".join(pauses[:-1]) in text
    assert f"every {pauses[-1]}" in text
    assert timedelta(days=3) == GIVEN_UP_AFTER


def test_the_walk_to_a_new_provider_names_what_is_there() -> None:
    text = PROVIDERS.read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)` (?:of|in) \[`[^`]+`\]\(([^)]+)\)", text)
    missing = [
        name
        for name, path in named
        if not re.search(rf"\b{name}\b", (PROVIDERS.parent / path).read_text(encoding="utf-8"))
    ]

    assert len(named) > 8
    assert missing == []


def test_the_walk_to_a_new_provider_explains_every_member_of_the_port() -> None:
    table = PROVIDERS.read_text(encoding="utf-8").partition("| member | does | mind |")[2]
    explained = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

    assert explained == [name for name in vars(Provider) if not name.startswith("_")]


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md", "docs/providers.md"])
def test_the_files_that_the_maps_name_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/.]+\.(?:py|yaml|yml|md|json))`", text)) - {"hms.yaml"}
    named |= {f"{folder}/" for folder in re.findall(r"`([\w/]+)/`", text)}
    packages = ("bot", "handlers", "operations", "providers", "storage", "sandbox", "tests")
    known = [f"/{path.relative_to(ROOT)}{'/' * path.is_dir()}"
             for part in packages for path in (ROOT / part, *(ROOT / part).rglob("*"))]  # fmt: skip
    missing = {
        each
        for each in named
        if not (ROOT / each).exists() and not any(path.endswith(f"/{each}") for path in known)
    }

    assert len(named) > 10
    assert missing <= {"providers/nomad/", "tests/contract/world_nomad.py"}


def test_the_unit_of_systemd_sets_variables_that_are_read_and_starts_what_is_there() -> None:
    found = re.search(r"^```ini\n(.*?)^```", OPERATIONS.read_text("utf-8"), re.M | re.S)
    assert found
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.read_string(found[1])
    variables = set(re.findall(r"^Environment=([A-Z_]+?)(?:_FILE)?=", found[1], re.MULTILINE))

    assert variables <= {variable.name for variable in VARIABLES}
    assert unit["Service"]["ExecStart"].endswith("/bin/hms-sys serve")


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
