"""One alert for every turn of its life, for snapshots and for the checks of Slack's limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from handlers.slack.views.alerts import AlertCard
from operations.deployment.rollout import RolloutState
from operations.monitoring.alert import Alert, AlertState
from tests.factories import BOB, CAROL, NOON, make_rollout

FOUR = timedelta(minutes=4)
LIVE = make_rollout(
    state=RolloutState.SUCCEEDED,
    started_at=NOON - timedelta(minutes=14),
    ended_at=NOON - timedelta(minutes=12),
)


def make_alert(**changes: object) -> Alert:
    """A-17: the page of myapp/prod answers 503 since noon."""
    plain = Alert(
        id=17,
        check_id="myapp/prod:web",
        name="web",
        project="myapp",
        environment="prod",
        channel="C02OPS",
        state=AlertState.FIRING,
        since=NOON,
        seen=3,
        reason="answered 503, wanted 200",
        fired_at=NOON,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def make_alert_card(alert: Alert, **changes: object) -> AlertCard:
    """As it is four minutes after noon."""
    card = AlertCard(alert=alert, now=NOON + FOUR, address="https://myapp.example.com/healthz")
    return replace(card, **changes)  # type: ignore[arg-type]  # same


ACKNOWLEDGED = make_alert(
    state=AlertState.ACKNOWLEDGED,
    acknowledged_by=BOB,
    acknowledged_at=NOON + timedelta(minutes=2),
    revision=2,
)
SILENCED = make_alert(silenced_by=CAROL, silenced_until=NOON + timedelta(hours=1))
WELL = replace(
    ACKNOWLEDGED, state=AlertState.RESOLVED, resolved_at=NOON + timedelta(minutes=12), seen=24
)
BY_HAND = make_alert(
    state=AlertState.RESOLVED, resolved_at=NOON + timedelta(minutes=3), resolved_by=CAROL
)
EXAMPLES: dict[str, AlertCard] = {
    "firing": make_alert_card(make_alert()),
    "firing, of the platform": make_alert_card(
        make_alert(name="target", reason="degraded: 1 of 3 healthy", seen=1), address=""
    ),
    "firing after a rollout": make_alert_card(
        make_alert(rollout="D-1042"), rollout=LIVE, can_roll_back=True
    ),
    "firing after what serves no more": make_alert_card(make_alert(rollout="D-1042"), rollout=LIVE),
    "firing during a rollout": make_alert_card(
        make_alert(rollout="D-1042"),
        rollout=make_rollout(state=RolloutState.RUNNING, started_at=NOON),
    ),
    "firing after a rollout that is not kept": make_alert_card(make_alert(rollout="D-7")),
    "flapping": make_alert_card(make_alert(is_flapping=True, seen=17)),
    "acknowledged": make_alert_card(ACKNOWLEDGED),
    "silenced": make_alert_card(SILENCED),
    "silence is over": make_alert_card(SILENCED, now=NOON + timedelta(hours=2)),
    "acknowledged and silenced": make_alert_card(
        replace(ACKNOWLEDGED, silenced_by=BOB, silenced_until=NOON + timedelta(hours=1))
    ),
    "well again": make_alert_card(WELL, rollout=LIVE, now=NOON + timedelta(minutes=12)),
    "resolved by hand": make_alert_card(BY_HAND),
    "an address with a secret": make_alert_card(
        make_alert(), address="https://bob:pw@myapp.example.com:8443/healthz?key=abc"
    ),
    "an address without TLS": make_alert_card(make_alert(), address="http://127.0.0.1:8080/"),
    "a port": make_alert_card(
        make_alert(reason="refused the connection"), address="tcp://db.internal:5432"
    ),
}
