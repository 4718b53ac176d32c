"""One alert for every turn of its life, for snapshots and for the checks of Slack's limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from handlers.slack.views.alerts import AlertCard
from operations.actor import SYSTEM
from operations.deployment.rollout import RolloutState
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.grouping import AlertGroup
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


def make_alert_card(
    alert: Alert,
    *others: Alert,
    address: str = "https://myapp.example.com/healthz",
    **changes: object,
) -> AlertCard:
    """As it is four minutes after noon."""
    card = AlertCard(
        group=AlertGroup(alert, others),
        now=NOON + FOUR,
        addresses={alert.check_id: address},
    )
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
ERRORS = make_alert(
    id=18,
    check_id="myapp/prod:errors",
    name="errors",
    reason="61 errors in 5 m",
    since=NOON + timedelta(minutes=1),
    led_by=17,
)
VENDORS = make_alert(
    id=19,
    check_id="alertmanager:b58c",
    name="HighLatency",
    reason="p99 over 2 s",
    source="alertmanager",
    url="https://prometheus.example.com/graph?g0=1",
    seen=1,
    led_by=17,
)
ESCALATED = make_alert(
    escalated_at=NOON + timedelta(minutes=3), escalated_to=("C09BOSS", "U03CAROL")
)
UNASKED = make_alert(
    name="target", reason="could not ask: AWS does not answer", seen=1, is_unasked=True
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
    "escalated": make_alert_card(ESCALATED),
    "three at once": make_alert_card(make_alert(rollout="D-1042"), ERRORS, VENDORS, rollout=LIVE),
    "three at once, the first is well": make_alert_card(
        make_alert(well_at=NOON + timedelta(minutes=2)), ERRORS, VENDORS
    ),
    "two at once, well again": make_alert_card(
        WELL,
        replace(
            ERRORS,
            state=AlertState.RESOLVED,
            resolved_at=WELL.resolved_at,
            well_at=NOON + timedelta(minutes=5),
        ),
        now=NOON + timedelta(minutes=12),
    ),
    "twelve at once": make_alert_card(
        make_alert(), *[make_alert(id=18 + n, name=f"page-{n}", led_by=17) for n in range(11)]
    ),
    "of another system": make_alert_card(replace(VENDORS, led_by=None), address=""),
    "cannot be asked": make_alert_card(UNASKED, address=""),
    "answers again": make_alert_card(
        replace(UNASKED, state=AlertState.RESOLVED, resolved_at=NOON + FOUR), address=""
    ),
    "no longer watched": make_alert_card(
        make_alert(
            state=AlertState.RESOLVED,
            resolved_at=NOON + FOUR,
            resolved_by=SYSTEM,
            reason="no longer watched",
        )
    ),
}
