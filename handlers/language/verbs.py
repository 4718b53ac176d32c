"""The table of verbs (interface §4): the only place that says which commands there are."""

from __future__ import annotations

from handlers.language.commands import (
    Approve,
    Cancel,
    Deploy,
    Doctor,
    Help,
    History,
    Lock,
    Logs,
    Promote,
    Reject,
    Review,
    Rollback,
    Show,
    Stats,
    Status,
    Unlock,
    Why,
)
from handlers.language.grammar import Argument, Option, Verb, is_provider
from handlers.language.monitoring_verbs import ANY_ENVIRONMENT, ANY_PROJECT, MONITORING_VERBS

_PROVIDER = Argument(name="provider", field="provider", required=False, fits=is_provider)
_PROJECT = Argument(name="project", field="project")
_ENVIRONMENT = Argument(name="environment", field="environment")
_VERSION = Argument(name="version", field="version", required=False)
_ROLLOUT = Argument(name="rollout", field="rollout_id", example="D-1042")
_REST = Argument(name="reason", field="reason", required=False, rest=True)

_PROVIDER_OPTION = Option(
    name="provider", field="provider", metavar="WORD", help="forge, aws or k8s; checked, optional"
)
_VERSION_OPTION = Option(
    name="version", field="version", metavar="VERSION", help="tag, branch or commit"
)
_REASON = Option(name="reason", field="reason", metavar="TEXT", help="why, kept in history")
_SINCE = Option(name="since", field="since", metavar="7d", help="only what is newer")

VERBS: tuple[Verb, ...] = (
    Verb(
        name="deploy",
        summary="Ship a version to an environment.",
        help=(
            "Resolves the version once, asks for approval where the rules want it, and ships exactly "
            "that. Without a version: what runs now, or the branch's head. The environment is never "
            "guessed. With --at it waits for its time once it is agreed to: 18:30 is by the clocks of "
            "the target's hours, else UTC. Locks and hours are looked at again then, and an hour later "
            "it is not started any more."
        ),
        examples=(
            "deploy myapp prod 1.1",
            'deploy myapp staging 1.2 --reason "login fix" --dry-run',
            "deploy myapp prod 1.1 --at 18:30",
        ),
        arguments=(_PROVIDER, _PROJECT, _ENVIRONMENT, _VERSION),
        options=(
            _VERSION_OPTION,
            _REASON,
            Option(name="dry-run", field="dry_run", help="say what would happen, change nothing"),
            Option(
                name="emergency",
                field="emergency",
                help="pass windows and locks with one admin's vote; needs --reason",
            ),
            _PROVIDER_OPTION,
            Option(
                name="at",
                field="at",
                metavar="TIME",
                help="start at 18:30, in 2h, or at 2026-11-25T18:30+01:00",
            ),
        ),
        build=lambda v: Deploy(
            project=v.word("project"),
            environment=v.word("environment"),
            version=v.word("version"),
            provider=v.provider(),
            reason=v.text("reason"),
            at=v.start(),
            emergency=v.flag("emergency"),
            dry_run=v.flag("dry_run"),
        ),
    ),
    Verb(
        name="status",
        summary="What serves now.",
        help="Asks the platforms: of everything, of a project, or of one environment.",
        examples=("status", "status myapp prod"),
        arguments=(_PROVIDER, ANY_PROJECT, ANY_ENVIRONMENT),
        options=(_PROVIDER_OPTION,),
        build=lambda v: Status(
            project=v.word("project"), environment=v.word("environment"), provider=v.provider()
        ),
    ),
    Verb(
        name="approve",
        summary="Vote for a rollout.",
        help="Counts your vote; the last one that is needed sends the rollout on its way.",
        examples=("approve D-1042",),
        arguments=(_ROLLOUT,),
        build=lambda v: Approve(v.rollout()),
    ),
    Verb(
        name="reject",
        summary="Vote against a rollout, which ends it.",
        help="Ends a rollout that waits for approval. The reason is shown and kept.",
        examples=("reject D-1042 wait for the migration",),
        arguments=(_ROLLOUT, _REST),
        options=(_REASON,),
        build=lambda v: Reject(v.rollout(), v.text("reason")),
    ),
    Verb(
        name="cancel",
        summary="Withdraw a rollout, or stop one that runs.",
        help="Your own, or any if you are an admin. One that runs is stopped where the platform can.",
        examples=("cancel D-1042",),
        arguments=(_ROLLOUT,),
        build=lambda v: Cancel(v.rollout()),
    ),
    Verb(
        name="why",
        summary="What stands in the way of a deploy now, and who can lift it.",
        help="Checks rights, locks, hours and approvals for you as a deploy would, and changes nothing.",
        examples=("why myapp prod",),
        arguments=(_PROJECT, _ENVIRONMENT),
        build=lambda v: Why(v.word("project"), v.word("environment")),
    ),
    Verb(
        name="rollback",
        summary="Bring the former version back.",
        help="Needs no votes and passes locks and hours; it is audited. Name a version to go further back.",
        examples=("rollback myapp prod", "rollback myapp prod 1.0"),
        arguments=(_PROJECT, _ENVIRONMENT, _VERSION),
        options=(_VERSION_OPTION, _REASON),
        build=lambda v: Rollback(
            v.word("project"), v.word("environment"), v.word("version"), v.text("reason")
        ),
    ),
    Verb(
        name="promote",
        summary="Ship what is live in one environment to another.",
        help="The same rules hold as for a deploy to the second environment.",
        examples=("promote myapp staging prod",),
        arguments=(
            _PROJECT,
            Argument(name="from", field="source"),
            Argument(name="to", field="destination"),
        ),
        build=lambda v: Promote(v.word("project"), v.word("source"), v.word("destination")),
    ),
    Verb(
        name="history",
        summary="What was shipped, by whom, and how it ended.",
        help="Newest first.",
        examples=("history", "history myapp prod --since 7d --limit 5"),
        arguments=(ANY_PROJECT, ANY_ENVIRONMENT),
        options=(
            Option(name="by", field="by", metavar="WHO", help="only what this person asked for"),
            _SINCE,
            Option(name="limit", field="limit", metavar="N", help="how many at most (20)"),
            Option(
                name="unreviewed", field="unreviewed", help="only emergencies to be reviewed yet"
            ),
        ),
        build=lambda v: History(
            project=v.word("project"),
            environment=v.word("environment"),
            by=v.person("by"),
            since=v.span("since", "--since 7d"),
            limit=v.count("limit", 20, most=200),
            unreviewed=v.flag("unreviewed"),
        ),
    ),
    Verb(
        name="show",
        summary="One rollout with everything that happened to it.",
        help="Votes, steps, times, and why it ended as it did.",
        examples=("show D-1042",),
        arguments=(_ROLLOUT,),
        build=lambda v: Show(v.rollout()),
    ),
    Verb(
        name="review",
        summary="Say that you looked at an emergency that is over.",
        help=(
            "Every emergency is to be reviewed by somebody else than who asked for it: an admin, or "
            "anyone who may deploy there. `history --unreviewed` lists those that nobody looked at."
        ),
        examples=("review D-1042 the hotfix was right, the window was not",),
        arguments=(_ROLLOUT, Argument(name="note", field="note", required=False, rest=True)),
        build=lambda v: Review(v.rollout(), v.text("note")),
    ),
    Verb(
        name="stats",
        summary="How often, how fast and how well a team ships.",
        help=(
            "Per environment: rollouts by outcome, how often, the share of failures, the time until a "
            "good release served again, lead time where the commits are known, and medians. Each "
            "figure says what it is about."
        ),
        examples=("stats", "stats myapp --since 90d"),
        arguments=(ANY_PROJECT,),
        options=(Option(name="since", field="since", metavar="30d", help="of how long (30d)"),),
        build=lambda v: Stats(v.word("project"), v.span("since", "--since 30d")),
    ),
    Verb(
        name="lock",
        summary="Hold deploys to an environment back.",
        help="You can still deploy there yourself. Without --for it holds until somebody unlocks.",
        examples=("lock myapp prod database migration --for 2h",),
        arguments=(_PROJECT, _ENVIRONMENT, _REST),
        options=(
            Option(name="for", field="span", metavar="2h", help="how long; else until unlocked"),
            _REASON,
        ),
        build=lambda v: Lock(
            v.word("project"), v.word("environment"), v.text("reason"), v.span("span", "--for 2h")
        ),
    ),
    Verb(
        name="unlock",
        summary="Let deploys go again.",
        help="Lifts your own lock, or anybody's if you are an admin.",
        examples=("unlock myapp prod",),
        arguments=(_PROJECT, _ENVIRONMENT),
        build=lambda v: Unlock(v.word("project"), v.word("environment")),
    ),
    Verb(
        name="logs",
        summary="The newest lines of an application's log.",
        help="As the platform has them, oldest first, without secrets.",
        examples=("logs myapp prod --lines 100", "logs myapp staging --since 10m"),
        arguments=(_PROJECT, _ENVIRONMENT),
        options=(
            Option(name="lines", field="lines", metavar="N", help="how many at most (50)"),
            Option(name="since", field="since", metavar="10m", help="only what is newer"),
            Option(name="follow", field="follow", help="go on showing new lines", cli_only=True),
        ),
        build=lambda v: Logs(
            project=v.word("project"),
            environment=v.word("environment"),
            lines=v.count("lines", 50, most=1000),
            since=v.span("since", "--since 10m"),
            follow=v.flag("follow"),
        ),
    ),
    *MONITORING_VERBS,
    Verb(
        name="doctor",
        summary="Test tokens, channels, targets, mail and database.",
        help="Asks each for real, and says what to do about those that do not answer.",
        examples=("doctor",),
        build=lambda v: Doctor(),
        slack_only=True,
    ),
    Verb(
        name="help",
        summary="This overview, or one command in full.",
        help="Names every command that exists.",
        examples=("help deploy",),
        arguments=(Argument(name="command", field="topic", required=False),),
        build=lambda v: Help(v.word("topic").lower()),
    ),
)

COMMAND_LINE_ONLY = frozenset(
    {"serve", "config", "db", "sandbox", "audit", "components", "migrate", "doctor"}
)

_BY_NAME = {verb.name: verb for verb in VERBS}


def verb_named(name: str) -> Verb | None:
    """The verb of this name, whatever its case."""
    return _BY_NAME.get(name.lower())
