"""The whole of `hms.yaml` as one model, and its JSON Schema for editors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from bot.config.catalog import Plan
from bot.config.sections.monitoring import Alerts, Check, Digest, Errors, Heartbeat
from bot.config.sections.programs import Component, Email, Hooks, Legacy, Notify
from bot.config.sections.section import Key, Section
from bot.config.sections.targets import SPECS, Access, Environment, Project, Slack
from operations.deployment.target import Catalog
from operations.durations import say_duration

if TYPE_CHECKING:
    from pydantic_core import core_schema

Schema: TypeAlias = "dict[str, object]"


class Config(Section):
    """Configuration of HMS-SYS."""

    slack: Slack
    environments: dict[Key, Environment]
    """Every environment that a project may name, with the rules that hold there."""
    access: Access = Access()
    projects: dict[Key, Project]
    """What can be deployed."""
    checks: list[Check] = Field(default=[])
    """What is watched."""
    alerts: Alerts = Alerts()
    errors: Errors = Errors()
    digest: Digest | None = None
    email: Email | None = None
    notify: list[Notify] = Field(default=[])
    """More ways to tell people."""
    heartbeat: Heartbeat | None = None
    hooks: Hooks = Hooks()
    legacy: Legacy | None = None
    components: dict[Key, Component] = Field(default={})
    """Programs that call the HTTP API and hear of events, by name."""

    def catalog(self) -> Catalog:
        """Every target, with the channel, approvals, windows and people that hold for it."""
        return Plan(self.slack, self.environments, self.access, self.projects).catalog()


@cache
def config_schema() -> Schema:
    """JSON Schema of `hms.yaml`, for editors: what it accepts may still break a rule between keys."""
    schema = Config.model_json_schema(schema_generator=_ForPeople)
    for kind in SPECS:
        for key, node in schema["$defs"][kind.__name__]["properties"].items():
            if key in _MEANINGS:
                node.setdefault("description", _MEANINGS[key])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_MEANINGS = {
    "provider": "The platform.",
    "context": "kubeconfig context. Default: the current one, or the cluster that the bot runs in.",
    "namespace": "Namespace of the workload.",
    "workload": "deployment/NAME, statefulset/NAME or daemonset/NAME.",
    "container": "The container that gets the version. Default: the only one.",
    "image": "The repository; the version is its tag. Default: that of the image now running.",
    "region": "AWS region.",
    "cluster": "ECS cluster.",
    "service": "ECS service.",
    "profile": "AWS profile. Default: the usual chain of credentials.",
    "organization": "Organization on Forge, as in its addresses.",
    "server": "Number of the server on Forge.",
    "site": "Number of the site on Forge.",
    "branch": "The branch that is deployed.",
}
"""What the providers' own keys mean."""


class _ForPeople(GenerateJsonSchema):
    """Durations as they are written; no null, as an empty value is a fault; no titles."""

    def encode_default(self, dft: object) -> object:
        if isinstance(dft, timedelta):
            return say_duration(dft).replace(" ", "")
        return super().encode_default(dft)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        default = schema.get("default", ...)
        if default in (None, {}, []) or isinstance(default, Section):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        return {**super().dict_schema(schema), "additionalProperties": False}

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def keys_at(loc: Sequence[str | int]) -> list[str]:
    """The keys known at a place that pydantic names, where a union's tag is a step of its own."""
    node = config_schema()
    for step in loc:
        node = _inside(_resolved(node), step)
    properties = _resolved(node).get("properties")
    return list(properties) if isinstance(properties, dict) else []


def _resolved(node: Schema) -> Schema:
    while isinstance(reference := node.get("$ref"), str):
        definitions = config_schema()["$defs"]
        node = _child(definitions, reference.rpartition("/")[2])
    return node


def _inside(node: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        return _child(node, "items")
    discriminator = node.get("discriminator")
    if discriminator is not None:
        return {"$ref": _child(discriminator, "mapping").get(step, "")}
    patterns = node.get("patternProperties")
    if isinstance(patterns, dict):
        return _child(patterns, next(iter(patterns)))
    return _child(_child(node, "properties"), str(step))


def _child(node: object, key: str) -> Schema:
    child = node.get(key) if isinstance(node, dict) else None
    return child if isinstance(child, dict) else {}
