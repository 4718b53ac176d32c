"""Where there is nothing to show, people are told what was looked for, and what to say next."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from handlers.error_queries import Found
from handlers.language import Errors, History, Logs, parse
from handlers.nothing import (
    Nothing,
    no_errors,
    no_log,
    no_rollouts,
    no_statistics,
    no_targets,
)

WEEK = timedelta(days=7)
_SAID: dict[str, tuple[Nothing, str, str]] = {
    "no history": (
        no_rollouts(History()),
        "Nothing was shipped yet.",
        "Ship something: `deploy PROJECT ENVIRONMENT VERSION`.",
    ),
    "no history of a target": (
        no_rollouts(History("myapp", "prod", "U02BOB", WEEK)),
        "No rollouts of myapp/prod that <@U02BOB> asked for in the last 7 d.",
        "See more: `history myapp prod --by U02BOB`.",
    ),
    "no history of a person": (
        no_rollouts(History(by="bob")),
        "No rollouts that bob asked for.",
        "See more: `history`.",
    ),
    "no emergency": (
        no_rollouts(History("myapp", unreviewed=True)),
        "No emergency waits for its review.",
        "All that was shipped: `history`.",
    ),
    "no figures": (
        no_statistics("myapp: nothing was shipped in the last 30 d", "myapp", 4 * WEEK),
        "myapp: nothing was shipped in the last 30 d.",
        "Look further back: `stats myapp --since 90d`.",
    ),
    "no figures at all": (
        no_statistics("All projects: nothing was shipped in the last 90 d", "", 13 * WEEK),
        "All projects: nothing was shipped in the last 90 d.",
        "Ship something: `deploy PROJECT ENVIRONMENT VERSION`.",
    ),
    "no errors": (
        no_errors(Found(command=Errors(project="myapp"), reports=(), has_more=False)),
        "No open errors of myapp in the last 24 h.",
        "Look further back: `errors myapp --since 7d`.",
    ),
    "no errors in a week": (
        no_errors(Found(command=Errors(since=WEEK), reports=(), has_more=False)),
        "No open errors in the last 7 d.",
        "They come from `errors: sources` in hms.yaml, and from components.",
    ),
    "no lines": (
        no_log(Logs("myapp", "prod")),
        "The log of myapp/prod has no lines.",
        "Whether it runs: `status myapp prod`.",
    ),
    "no lines lately": (
        no_log(Logs("myapp", "prod", since=timedelta(minutes=10))),
        "The log of myapp/prod has no lines of the last 10 m.",
        "Look further back: `logs myapp prod`.",
    ),
    "no target": (
        no_targets(),
        "No target is configured.",
        "Describe one under `projects:` in hms.yaml, and start the bot again.",
    ),
}


@pytest.mark.parametrize("name", _SAID)
def test_nothing_is_said_with_a_next_step(name: str) -> None:
    found, text, hint = _SAID[name]

    assert (found.text, found.hint) == (text, hint)


@pytest.mark.parametrize("name", _SAID)
def test_the_next_step_can_be_said(name: str) -> None:
    for command in re.findall(r"`([a-z]+(?: [^`:]+)?)`", _SAID[name][0].hint):
        parse(command)
