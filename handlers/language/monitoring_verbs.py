"""The verbs of monitoring; `verbs` puts them among the others."""

from __future__ import annotations

from handlers.language.commands import (
    Ack,
    Digest,
    DigestAction,
    Errors,
    Monitor,
    MonitorAction,
    Silence,
)
from handlers.language.grammar import Argument, Option, Values, Verb, is_count, is_group
from operations.errors import InvalidRequest

ANY_PROJECT = Argument(name="project", field="project", required=False)
ANY_ENVIRONMENT = Argument(name="environment", field="environment", required=False)
_ALERT = Argument(name="alert", field="alert_id", example="A-17")
_ERRORS_SHOWN = 20


def _errors(v: Values) -> Errors:
    """`count` itself, copied from the usage, says no more than nothing."""
    said = "" if v.word("count").lower() == "count" else v.word("count")
    example = f"errors {_ERRORS_SHOWN}"
    found = Errors(
        count=v.count("count", _ERRORS_SHOWN, most=200, example=example) if said else _ERRORS_SHOWN,
        group_id=v.group(),
        project=v.word("project"),
        environment=v.word("environment"),
        since=v.span("since", "--since 24h"),
        newest=v.flag("newest"),
    )
    if found.group_id is not None and found != Errors(group_id=found.group_id):
        raise InvalidRequest(
            f"E-{found.group_id} is one group, wherever and whenever it was seen.",
            hint=f"Say `errors E-{found.group_id}`.",
        )
    return found


MONITORING_VERBS: tuple[Verb, ...] = (
    Verb(
        name="errors",
        summary="Errors of a day, the worst first; or one in full.",
        help=(
            "Equal errors are one group, counted by the hour. Resolved groups are left out until they "
            "come back. A project called “count”, or by a number or a group's id, is said in quotes."
        ),
        examples=("errors", "errors 5 myapp prod --since 2h", "errors --newest", "errors E-12"),
        arguments=(
            Argument(name="count", field="count", required=False, fits=is_count),
            Argument(name="e-12", field="group_id", required=False, fits=is_group),
            ANY_PROJECT,
            ANY_ENVIRONMENT,
        ),
        options=(
            Option(
                name="since", field="since", metavar="24h", help="only what was seen since (a day)"
            ),
            Option(name="newest", field="newest", help="by when they were first seen"),
        ),
        build=_errors,
    ),
    Verb(
        name="monitor",
        summary="What is watched and how it is, and stop or start watching.",
        help=(
            "Checks of everything, of a project, or of one environment. Who stops them is kept, and "
            "they stay stopped until somebody starts them, also across restarts."
        ),
        examples=("monitor list", "monitor stop myapp prod", "monitor start myapp prod"),
        arguments=(
            Argument(name="action", field="action", choices=tuple(MonitorAction), example="list"),
            ANY_PROJECT,
            ANY_ENVIRONMENT,
        ),
        build=lambda v: Monitor(v.monitor_action(), v.word("project"), v.word("environment")),
    ),
    Verb(
        name="ack",
        summary="Say that you look after an alert.",
        help="Its message names you then, and so does the reply at its end.",
        examples=("ack A-17",),
        arguments=(_ALERT,),
        build=lambda v: Ack(v.alert()),
    ),
    Verb(
        name="silence",
        summary="Hear no more of an alert for a while.",
        help="That it is well again is told all the same. 30 days at most.",
        examples=("silence A-17 1h",),
        arguments=(_ALERT, Argument(name="duration", field="span", rest=True, example="1h")),
        build=lambda v: Silence(v.alert(), v.duration("span", f"silence A-{v.alert()} 2h")),
    ),
    Verb(
        name="digest",
        summary="The daily summary, as it would read now.",
        help=(
            "Errors, alerts, rollouts and uptime of the last 24 hours, for you alone. `now` posts it in "
            "the digest's channel, where everybody can act on what it names."
        ),
        examples=("digest", "digest now"),
        arguments=(
            Argument(name="now", field="action", required=False, choices=(DigestAction.NOW.value,)),
        ),
        build=lambda v: Digest(v.digest_action()),
    ),
)
