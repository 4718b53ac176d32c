"""Which parts of HMS-OPS HMS-SYS covers, and by what. The one table to extend when a part is taken over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from operations.integration.legacy.inventory import Part, PartKind

_Rules = Sequence[tuple[str, str]]

_COMMANDS: Mapping[str, str] = {
    "deploy": "hms-sys deploy PROJECT ENVIRONMENT [VERSION]",
    "status": "hms-sys status [PROJECT [ENVIRONMENT]]",
    "monitor": "hms-sys monitor start|stop|list",
    "start": "hms-sys monitor start",
    "stop": "hms-sys monitor stop",
    "errors": "hms-sys errors [COUNT]",
    "logs": "hms-sys history, and hms-sys logs PROJECT ENVIRONMENT",
    "rollback": "hms-sys rollback PROJECT ENVIRONMENT",
    "history": "hms-sys history",
    "help": "hms-sys help",
    "-h": "hms-sys help",
    "--help": "hms-sys help",
}

_FUNCTIONS: _Rules = (
    (r"hms_?dev|integrat|register|component|callback|workflow", "POST /api/v1/rollouts, for components"),
    (r"(forge.*deploy|deploy.*forge|trigger.*deploy)", "deploy, on targets with `provider: forge`"),
    (r"(ecs|aws|fargate)", "deploy and status, on targets with `provider: aws`"),
    (r"(k8s|kube)", "deploy and status, on targets with `provider: k8s`"),
    (r"forge|(get|list|fetch).*(site|server|deployment)|api.*(request|call|get|post)|curl|^request$",
     "the Forge adapter: deploy, status and logs"),
    (r"roll_?back|revert|undo", "hms-sys rollback"),
    (r"deploy|release|ship", "hms-sys deploy"),
    (r"notif|slack|webhook|announce|alert", "the cards in Slack, and alerts"),
    (r"e?mail|smtp", "`email:` in hms.yaml"),
    (r"monitor|watch|daemon|background|loop|pid", "hms-sys monitor, and `checks:` in hms.yaml"),
    (r"health|status|check_(site|service|target|url|app)|ping", "hms-sys status, and `checks:`"),
    (r"error|failure|exception", "hms-sys errors"),
    (r"log|audit|history|record", "hms-sys history, show and logs"),
    (r"conf(ig)?|settings|setting|load|parse|read|json|jq|env", "hms.yaml and `hms-sys config check`"),
    (r"usage|help|version|banner", "hms-sys help"),
    (r"main|init|setup|install|require|depend|prerequisite|command_exists|cleanup|trap|die|fail|abort"
     r"|color|colour|print|echo|info|warn|success|debug|confirm|prompt|retry|timestamp|now|construct",
     "part of the shell tool itself: nothing is left to do by hand"),
)  # fmt: skip

_KEYS: _Rules = (
    (r"token|secret|password|api_?key|webhook", "a variable of the environment"),
    (r"forge|server|site|aws|ecs|cluster|service|region|profile|k8s|kube|context|namespace|deployment"
     r"|container|image|branch|repo", "`projects:` in hms.yaml"),
    (r"project|app|environment|env|name|provider|platform|type", "`projects:` in hms.yaml"),
    (r"slack|channel", "`slack:` in hms.yaml"),
    (r"mail|smtp", "`email:` in hms.yaml"),
    (r"monitor|interval|health|url|check|timeout|retr", "`checks:` in hms.yaml"),
    (r"log|debug|verbose|version", "HMS_LOG_LEVEL, and history in the database"),
)  # fmt: skip

_LOGS: _Rules = (
    (r"deploy|release|rollout", "hms-sys history"),
    (r"status|monitor|health|check", "hms-sys monitor list, and the alerts in Slack"),
    (r"error|fail", "hms-sys errors"),
    (r"audit|hms|ops|notif|access|debug", "hms-sys history and the bot's own log"),
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A part and what does its work now; "" when nothing does."""

    part: Part
    by: str


def cover(parts: Iterable[Part]) -> list[Coverage]:
    """What covers each part, in the order given."""
    return [Coverage(part, _covered_by(part)) for part in parts]


def _covered_by(part: Part) -> str:
    match part.kind:
        case PartKind.COMMAND:
            return _COMMANDS.get(part.name.lower(), "")
        case PartKind.FUNCTION:
            return _first(_FUNCTIONS, _snake(part.name))
        case PartKind.CONFIGURATION:
            return _first(_KEYS, _snake(part.name))
        case PartKind.LOG:
            return _first(_LOGS, part.name.lower())


def _first(rules: _Rules, name: str) -> str:
    return next((by for pattern, by in rules if re.search(pattern, name)), "")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
