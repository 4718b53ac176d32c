"""Calls to components, as a person asks about them: who there is with what did not arrive, a test, a replay.

The neighbour of `registration`, which says who there is.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from bot.absence import open_to_read
from bot.clock import SystemClock
from bot.config import Config
from bot.config.sections.programs import Component
from bot.settings import Settings
from bot.webhooks import open_callers
from handlers.cli.orders import ComponentsOrder
from operations.errors import InvalidRequest, ProviderError
from operations.integration.webhooks.delivery import Delivery, DeliveryState
from storage.database import open_database

_SHOWN = 20


async def list_components(order: ComponentsOrder, settings: Settings, config: Config) -> int:
    """All of them, or one with its dead calls."""
    async with open_to_read(settings) as database:
        counts = await database.delivery_queue.counts()
        dead = (
            await database.delivery_queue.list(order.name, DeliveryState.DEAD, limit=_SHOWN)
            if order.name
            else []
        )
    shown = {n: c for n, c in config.components.items() if order.name in ("", n)}
    if order.as_json:
        documents = [_document(name, each, counts.get(name, {})) for name, each in shown.items()]
        print_json({"components": documents, "dead": [_dead_document(each) for each in dead]})
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


async def try_component(order: ComponentsOrder, config: Config) -> int:
    """One call that says it is a test; its answer is told, nothing is stored."""
    alone = config.model_copy(update={"components": {order.name: config.components[order.name]}})
    now = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        callers = open_callers(alone, SystemClock(), stack)
        if order.name not in callers:
            raise InvalidRequest(f"{order.name} has no webhook that could be called.")
        trouble = ""
        try:
            await callers[order.name].call(_test_delivery(order.name, now), _test_body(now))
        except ProviderError as exc:
            trouble = exc.message
    if order.as_json:
        print_json({"name": order.name, "taken": not trouble, "error": trouble or None})
    else:
        said = f"did not take the call: {trouble}" if trouble else "took the call"
        sys.stdout.write(f"{order.name} {said}.\n")
    return 1 if trouble else 0


async def replay_calls(order: ComponentsOrder, settings: Settings) -> int:
    """Its dead calls are due again."""
    async with await open_database(settings.database_url.get_secret_value()) as database:
        count = await database.delivery_queue.replay(order.name, datetime.now(UTC))
    if order.as_json:
        print_json({"name": order.name, "due": count})
    else:
        sys.stdout.write(f"{count} {'call is' if count == 1 else 'calls are'} due again.\n")
    return 0


def print_json(document: Mapping[str, object]) -> None:
    """One document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _test_delivery(name: str, now: datetime) -> Delivery:
    return Delivery(
        id=0,
        component=name,
        subject="test",
        type="hms.test",
        at=now,
        body="",
        made_at=now,
        due_at=now,
    )


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


def _line(name: str, component: Component, counts: Mapping[DeliveryState, int]) -> str:
    parts = [f"{name}: may {', '.join(component.may)}"]
    if component.ticket_url:
        parts.append(f"tickets at {component.ticket_url}")
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
        "ticket_url": component.ticket_url,
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
