"""What the pages of docs/ say of the code, held to the code: texts, scopes, names of files, examples."""

from __future__ import annotations

import base64
import configparser
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from standardwebhooks.webhooks import WebhookVerificationError

from bot.clock import SystemClock
from bot.references.commands import write_reference
from bot.settings import VARIABLES
from handlers.language import VERBS
from operations.deployment.ports import Provider
from operations.durations import say_duration
from operations.integration.webhooks.delivery import FIRST_PAUSES, GIVEN_UP_AFTER, Delivery
from providers.webhooks import Endpoint, WebhookCaller
from tests.slack_stand_in import listening

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations.md"
WEBHOOKS = ROOT / "docs/webhooks.md"
PROVIDERS = ROOT / "docs/providers.md"


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


def test_the_readme_names_every_command() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("\n## Commands\n")[2]
    words = set(re.findall(r"[\w-]+", section.partition("\n## ")[0]))
    programs = re.findall(r"^### hms-sys ([\w-]+)", write_reference(), re.MULTILINE)

    assert {*(verb.name for verb in VERBS), *programs} - words == set()


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
