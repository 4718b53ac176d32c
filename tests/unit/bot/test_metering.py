"""Counting calls changes none of them: results, errors, cancellation and streams pass as they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.metering import MeteredProvider, Meters, trace_slack
from bot.metrics import Metrics
from handlers.slack.app import client_session, web_client
from handlers.slack.outlet import Outlet
from handlers.slack.views.blocks import message, section
from operations.deployment.progress import Handle, Progress
from operations.deployment.target import Target
from operations.errors import (
    OutcomeUnknown,
    Overloaded,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.monitoring.errors.intake import IntakeDesk
from operations.monitoring.errors.log_ports import LogKind, LogPage, LogSource
from providers.log_readers import log_of
from tests.contract.databases import open_sqlite
from tests.factories import make_target
from tests.fakes_deployment import SUCCESS, ScriptedProvider
from tests.slack_stand_in import BOT_TOKEN, listening, open_slack
from tests.unit.operations.monitoring.errors.logbook import ScriptedReleases, make_event
from tests.workshops import run_plainly

TARGET = make_target()
HELLO = message("hello", [section("hello")])
HANDLE: Handle = {"artifact": "acme/myapp@sha256:bbb"}


class Endless(ScriptedProvider):
    """Follows for ever, and notes that it was left."""

    def __init__(self) -> None:
        super().__init__()
        self.was_closed = False

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """Nothing but progress, then silence."""
        try:
            yield SUCCESS[0]
            await asyncio.Event().wait()
        finally:
            self.was_closed = True


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """A sample; 0 when there is none."""
    return metrics.registry.get_sample_value(name, labels) or 0.0


def calls(metrics: Metrics, method: str, outcome: str) -> float:
    return value(
        metrics, "hms_provider_calls_total", provider="k8s", method=method, outcome=outcome
    )


async def test_a_call_is_counted_and_timed_and_its_result_passed_on() -> None:
    metrics, inner = Metrics(), ScriptedProvider()
    metered = MeteredProvider(metrics, "k8s", inner)

    found = await metered.resolve(TARGET, "1.1")

    assert found == await inner.resolve(TARGET, "1.1")
    assert metered.capabilities is inner.capabilities
    assert calls(metrics, "resolve", "ok") == 1
    timed = "hms_provider_call_duration_seconds_count"
    assert value(metrics, timed, provider="k8s", method="resolve") == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ProviderUnavailable("down"), "unavailable"),
        (ProviderRejected("no"), "rejected"),
        (ProviderUnauthorized("who"), "unauthorized"),
        (OutcomeUnknown("lost"), "unknown"),
        (ValueError("ours"), "bug"),
    ],
)
async def test_an_error_is_counted_by_its_kind_and_raised_as_it_is(
    error: Exception, outcome: str
) -> None:
    metrics, inner = Metrics(), ScriptedProvider()
    inner.resolve_troubles.append(error)

    with pytest.raises(type(error)) as caught:
        await MeteredProvider(metrics, "k8s", inner).resolve(TARGET, "1.1")

    assert caught.value is error
    assert calls(metrics, "resolve", outcome) == 1


@pytest.mark.parametrize(("retry_after", "throttles"), [(3.0, 1.0), (None, 0.0)])
async def test_a_platform_that_says_when_to_come_back_has_throttled_us(
    retry_after: float | None, throttles: float
) -> None:
    metrics, inner = Metrics(), ScriptedProvider()
    inner.resolve_troubles.append(ProviderUnavailable("slow down", retry_after=retry_after))

    with pytest.raises(ProviderUnavailable):
        await MeteredProvider(metrics, "k8s", inner).resolve(TARGET, "1.1")

    name = "hms_provider_throttles_total"
    assert value(metrics, name, provider="k8s", method="resolve") == throttles


async def test_a_stream_is_passed_on_whole_and_counted_once() -> None:
    metrics = Metrics()
    metered = MeteredProvider(metrics, "k8s", ScriptedProvider())

    seen = [each async for each in metered.follow(TARGET, HANDLE)]

    assert seen == list(SUCCESS)
    assert calls(metrics, "follow", "ok") == 1


async def test_a_stream_that_breaks_raises_and_is_counted_by_its_error() -> None:
    metrics, inner = Metrics(), ScriptedProvider()
    inner.follow_troubles.append(ProviderUnavailable("gone"))

    with pytest.raises(ProviderUnavailable, match="gone"):
        async for _ in MeteredProvider(metrics, "k8s", inner).follow(TARGET, HANDLE):
            pass

    assert calls(metrics, "follow", "unavailable") == 1


async def test_a_stream_that_is_left_early_is_closed_within_too() -> None:
    metrics, inner = Metrics(), Endless()
    stream = MeteredProvider(metrics, "k8s", inner).follow(TARGET, HANDLE)

    async with aclosing(cast("AsyncGenerator[Progress, None]", stream)):
        await anext(stream)

    assert inner.was_closed
    assert calls(metrics, "follow", "ok") == 1


async def test_a_cancelled_stream_ends_at_once_and_is_counted_as_that() -> None:
    metrics, inner = Metrics(), Endless()
    stream = MeteredProvider(metrics, "k8s", inner).follow(TARGET, HANDLE)

    async def read_on() -> None:
        async with asyncio.timeout(0.02):
            async for _ in stream:
                pass

    with pytest.raises(TimeoutError):
        await read_on()

    assert inner.was_closed
    assert calls(metrics, "follow", "cancelled") == 1


async def test_every_method_of_the_port_is_counted_under_its_own_name() -> None:
    metrics = Metrics()
    metered = MeteredProvider(metrics, "k8s", ScriptedProvider())

    await metered.status(TARGET)
    await metered.logs(TARGET, lines=1, since=timedelta(hours=1))
    await metered.explain(TARGET, HANDLE)

    assert [calls(metrics, name, "ok") for name in ("status", "logs", "explain")] == [1, 1, 1]


PAGE = LogPage(lines=(), cursor="1")
SOURCE = LogSource(
    id="pods",
    kind=LogKind.PODS,
    project="myapp",
    environment="prod",
    every=timedelta(seconds=5),
)


class Keeper(ScriptedProvider):
    """A platform that keeps logs too."""

    async def read_log(self, source: LogSource, target: Target, cursor: str, limit: int) -> LogPage:
        """An empty page."""
        return PAGE


async def test_a_platform_that_keeps_logs_still_does_and_is_counted() -> None:
    metrics = Metrics()
    metered = Meters(metrics).provider("k8s", Keeper())

    assert await log_of(metered).read_log(SOURCE, TARGET, "", 10) is PAGE
    assert calls(metrics, "read_log", "ok") == 1


def slack_calls(metrics: Metrics, method: str, outcome: str) -> float:
    return value(metrics, "hms_slack_calls_total", method=method, outcome=outcome)


async def test_calls_to_slack_are_counted_by_method_with_their_throttles() -> None:
    metrics = Metrics()
    async with open_slack() as slack, client_session(trace_slack(metrics)) as session:
        slack.throttle("chat.postMessage", 7)
        outlet = Outlet(web_client(BOT_TOKEN, slack.api_url, session))
        with pytest.raises(ProviderUnavailable):
            await outlet.post("C01GEN", HELLO)
        await outlet.post("C01GEN", HELLO)

    assert slack_calls(metrics, "chat.postMessage", "throttled") == 1
    assert slack_calls(metrics, "chat.postMessage", "ok") == 1
    assert value(metrics, "hms_slack_throttles_total", method="chat.postMessage") == 1


async def test_the_ticket_in_the_address_of_an_answer_becomes_no_label() -> None:
    metrics = Metrics()
    async with open_slack() as slack, client_session(trace_slack(metrics)) as session:
        outlet = Outlet(web_client(BOT_TOKEN, slack.api_url, session))
        await outlet.respond(slack.make_response_url("U01ALICE"), HELLO)

    assert slack_calls(metrics, "response_url", "ok") == 1
    assert b"respond" not in metrics.render()
    assert b"R1" not in metrics.render()


async def test_a_slack_that_cannot_be_reached_is_counted_as_unanswered() -> None:
    metrics = Metrics()
    async with listening(web.Application()) as url:
        gone = f"{url}/api/"
    async with client_session(trace_slack(metrics)) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{gone}chat.update")

    assert slack_calls(metrics, "chat.update", "unanswered") == 1


async def test_events_are_counted_when_committed_and_when_refused(tmp_path: Path) -> None:
    metrics = Metrics()
    event = make_event()
    async with await open_sqlite(tmp_path) as database, asyncio.TaskGroup() as group:
        desk = IntakeDesk(
            store=database.store,
            releases=ScriptedReleases(),
            clock=SystemClock(),
            guard=run_plainly,
        )
        intake = Meters(metrics).intake(desk)
        waiting = group.create_task(intake.take([event]))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await intake.take([event] * 20_001)
        writer = group.create_task(intake.run())
        await waiting
        writer.cancel()

    assert value(metrics, "hms_events_total", outcome="taken") == 1
    assert value(metrics, "hms_events_total", outcome="refused") == 20_001
