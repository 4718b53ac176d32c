"""Registering components, as a person at a terminal sees it; the file is the one that `serve` would read."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from bot.component_advice import private_advice
from bot.config import load_config
from bot.config.editing import NotEditable
from bot.faults import ConfigError, SettingsError
from bot.registration import run_components
from handlers.cli.orders import ComponentsAction, ComponentsOrder
from operations.errors import InvalidRequest
from operations.integration.webhooks.delivery import DeliveryState, Draft
from providers.addresses import Address
from storage.database import open_database
from tests.slack_stand_in import listening

TEXT = "# ours\nslack: {deploys_channel: C01GEN}\nenvironments: {staging: {}}\nprojects: {}\n"
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
ADD = ComponentsOrder(
    action=ComponentsAction.ADD,
    name="hms-dev",
    may=("read,events", "deploy:staging"),
    as_json=True,
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration in force."""
    path = tmp_path / "hms.yaml"
    path.write_text(TEXT)
    monkeypatch.setenv("HMS_CONFIG", str(path))
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/hms.db")
    return path


def read(file: Path) -> str:
    return file.read_text()


def write(file: Path, text: str) -> None:
    file.write_text(text)


def allow_private(file: Path) -> None:
    """The component is the last thing in the file."""
    file.write_text(read(file).rstrip() + "\n    private: true\n")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    document: dict[str, str] = json.loads(capsys.readouterr().out)
    return document


async def test_adding_writes_the_digest_and_shows_the_token_once(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(ADD)

    token = told(capsys)["token"]
    component = load_config(file).components["hms-dev"]
    assert component.token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert component.may == ["read", "events", "deploy:staging"]
    assert token not in read(file)
    assert read(file).startswith(TEXT)


async def test_a_webhook_comes_with_a_secret_for_its_variable(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(replace(ADD, webhook="https://dev.internal/hooks"))

    secret = told(capsys)["HMS_DEV_WEBHOOK_SECRET"]
    assert load_config(file).components["hms-dev"].secret_env == "HMS_DEV_WEBHOOK_SECRET"
    assert Webhook(secret).sign("hms-1", datetime.now(UTC), "{}").startswith("v1,")
    assert secret not in read(file)


async def test_the_address_of_tickets_is_written(file: Path) -> None:
    url = "https://tracker.internal/tickets/{external_id}"
    await run_components(replace(ADD, ticket_url=url))

    assert load_config(file).components["hms-dev"].ticket_url == url


FLOW = [
    "components: {other: {token_sha256: %s, may: [read]}}\n" % ("ab" * 32),
    'components: {\n  "other": {"token_sha256": "%s", "may": ["read"]},\n}\n' % ("ab" * 32),
]


@pytest.mark.parametrize("section", FLOW)
async def test_where_the_file_has_no_place_for_it_the_line_to_write_is_told_and_nothing_written(
    file: Path, capsys: pytest.CaptureFixture[str], section: str
) -> None:
    write(file, TEXT + section)
    with pytest.raises(NotEditable, match="not written as lines of its own"):
        await run_components(replace(ADD, webhook="https://dev.internal/hooks"))

    assert read(file) == TEXT + section
    assert not file.with_name("hms.yaml.before").exists()
    said = json.loads(capsys.readouterr().out)
    assert said["written"] is False
    write(file, TEXT + section.replace("components: {", f"components: {{{said['line']}, "))
    component = load_config(file).components["hms-dev"]
    assert component.token_sha256 == hashlib.sha256(said["token"].encode()).hexdigest()
    assert component.secret_env == "HMS_DEV_WEBHOOK_SECRET"
    assert said["HMS_DEV_WEBHOOK_SECRET"].startswith("whsec_")


async def test_a_file_that_is_json_gets_its_line_too(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is JSON, with the section around it being people's to write."""
    content = {
        "slack": {"deploys_channel": "C01GEN"},
        "environments": {"staging": {}},
        "projects": {},
    }
    write(file, json.dumps(content))
    with pytest.raises(NotEditable):
        await run_components(replace(ADD, as_json=False))

    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"Write this line under `components:` in {file}:"
    write(file, json.dumps({**content, "components": json.loads(f"{{{said[1]}}}")}))
    assert list(load_config(file).components) == ["hms-dev"]


async def test_no_line_is_told_that_would_make_no_sense(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(file, TEXT + FLOW[0])
    with pytest.raises(ConfigError, match="moon"):
        await run_components(replace(ADD, may=("deploy:moon",)))

    assert capsys.readouterr().out == ""


async def test_rotating_what_is_no_plain_value_tells_the_digest_to_write(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folded = f"components:\n  b:\n    token_sha256: >-\n      {'ab' * 32}\n    may: [read]\n"
    write(file, TEXT + folded)
    with pytest.raises(NotEditable):
        await run_components(
            ComponentsOrder(action=ComponentsAction.ROTATE, name="b", as_json=True)
        )

    said = told(capsys)
    assert said["line"] == f'token_sha256: "{hashlib.sha256(said["token"].encode()).hexdigest()}"'
    assert read(file) == TEXT + folded


@pytest.mark.parametrize(
    "order", [replace(ADD, may=("write",)), replace(ADD, may=("deploy:moon",))]
)
async def test_what_would_be_no_valid_configuration_is_not_written(
    file: Path, order: ComponentsOrder
) -> None:
    with pytest.raises(ConfigError):
        await run_components(order)

    assert read(file) == TEXT


async def test_a_name_that_is_taken_is_refused(file: Path) -> None:
    await run_components(ADD)
    before = read(file)

    with pytest.raises(InvalidRequest, match="There is a component hms-dev already"):
        await run_components(ADD)

    assert read(file) == before


async def test_rotating_changes_the_digest_only(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(ADD)
    first = told(capsys)["token"]

    await run_components(
        ComponentsOrder(action=ComponentsAction.ROTATE, name="hms-dev", as_json=True)
    )

    second = told(capsys)["token"]
    component = load_config(file).components["hms-dev"]
    assert second != first
    assert component.token_sha256 == hashlib.sha256(second.encode()).hexdigest()
    assert component.may == ["read", "events", "deploy:staging"]


async def test_removing_leaves_the_file_as_it_was(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(ADD)
    capsys.readouterr()

    await run_components(
        ComponentsOrder(action=ComponentsAction.REMOVE, name="hms-dev", as_json=True)
    )

    assert told(capsys) == {"name": "hms-dev", "removed": True}
    assert read(file) == TEXT
    assert "hms-dev" in read(file.with_name("hms.yaml.before"))


@pytest.mark.parametrize(
    "action", [action for action in ComponentsAction if action is not ComponentsAction.ADD]
)
async def test_a_component_that_is_not_there_is_said_to_be_so(
    file: Path, action: ComponentsAction
) -> None:
    with pytest.raises(InvalidRequest, match="There is no component nobody"):
        await run_components(ComponentsOrder(action=action, name="nobody"))


async def listen(file: Path, url: str) -> None:
    await run_components(replace(ADD, webhook=url))
    allow_private(file)


@pytest.mark.parametrize(("status", "code"), [(204, 0), (500, 1)])
@pytest.mark.parametrize("as_json", [False, True])
async def test_a_test_call_is_signed_and_its_answer_told(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    code: int,
    as_json: bool,
) -> None:
    monkeypatch.setenv("HMS_DEV_WEBHOOK_SECRET", SECRET)
    verified: list[object] = []

    async def receive(request: web.Request) -> web.Response:
        verified.append(Webhook(SECRET).verify(await request.text(), dict(request.headers)))
        return web.Response(status=status)

    application = web.Application()
    application.router.add_post("/hooks", receive)
    async with listening(application) as root:
        await listen(file, f"{root}/hooks")
        capsys.readouterr()
        order = ComponentsOrder(action=ComponentsAction.TEST, name="hms-dev", as_json=as_json)

        assert await run_components(order) == code

    said = capsys.readouterr().out
    trouble = "answered 500" if code else None
    if as_json:
        assert json.loads(said) == {"name": "hms-dev", "taken": not code, "error": trouble}
    else:
        words = f"did not take the call: {trouble}" if code else "took the call"
        assert said == f"hms-dev {words}.\n"

    assert [call["type"] for call in verified if isinstance(call, dict)] == ["hms.test"]


async def test_a_test_without_its_secret_names_the_variable(file: Path) -> None:
    await listen(file, "http://127.0.0.1:9/")

    with pytest.raises(SettingsError, match="HMS_DEV_WEBHOOK_SECRET"):
        await run_components(ComponentsOrder(action=ComponentsAction.TEST, name="hms-dev"))


async def test_dead_calls_are_listed_and_sent_again(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await listen(file, "http://127.0.0.1:9/")
    capsys.readouterr()
    now = datetime.now(UTC)
    draft = Draft(component="hms-dev", subject="D-1", type="hms.rollout.started", at=now, body="{}")
    async with await open_database(f"sqlite:///{file.parent}/hms.db") as database:
        async with database.store.transaction() as tx:
            await tx.feeds.place("hms-dev")
            await tx.feeds.advance("hms-dev", 0, [draft], now)
        (found,) = await database.delivery_queue.claim(["hms-dev"], now, now, limit=1)
        await database.delivery_queue.give_up(found, "answered 410")

    await run_components(ComponentsOrder(action=ComponentsAction.LIST, name="hms-dev"))
    listed = capsys.readouterr().out
    await run_components(ComponentsOrder(action=ComponentsAction.REPLAY, name="hms-dev"))

    assert "1 dead" in listed
    assert "dead: hms.rollout.started D-1 (hms-1): answered 410" in listed
    assert capsys.readouterr().out == "1 call is due again.\n"
    await run_components(
        ComponentsOrder(action=ComponentsAction.REPLAY, name="hms-dev", as_json=True)
    )
    assert json.loads(capsys.readouterr().out) == {"name": "hms-dev", "due": 0}
    async with await open_database(f"sqlite:///{file.parent}/hms.db") as database:
        assert await database.delivery_queue.counts() == {"hms-dev": {DeliveryState.PENDING: 1}}


def test_line_ends_and_the_byte_order_mark_stay_as_they_were(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())

    asyncio.run(run_components(ADD))

    written = file.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf# ours\r\nslack:")
    assert written.count(b"\n") == written.count(b"\r\n")
    assert list(load_config(file).components) == ["hms-dev"]


def test_a_link_stays_one_and_the_file_keeps_its_mode(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(0o640)
    link = tmp_path / "etc" / "hms.yaml"
    link.parent.mkdir()
    link.symlink_to(file)
    monkeypatch.setenv("HMS_CONFIG", str(link))

    asyncio.run(run_components(ADD))

    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert "hms-dev" in load_config(file).components


def test_the_owner_stays_who_it_was(file: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 65534, 65534)

    asyncio.run(run_components(ADD))

    assert (file.stat().st_uid, file.stat().st_gid) == (65534, 65534)


def test_nothing_is_left_behind_where_it_cannot_be_replaced(file: Path) -> None:
    folder = file.with_name("hms.yaml.before")
    folder.mkdir()
    (folder / "hms.yaml").mkdir()

    with pytest.raises(InvalidRequest, match="cannot be written"):
        asyncio.run(run_components(ADD))

    assert read(file) == TEXT
    assert sorted(each.name for each in file.parent.iterdir()) == ["hms.yaml", "hms.yaml.before"]


def test_all_who_add_at_once_are_kept(file: Path) -> None:
    """The lock is the file system's, so threads stand for processes here."""
    names = [f"c{number}" for number in range(8)]

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda name: asyncio.run(run_components(replace(ADD, name=name))), names))

    assert sorted(load_config(file).components) == names


INSIDE = "https://hms-dev.internal/hooks"


def advice(capsys: pytest.CaptureFixture[str]) -> str:
    return "\n".join(json.loads(capsys.readouterr().out)["advice"])


async def test_adding_says_that_the_bot_needs_the_webhook_s_secret_too(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(replace(ADD, webhook=INSIDE, as_json=False))

    said = capsys.readouterr().out
    assert "Set HMS_DEV_WEBHOOK_SECRET (or HMS_DEV_WEBHOOK_SECRET_FILE" in said
    assert "before its next start: it does not start without" in said


async def test_one_without_a_webhook_needs_nothing_more(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(ADD)

    assert advice(capsys) == ""


@pytest.mark.parametrize(
    "webhook", [INSIDE, "https://10.1.2.3/x", "http://[::1]:8080/x", "https://dev/x"]
)
async def test_a_private_address_is_told_with_what_to_write(
    file: Path, capsys: pytest.CaptureFixture[str], webhook: str
) -> None:
    await run_components(replace(ADD, webhook=webhook))

    assert "write `private: true` beside the webhook of hms-dev" in advice(capsys)


async def test_private_is_written_when_it_is_said(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(replace(ADD, webhook=INSIDE, private=True))

    assert load_config(file).components["hms-dev"].private
    assert "private" not in advice(capsys)


async def test_private_without_a_webhook_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="private"):
        await run_components(replace(ADD, private=True))

    assert read(file) == TEXT


async def test_a_webhook_s_secret_is_rotated_without_the_token_and_told_with_the_overlap(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(replace(ADD, webhook=INSIDE))
    first = told(capsys)["HMS_DEV_WEBHOOK_SECRET"]
    before = read(file)
    order = ComponentsOrder(action=ComponentsAction.ROTATE, name="hms-dev", secret_only=True)

    await run_components(replace(order, as_json=True))
    second = told(capsys)["HMS_DEV_WEBHOOK_SECRET"]
    await run_components(order)

    assert second != first
    assert Webhook(second).sign("hms-1", datetime.now(UTC), "{}")
    assert read(file) == before
    assert "in HMS_DEV_WEBHOOK_SECRET the new one, a space, the old one" in capsys.readouterr().out


async def test_who_has_no_webhook_has_no_secret_to_rotate(file: Path) -> None:
    await run_components(ADD)

    with pytest.raises(InvalidRequest, match="has no webhook"):
        await run_components(
            ComponentsOrder(action=ComponentsAction.ROTATE, name="hms-dev", secret_only=True)
        )


async def test_a_new_token_leaves_the_webhook_s_secret_and_says_so(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_components(replace(ADD, webhook=INSIDE))
    capsys.readouterr()

    await run_components(
        ComponentsOrder(action=ComponentsAction.ROTATE, name="hms-dev", as_json=True)
    )

    assert "rotate hms-dev --webhook-secret" in advice(capsys)


@pytest.mark.parametrize(("found", "is_told"), [("10.0.0.7", True), ("93.184.215.14", False)])
async def test_a_public_name_is_looked_up(found: str, is_told: bool) -> None:
    async def resolve(host: str, port: int) -> list[Address]:
        return [ip_address(found)]

    said = await private_advice("hms-dev", "https://dev.example.com/x", resolve)

    assert bool(said) is is_told


async def test_a_name_that_nobody_knows_is_not_judged() -> None:
    async def resolve(host: str, port: int) -> list[Address]:
        raise OSError("unknown")

    assert await private_advice("hms-dev", "https://dev.example.com/x", resolve) == ""
