"""Prometheus' Alertmanager, webhook version 4: each of its alerts becomes one of ours.

It sends all alerts of a group again and again, firing or resolved; an alert is known by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from handlers.http.hooks.door import Payload, misunderstood
from handlers.http.hooks.places import Places
from handlers.http.problems import BodyFault, FaultyRequest
from handlers.http.validation import faults_of
from operations.monitoring.vendors import VendorAlert
from operations.redaction import shorten

_SOURCE = "alertmanager"
_REASON = 500
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_NAME = 100
_REASONS = ("summary", "description", "message")
_NAMES = ("project", "service", "app", "job", "namespace", "alertname")
"""Labels whose values `hooks.alertmanager.targets` may name, the more particular first."""


class Alerts(Protocol):
    """What becomes of them; `operations.monitoring.vendors` answers."""

    async def receive(self, alerts: Sequence[VendorAlert]) -> None:
        """Fire and resolve; the same again has no effect."""
        ...


class _Alert(BaseModel):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: Annotated[AwareDatetime, Field(alias="startsAt", ge=_OLDEST)]
    url: Annotated[str, Field(alias="generatorURL")] = ""
    fingerprint: Annotated[str, Field(min_length=1, max_length=100, pattern="^[!-~]+$")]


class _Group(BaseModel):
    alerts: Annotated[list[_Alert], Field(max_length=1000)]


class Alertmanager:
    """`receive` is the hook."""

    def __init__(self, alerts: Alerts, places: Places) -> None:
        self._alerts = alerts
        self._places = places

    async def receive(self, payload: Payload) -> int:
        """Takes every alert that has a target; raises FaultyRequest naming those that have none."""
        try:
            group = _Group.model_validate(payload)
        except ValidationError as exc:
            raise FaultyRequest("This is not understood.", faults_of(exc)) from exc
        found = [(alert, self._vendor_alert(alert)) for alert in group.alerts]
        known = [alert for _, alert in found if alert is not None]
        if known:
            await self._alerts.receive(known)
        lost = [i for i, (_, alert) in enumerate(found) if alert is None]
        if lost:
            raise misunderstood(*(_homeless(i, group.alerts[i]) for i in lost))
        return len(known)

    def _vendor_alert(self, alert: _Alert) -> VendorAlert | None:
        labels = alert.labels
        environment = labels.get("environment") or labels.get("env", "")
        names = [labels[name] for name in _NAMES if name in labels]
        target = self._places.find([labels.get("project", "")], environment, names)
        if target is None:
            return None
        name = shorten(labels.get("alertname", "") or "alert", limit=_NAME)
        return VendorAlert(
            source=_SOURCE,
            key=alert.fingerprint,
            name=name,
            project=target.project,
            environment=target.environment,
            is_firing=alert.status == "firing",
            reason=shorten(_reason(alert.annotations) or name, limit=_REASON),
            since=alert.starts_at.astimezone(UTC),
            url=alert.url if alert.url.startswith(("http://", "https://")) else "",
        )


def _reason(annotations: Mapping[str, str]) -> str:
    return next((annotations[name] for name in _REASONS if annotations.get(name)), "")


def _homeless(index: int, alert: _Alert) -> BodyFault:
    name = shorten(alert.labels.get("alertname", ""), limit=_NAME)
    words = f"{name or 'the alert'} names no target that is configured: give it the labels"
    return BodyFault(
        "labels", f"{words} project and environment, or name it in hms.yaml under hooks", index
    )
