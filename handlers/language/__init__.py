"""The one grammar of commands: what people say in Slack after `/hms` and on the command line.

Here lives how words become a command, and how a command is written back. Not here: what a command
does (`operations`), how answers look (`handlers.slack.views`, `handlers.cli`). Pure: knows neither
Slack's SDK nor Typer nor the configuration.
"""

from __future__ import annotations

from handlers.language.commands import (
    Ack,
    Approve,
    Cancel,
    Command,
    Deploy,
    DeployForm,
    Digest,
    DigestAction,
    Doctor,
    Errors,
    Help,
    History,
    Lock,
    Logs,
    Monitor,
    MonitorAction,
    Promote,
    Reject,
    Review,
    Rollback,
    Show,
    Silence,
    Stats,
    Status,
    Unlock,
    Why,
)
from handlers.language.grammar import Argument, Option, Values, Verb
from handlers.language.guidance import explain, help_text, overview
from handlers.language.parsing import parse, parse_argv
from handlers.language.rendering import render
from handlers.language.verbs import VERBS, verb_named
from handlers.language.words import normalise

__all__ = [
    "VERBS",
    "Ack",
    "Approve",
    "Argument",
    "Cancel",
    "Command",
    "Deploy",
    "DeployForm",
    "Digest",
    "DigestAction",
    "Doctor",
    "Errors",
    "Help",
    "History",
    "Lock",
    "Logs",
    "Monitor",
    "MonitorAction",
    "Option",
    "Promote",
    "Reject",
    "Review",
    "Rollback",
    "Show",
    "Silence",
    "Stats",
    "Status",
    "Unlock",
    "Values",
    "Verb",
    "Why",
    "explain",
    "help_text",
    "normalise",
    "overview",
    "parse",
    "parse_argv",
    "render",
    "verb_named",
]
