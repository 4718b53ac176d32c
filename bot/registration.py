"""`hms-sys components …`: registering is a change of hms.yaml, made here, with the token shown once.

The running bot reads its configuration at its start; so what is registered counts from its next one.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from bot.clock import SystemClock
from bot.config import Config, load_config
from bot.config.document import parse_document
from bot.config.editing import add_entry, remove_entry, replace_value
from bot.config.reading import check_document
from bot.config.sections import Component
from bot.settings import Settings, load_settings
from bot.webhooks import open_callers
from bot.whole_files import editing_alone, replace_file
from handlers.cli.orders import ComponentsAction, ComponentsOrder
from operations.errors import InvalidRequest, ProviderError
from operations.integration.webhooks.delivery import Delivery, DeliveryState
from storage.database import open_database

_SHOWN = 20
_BACKUP = ".before"
_RESTART = "It counts from the bot's next start."


async def run_components(order: ComponentsOrder) -> int:
    """The exit code; raises InvalidRequest and what the database raises."""
    settings = load_settings()
    config = load_config(settings.config_path)
    if (
        order.name
        and order.action is not ComponentsAction.ADD
        and order.name not in config.components
    ):
        known = ", ".join(config.components) or "none"
        raise InvalidRequest(f"There is no component {order.name}.", hint=f"Configured: {known}.")
    if order.action is ComponentsAction.ADD and order.name in config.components:
        raise InvalidRequest(
            f"There is a component {order.name} already.",
            hint=f"`hms-sys components rotate {order.name}` makes a new token for it.",
        )
    match order.action:
        case ComponentsAction.LIST:
            return await _list(order, settings, config)
        case ComponentsAction.ADD:
            return _add(order, settings)
        case ComponentsAction.ROTATE:
            return _rotate(order, settings)
        case ComponentsAction.REMOVE:
            return _remove(order, settings)
        case ComponentsAction.TEST:
            return await _test(order, config)
        case ComponentsAction.REPLAY:
            return await _replay(order, settings)


def _add(order: ComponentsOrder, settings: Settings) -> int:
    rights = [right.strip() for each in order.may for right in each.split(",") if right.strip()]
    token = secrets.token_urlsafe(32)
    lines = [f'token_sha256: "{_digest(token)}"', f"may: {json.dumps(rights)}"]
    made = {"token": token}
    if order.webhook:
        variable = f"{_variable(order.name)}_WEBHOOK_SECRET"
        lines += [f"webhook: {json.dumps(order.webhook)}", f"secret_env: {variable}"]
        made[variable] = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    _change(settings, lambda text: add_entry(text, "components", order.name, lines))
    _tell_made(order, made, f"{order.name} is in {settings.config_path} now. {_RESTART}")
    return 0


def _rotate(order: ComponentsOrder, settings: Settings) -> int:
    token = secrets.token_urlsafe(32)
    path = ("components", order.name, "token_sha256")
    _change(settings, lambda text: replace_value(text, path, _digest(token)))
    _tell_made(order, {"token": token}, "The old token ends with the bot's next start.")
    return 0


def _remove(order: ComponentsOrder, settings: Settings) -> int:
    _change(settings, lambda text: remove_entry(text, "components", order.name))
    sys.stdout.write(f"{order.name} is not in {settings.config_path} any more. {_RESTART}\n")
    return 0


async def _test(order: ComponentsOrder, config: Config) -> int:
    """One call that says it is a test; its answer is told, nothing is stored."""
    alone = config.model_copy(update={"components": {order.name: config.components[order.name]}})
    now = datetime.now(UTC)
    delivery = Delivery(
        id=0,
        component=order.name,
        subject="test",
        type="hms.test",
        at=now,
        body="",
        made_at=now,
        due_at=now,
    )
    async with AsyncExitStack() as stack:
        callers = open_callers(alone, SystemClock(), stack)
        if order.name not in callers:
            raise InvalidRequest(f"{order.name} has no webhook that could be called.")
        try:
            await callers[order.name].call(delivery, _test_body(now))
        except ProviderError as exc:
            sys.stdout.write(f"{order.name} did not take the call: {exc.message}.\n")
            return 1
    sys.stdout.write(f"{order.name} took the call.\n")
    return 0


def _test_body(now: datetime) -> str:
    return json.dumps(
        {
            "id": f"hms-test-{secrets.token_hex(4)}",
            "specversion": "1.0",
            "source": "/hms-sys",
            "type": "hms.test",
            "time": now.isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"action": "test"},
        }
    )


async def _replay(order: ComponentsOrder, settings: Settings) -> int:
    async with await open_database(settings.database_url.get_secret_value()) as database:
        count = await database.delivery_queue.replay(order.name, datetime.now(UTC))
    sys.stdout.write(f"{count} {'call is' if count == 1 else 'calls are'} due again.\n")
    return 0


async def _list(order: ComponentsOrder, settings: Settings, config: Config) -> int:
    async with await open_database(settings.database_url.get_secret_value()) as database:
        counts = await database.delivery_queue.counts()
        dead = (
            await database.delivery_queue.list(order.name, DeliveryState.DEAD, limit=_SHOWN)
            if order.name
            else []
        )
    shown = {n: c for n, c in config.components.items() if order.name in ("", n)}
    documents = [_document(name, each, counts.get(name, {})) for name, each in shown.items()]
    if order.as_json:
        body = {"components": documents, "dead": [_dead_document(each) for each in dead]}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
        return 0
    for name, each in shown.items():
        sys.stdout.write(_line(name, each, counts.get(name, {})) + "\n")
    for lost in dead:
        sys.stdout.write(
            f"  dead: {lost.type} {lost.subject} ({lost.event_id}): {lost.last_error}\n"
        )
    if not shown:
        sys.stderr.write(
            "No component is configured.\nAdd one: `hms-sys components add NAME --may read`.\n"
        )
    return 0


def _line(name: str, component: Component, counts: Mapping[DeliveryState, int]) -> str:
    parts = [f"{name}: may {', '.join(component.may)}"]
    if component.webhook:
        calls = ", ".join(f"{counts.get(state, 0)} {state.value}" for state in DeliveryState)
        parts.append(f"hears at {component.webhook} ({calls})")
    return "; ".join(parts)


def _document(
    name: str, component: Component, counts: Mapping[DeliveryState, int]
) -> dict[str, object]:
    return {
        "name": name,
        "may": component.may,
        "webhook": component.webhook,
        "calls": {state.value: counts.get(state, 0) for state in DeliveryState},
    }


def _dead_document(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.event_id,
        "type": delivery.type,
        "subject": delivery.subject,
        "attempts": delivery.attempts,
        "error": delivery.last_error,
    }


def _tell_made(order: ComponentsOrder, made: Mapping[str, str], said: str) -> None:
    """The only moment at which these secrets can be read."""
    if order.as_json:
        sys.stdout.write(json.dumps({"name": order.name, **made}, indent=2) + "\n")
        return
    for name, value in made.items():
        sys.stdout.write(f"{name}={value}\n" if name != "token" else f"token: {value}\n")
    sys.stdout.write(
        f"They are shown only now. {said}\n" if len(made) > 1 else f"It is shown only now. {said}\n"
    )


def _change(settings: Settings, change: Callable[[str], str]) -> None:
    """Edit, check and replace the file; a copy of what it was stays beside it.

    A link stays one: what it leads to is changed.
    """
    path = Path(settings.config_path).resolve()
    try:
        with editing_alone(path.parent):
            raw = path.read_bytes()
            text = change(raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
            check_document(parse_document(text, str(path)))
            shutil.copy2(path, path.with_name(path.name + _BACKUP))
            mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
            replace_file(path, mark + text.encode())
    except OSError as exc:
        raise InvalidRequest(
            f"{path} cannot be written: {exc.strerror}.", hint="Write the lines yourself."
        ) from exc


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _variable(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.upper())
