"""Which parts of HMS-OPS HMS-SYS covers, and by what. Pure.

What is not known by its name is not covered: a person looks at it, and hears what it does where that can be
told. What functions are called stands in `functions`, keys are `config migrate`'s (`keys`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from operations.integration.legacy.bodies import Bodies
from operations.integration.legacy.functions import find_cover
from operations.integration.legacy.inventory import Part, PartKind


class Verdict(StrEnum):
    """Of a part. Only what is covered or yours to decide lets an audit end well."""

    COVERED = "covered"
    LOOK = "look_at"
    DECIDE = "decide"
    UNCOVERED = "uncovered"


@dataclass(frozen=True, slots=True)
class Coverage:
    """`text` is what does the part's work now, or what there is to look at or to decide; "" for nothing."""

    part: Part
    verdict: Verdict
    text: str = ""


_COMMANDS: Mapping[str, str] = {
    "deploy": "hms-sys deploy PROJECT ENVIRONMENT [VERSION]",
    "status": "hms-sys status [PROJECT [ENVIRONMENT]]",
    "monitor": "hms-sys monitor start|stop|list",
    "start": "hms-sys monitor start",
    "stop": "hms-sys monitor stop",
    "errors": "hms-sys errors [COUNT]",
    "logs": "hms-sys history, and hms-sys logs PROJECT ENVIRONMENT",
    "rollback": "hms-sys rollback PROJECT ENVIRONMENT",
    "promote": "hms-sys promote PROJECT FROM TO",
    "lock": "hms-sys lock PROJECT ENVIRONMENT",
    "unlock": "hms-sys unlock PROJECT ENVIRONMENT",
    "history": "hms-sys history",
    "help": "hms-sys help",
    "-h": "hms-sys help",
    "--help": "hms-sys help",
    "usage": "hms-sys help",
    "version": "hms-sys --version",
    "--version": "hms-sys --version",
}
_SECOND: Mapping[str, frozenset[str]] = {
    "deploy": frozenset({"forge", "ecs", "aws", "fargate", "k8s", "kubernetes", "kube"}),
    "monitor": frozenset({"start", "stop", "status", "list"}),
    "logs": frozenset({"forge", "ecs", "aws", "k8s", "kubernetes", "deployments", "errors"}),
}
"""What HMS-OPS's commands took that HMS-SYS knows by itself."""
_NEARLY: Mapping[str, str] = {
    "report": "hms-sys digest tells of rollouts, errors and uptime: see whether that is enough",
    "cleanup": "HMS-SYS keeps its own history, and errors as `errors.keep` says; files are yours",
    "health": "hms-sys status, or hms-sys doctor",
    "check": "hms-sys status, or hms-sys doctor",
    "list": "hms-sys status shows all targets",
}
_LOGS: Sequence[tuple[str, str]] = (
    (r"deploy|release|rollout", "hms-sys migrate logs, then hms-sys history"),
    (r"error|exception|laravel", "hms-sys migrate logs, then hms-sys errors"),
    (r"hms[-_]?ops|^ops\b", "hms-sys migrate logs, then hms-sys history and hms-sys errors"),
    (
        r"status|monitor|health",
        "hms-sys monitor list, and the alerts in Slack; old lines stay there",
    ),
    (r"audit", "hms-sys audit; old lines stay there"),
)


def cover(parts: Iterable[Part], bodies: Bodies) -> list[Coverage]:
    """What covers each part but keys, in the order given.

    What a covered command takes, and HMS-SYS knows, is no part of its own.
    """
    given = [part for part in parts if part.kind is not PartKind.CONFIGURATION]
    commands = {part.name for part in given if part.kind is PartKind.COMMAND}
    judged = (_judge(part, bodies) for part in given)
    return [each for each in judged if not _is_said_already(each, commands)]


def _is_said_already(each: Coverage, commands: Collection[str]) -> bool:
    command, _, second = each.part.name.partition(" ")
    is_second = each.part.kind is PartKind.COMMAND and second and command in commands
    return bool(is_second) and each.verdict is Verdict.COVERED


def _judge(part: Part, bodies: Bodies) -> Coverage:
    match part.kind:
        case PartKind.COMMAND:
            return _judge_command(part)
        case PartKind.FUNCTION:
            return _judge_function(part, bodies)
        case PartKind.LOG:
            by = next((by for shape, by in _LOGS if re.search(shape, part.name.lower())), "")
            return Coverage(part, Verdict.COVERED if by else Verdict.UNCOVERED, by)
        case _:
            return Coverage(part, Verdict.LOOK, part.note)


def _judge_command(part: Part) -> Coverage:
    """By any of its names."""
    names = [name.lower() for name in (part.name, *part.aliases)]
    if by := next(_covers(names), ""):
        return Coverage(part, Verdict.COVERED, by)
    near = next((_NEARLY[name] for name in names if name in _NEARLY), "")
    return Coverage(part, Verdict.LOOK if near else Verdict.UNCOVERED, near)


def _covers(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        command, _, second = name.partition(" ")
        if command in _COMMANDS and (not second or second in _SECOND.get(command, ())):
            yield _COMMANDS[command]


def _judge_function(part: Part, bodies: Bodies) -> Coverage:
    """By its name, else by what its body does where that leaves no doubt."""
    if by := find_cover(part.name):
        return Coverage(part, Verdict.COVERED, by)
    if by := bodies.cover(part.name):
        return Coverage(part, Verdict.COVERED, by)
    calls = bodies.programs(part.name)
    return Coverage(part, Verdict.LOOK, f"calls {', '.join(calls)}" if calls else "")
