"""`docs/configuration.md`, written from the schema and the list of variables, so it cannot be out of date.

    python -m bot.config.reference > docs/configuration.md

A test compares the file with what this prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from bot.config.schema import Schema, config_schema
from bot.settings import VARIABLES

_INTRODUCTION = """\
# Configuration

<!-- Written by `python -m bot.config.reference`. Change the docstrings in bot/config/sections instead. -->

Two places, and nothing else: the environment holds secrets and where things are; `hms.yaml` holds what
may be seen by everyone who can read the repository. `hms.example.yaml` shows every section, with
comments.

`hms-sys config check` reads `hms.yaml` and tells every fault in it at once, as `FILE:LINE:COLUMN KEY:
what is wrong`. Nothing starts while there is one. `hms-sys config schema` prints the JSON Schema; an
editor with a YAML language server completes and checks with it when the file begins with

    # yaml-language-server: $schema=./hms.schema.json

## Environment

Every secret can also be read from a file: `NAME_FILE=/run/secrets/name`. Setting both is a fault. A
variable that is set to nothing counts as not set.

| variable | meaning | default | secret |
|---|---|---|---|
"""

_FILE = """
AWS is reached by the usual chain of boto3: `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`,
`AWS_ENDPOINT_URL_ECS`, roles of tasks and instances. The `secret_env` of a component and of
`hooks.sentry` names one more variable, which is a secret too.

## hms.yaml

YAML 1.2: `true` and `false` are the only truth values; `on`, `yes` and `no` are words. Unknown keys, keys
that stand twice and keys without a value are faults. Anchors, aliases and merges (`<<`) work.

- Durations: `30s`, `10m`, `2h`, `7d`, or a sum such as `1h30m`.
- Times of day are in quotes and carry a time zone: `"09:00"`, `"09:00-17:30"`, `"22:00-06:00"` (over
  midnight), `"00:00-24:00"`.
- Days: `mon-fri`, `mon,wed`, `fri-mon`, `weekdays`, `weekends`, `daily`.
- Slack's ids: channels `C…` or `G…`, users `U…` or `W…`, user groups `S…`. Names such as `#general` are
  not understood, because they can change hands.
- Names of projects, environments, checks and components: letters, digits, `.`, `_`, `-`; 63 at most. Two
  names may not differ in case only. No project is called `forge`, `aws`, `k8s` or `count`: commands use
  these words.

Beside the shape, this must hold:

- an environment that a project, `access.deploy` or a component's right names is one of `environments`;
- no two targets deploy to the same object;
- approvals can be given: there are as many voters as `required` (a user group may hold any number), and,
  where nobody approves their own request, somebody may deploy whom enough others can approve;
- a check's and an error source's `target` is a configured PROJECT/ENVIRONMENT; `cloudwatch` is for
  targets of `aws`, `pods` for those of `k8s`;
- `webhook` and `secret_env` of a component stand together, and no two components share a token.

"""


def write_reference() -> str:
    """The whole document."""
    variables = (
        f"| `{v.name}` | {v.meaning} | {v.default} | {'yes' if v.secret else ''} |\n"
        for v in VARIABLES
    )
    return _INTRODUCTION + "".join(variables) + _FILE + "\n".join(_sections())


def _sections() -> Iterator[str]:
    yield from _table("Top level", "", config_schema())
    definitions = config_schema()["$defs"]
    assert isinstance(definitions, dict)  # noqa: S101 - pydantic puts models there
    for name, path in _PATHS.items():
        yield from _table(f"`{path}`", definitions[name].get("description", ""), definitions[name])
    for name, node in definitions.items():
        if name not in _PATHS:
            provider = node["properties"]["provider"]["const"]
            title = f"`projects.PROJECT.environments.ENVIRONMENT` with `provider: {provider}`"
            yield from _table(title, node.get("description", ""), node)


_PATHS = {
    "Slack": "slack",
    "Environment": "environments.ENVIRONMENT",
    "Approvals": "environments.ENVIRONMENT.approvals",
    "OpenHours": "environments.ENVIRONMENT.windows[]",
    "Access": "access",
    "Project": "projects.PROJECT",
    "Health": "projects.PROJECT.environments.ENVIRONMENT.health",
    "Check": "checks[]",
    "Alerts": "alerts",
    "Escalation": "alerts.escalation",
    "Errors": "errors",
    "Keep": "errors.keep",
    "ErrorSource": "errors.sources[]",
    "Digest": "digest",
    "Email": "email",
    "Notify": "notify[]",
    "Legacy": "legacy",
    "Heartbeat": "heartbeat",
    "Hooks": "hooks",
    "Hook": "hooks.SYSTEM",
    "SentryHook": "hooks.sentry",
    "Component": "components.COMPONENT",
}


def _table(title: str, text: str, node: Schema) -> Iterator[str]:
    yield f"### {title}\n"
    if text:
        yield f"{text}\n"
    yield "| key | meaning | default |"
    yield "|---|---|---|"
    properties, required = node["properties"], node.get("required", [])
    assert isinstance(properties, dict) and isinstance(required, list)  # noqa: S101, PT018
    for key, child in properties.items():
        default = "required" if key in required else _default(child)
        yield f"| `{key}` | {_meaning(child)} | {default} |"
    yield ""


def _meaning(node: Schema) -> str:
    text = str(node.get("description") or _referred(node))
    choices = node.get("enum")
    if isinstance(choices, list):
        text += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    return text.replace("|", "\\|")


def _referred(node: Schema) -> str:
    definitions = config_schema()["$defs"]
    name = str(node.get("$ref", "")).rpartition("/")[2]
    found = definitions.get(name) if isinstance(definitions, dict) else None
    return str(found.get("description", "")) if isinstance(found, dict) else ""


def _default(node: Schema) -> str:
    if node.get("default", "") == "":
        return "optional"
    return f"`{json.dumps(node['default'])}`".replace('"', "")


if __name__ == "__main__":
    sys.stdout.write(write_reference())
