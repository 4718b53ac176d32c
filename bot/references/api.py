"""`docs/api.md`, written from the OpenAPI document that the running bot serves.

    python -m bot.references.api > docs/api.md

A test compares the file with what this prints.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr

from bot.bootstrap import open_services
from bot.config.document import parse_document
from bot.config.reading import check_document
from bot.http import build_component_api
from bot.membership import UnknownMembers
from bot.settings import Settings
from handlers.http.openapi import ANYWHERE, describe
from handlers.http.schemas import Schema
from operations.deployment.rollout import RolloutKind, RolloutState
from operations.monitoring.alert import AlertState
from operations.monitoring.errors.group import GroupState

_INTRODUCTION = """\
# HTTP API

<!-- Written by `python -m bot.references.api`. Change handlers/http and handlers/documents.py instead. -->

For other programs: they ask for deployments, read, and hand in errors. Served by `hms-sys serve` at
`HMS_HOST:HMS_PORT`, beside `/healthz`, `/readyz` and `/metrics`; what comes in from other systems by hooks,
and what goes out to components, is in [webhooks.md](webhooks.md). A client to begin
with is [`examples/hms_dev.py`](../examples/hms_dev.py).

- **Who calls** says `Authorization: Bearer TOKEN`. `hms-sys components add` makes the token and writes into
  `hms.yaml` what it may: `read`, `events`, `deploy:ENVIRONMENT`. What needs approval is approved in Slack.
- **Errors** are `application/problem+json` (RFC 9457): `detail` says what is wrong, `hint` what to do,
  `errors` names each fault of a body or a query, `reference` is where the log tells more of a fault of ours.
  `type` is `about:blank`: the status says the kind. What is refused is in the audit trail; of what would
  only have read, unknown tokens and missing rights are.
- **Limits**: bodies of 1 MiB; `requests_a_minute` of the component (600 unless configured), by each process;
  beyond it 429 with `Retry-After`.
- **Repeats**: the same `Idempotency-Key` with the same body has one effect and gets the first answer, for a
  week, a batch of events for a day; with another body it is 409.
- **Pages**: `next` of an answer is the `cursor` of the following page, until it is null.
- **Times** are RFC 3339 in UTC. Documents may gain keys. Each request has an id: `X-Request-Id`, yours if
  you sent one, in the answer and in the log.

The same as data, for tools: `GET /api/v1/openapi.json`, which needs no token.

## Try it

```sh
HMS=http://127.0.0.1:3000
TOKEN=…
curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/targets"
curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/rollouts?project=myapp&since=7d&limit=50"
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -H "Idempotency-Key: HMS-7" \\
  -d '{"project":"myapp","environment":"staging","version":"1.1","reason":"fix","external_id":"HMS-7"}' \\
  "$HMS/api/v1/rollouts"
curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/rollouts/D-1001"
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"project":"myapp","environment":"staging","level":"error","message":"no answer from the database"}' \\
  "$HMS/api/v1/events"
curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/errors?order=newest&limit=10"
curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/alerts?state=open"
curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/rollouts?external_id=HMS-7"
curl "$HMS/api/v1/openapi.json"
```

Events come one by one, as an array, or as an object a line (`application/x-ndjson`); all of them are taken,
or none, and they are stored when the answer comes.

## Routes

| route | right | what |
|---|---|---|
"""

_CONFIG = """
slack: {deploys_channel: C01GEN}
environments: {staging: {}}
projects:
  site: {environments: {staging: {provider: forge, organization: acme, server: 1, site: 1}}}
"""
"""Any one that is valid: the routes are the same with all."""


def write_reference() -> str:
    """The whole document."""
    document = asyncio.run(_describe())
    return _INTRODUCTION + "\n".join(
        [*_overview(document), *_routes(document), *_states(), *_schemas(document)]
    )


async def _describe() -> Schema:
    config = check_document(parse_document(_CONFIG))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=SecretStr(f"sqlite:///{Path(folder) / 'hms.db'}"))
        async with open_services(settings, config, UnknownMembers()) as services:
            return describe(build_component_api(config, services).routes)


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Each with its `POST /api/v1/rollouts`."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _overview(document: Schema) -> Iterator[str]:
    for route, operation in _operations(document):
        yield f"| `{route}` | {_right(operation)} | {operation['summary']} |"
    yield ""


def _right(operation: Schema) -> str:
    """As its description names it."""
    described = str(operation.get("description", ""))
    return f"`{described.split('`')[1]}`" if "`" in described else "none"


def _routes(document: Schema) -> Iterator[str]:
    problems = {str(status): meaning for status, meaning in ANYWHERE.items()}
    for route, operation in _operations(document):
        yield from (f"### {operation['summary']}", "", f"    {route}", "")
        yield from _parameters(operation.get("parameters", []))
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield from (f"Body, `{kind}`: {_kind(content['schema'])}.", "")
        yield from _answers(operation["responses"], problems)
    yield from ("## Problems", "", "| status | means |", "|---|---|")
    yield from (f"| {status} | {meaning} |" for status, meaning in sorted(problems.items()))
    yield ""


def _parameters(parameters: Sequence[Schema]) -> Iterator[str]:
    if not parameters:
        return
    yield from ("| parameter | in | is | meaning |", "|---|---|---|---|")
    for each in parameters:
        meaning = _cell(each.get("description", ""))
        yield f"| `{each['name']}` | {each['in']} | {_kind(each['schema'])} | {meaning} |"
    yield ""


def _answers(responses: Mapping[str, Schema], problems: dict[str, str]) -> Iterator[str]:
    """The good one in full; the others by number, their meaning kept for the one table of them."""
    good = next(status for status in responses if status < "300")
    others = {status: each["description"] for status, each in responses.items() if status != good}
    problems.update(others)
    content = responses[good]["content"]["application/json"]
    told = ", ".join(others)
    yield from (f"Answers {good} with {_kind(content['schema'])}; problems: {told}.", "")


def _states() -> Iterator[str]:
    yield from ("## States", "")
    yield f"- A rollout: {_listed(RolloutState)}; its kind: {_listed(RolloutKind)}."
    yield f"- An alert: {_listed(AlertState)}."
    yield f"- A group of errors: {_listed(GroupState)}."
    yield "- A target: `healthy`, `degraded`, `deploying`, `down`, `unknown`."
    yield ""


def _listed(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"`{word.value}`" for word in words)


def _schemas(document: Schema) -> Iterator[str]:
    yield from ("## Documents", "")
    for name, schema in sorted(document["components"]["schemas"].items()):
        if "properties" in schema:
            yield from (f"### {name}", "", schema["description"], "", *_keys(schema), "")


def _keys(schema: Schema) -> Iterator[str]:
    """A table; without meanings where the schema's own words tell all that there is to tell."""
    properties, required = schema["properties"], schema.get("required", [])
    explained = any("description" in child for child in properties.values())
    yield "| key | is | meaning |" if explained else "| key | is |"
    yield "|---|---|---|" if explained else "|---|---|"
    for key, child in properties.items():
        optional = "" if key in required else ", may be absent"
        meaning = f" {_cell(child.get('description', ''))} |" if explained else ""
        yield f"| `{key}` | {_kind(child)}{optional} |{meaning}"


def _kind(schema: Schema) -> str:
    """In words: `text`, `a list of RolloutDocument`."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"a list of {_kind(schema['items'])}"
    return _WORDS.get(kind, "any value") + _bounds(schema)


_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "null": "null",
}


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    parts = [f" from {low} to {high}"] if low is not None and high is not None else []
    parts += [f" of {schema['maxLength']} characters at most"] if "maxLength" in schema else []
    parts += [f"; usually `{schema['default']}`"] if schema.get("default") else []
    return "".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(write_reference())
