"""The object that is deployed to: a Deployment, StatefulSet or DaemonSet as it was last read."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.target import Target
from operations.errors import InvalidRequest, ProviderRejected
from providers.kubernetes.cluster import Cluster, path_of
from providers.kubernetes.faults import Missing
from providers.kubernetes.objects import (
    JsonObject,
    at,
    flag,
    items,
    mapping,
    name,
    number,
    strings,
    text,
    uid,
)
from providers.specs import KubernetesSpec

KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
REVISION = "deployment.kubernetes.io/revision"


def spec_of(target: Target) -> KubernetesSpec:
    """The target's own part; raises InvalidRequest for another provider's."""
    if not isinstance(target.spec, KubernetesSpec):
        raise InvalidRequest(f"{target.name} is not deployed to Kubernetes.")
    return target.spec


@dataclass(frozen=True, slots=True)
class Workload:
    """`resource` is the plural of the kind; `raw` is the API's document."""

    resource: str
    raw: JsonObject

    @property
    def kind(self) -> str:
        """`Deployment`."""
        return KINDS.get(self.resource.removesuffix("s"), self.resource)

    @property
    def title(self) -> str:
        """`Deployment web`."""
        return f"{self.kind} {name(self.raw)}"

    @property
    def path(self) -> str:
        """Its own path in the API."""
        return path_of(self.resource, text(self.raw, "metadata", "namespace"), name(self.raw))

    @property
    def uid(self) -> str:
        """Its identity, which does not outlive a deletion."""
        return uid(self.raw)

    @property
    def version(self) -> str:
        """The resourceVersion, for the optimistic lock."""
        return text(self.raw, "metadata", "resourceVersion")

    @property
    def generation(self) -> int:
        """Rises with every change of the spec."""
        return number(self.raw, "metadata", "generation")

    @property
    def annotations(self) -> dict[str, str]:
        """The object's own, not the template's."""
        return strings(self.raw, "metadata", "annotations")

    @property
    def template(self) -> JsonObject:
        """The pod template."""
        return mapping(self.raw, "spec", "template")

    @property
    def replicas(self) -> int:
        """How many pods are wanted; the API's own default is one."""
        if self.kind == "DaemonSet":
            return number(self.raw, "status", "desiredNumberScheduled")
        return number(self.raw, "spec", "replicas", default=1)

    @property
    def is_paused(self) -> bool:
        """A paused Deployment does not roll out."""
        return flag(self.raw, "spec", "paused")

    @property
    def updates_by_hand(self) -> bool:
        """`OnDelete`: pods are only replaced when somebody deletes them."""
        return text(self.raw, "spec", "updateStrategy", "type") == "OnDelete"

    @property
    def partition(self) -> int:
        """A StatefulSet's pods below this ordinal keep the old version."""
        return number(self.raw, "spec", "updateStrategy", "rollingUpdate", "partition")

    @property
    def selector(self) -> str:
        """The pods' selector in the form of a query."""
        return selector_text(mapping(self.raw, "spec", "selector"))

    def container(self, wanted: str) -> str:
        """The container's name; `wanted` "" means the only one. Raises InvalidRequest."""
        names = [text(c, "name") for c in items(self.template, "spec", "containers")]
        if wanted in names:
            return wanted
        if not wanted and len(names) == 1:
            return names[0]
        known = ", ".join(names)
        if wanted:
            raise InvalidRequest(
                f"{self.title} has no container “{wanted}”.", hint=f"It has: {known}."
            )
        raise InvalidRequest(
            f"{self.title} has several containers.", hint=f"Set “container” to one of: {known}."
        )

    def image(self, container: str) -> str:
        """The image that the template names for a container."""
        return image_in(self.template, container)


def image_in(template: JsonObject, container: str) -> str:
    """A container's image in a pod template; "" when it is not there."""
    found = (c for c in items(template, "spec", "containers") if text(c, "name") == container)
    return text(next(found, {}), "image")


def selector_text(selector: JsonObject) -> str:
    """`app=web,tier in (a,b)` for a label selector of an object."""
    terms = [f"{k}={v}" for k, v in strings(selector, "matchLabels").items()]
    for expression in items(selector, "matchExpressions"):
        key, operator = text(expression, "key"), text(expression, "operator")
        values = at(expression, "values")
        listed = ",".join(map(str, values)) if isinstance(values, list) else ""
        terms.append(
            {
                "In": f"{key} in ({listed})",
                "NotIn": f"{key} notin ({listed})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }.get(operator, key)
        )
    return ",".join(terms)


async def read_workload(cluster: Cluster, spec: KubernetesSpec) -> Workload:
    """Read the target's object; raises ProviderRejected when it does not exist."""
    kind, _, called = spec.workload.partition("/")
    try:
        raw = await cluster.get(path_of(f"{kind}s", spec.namespace, called))
    except Missing as exc:
        raise ProviderRejected(
            f"There is no {KINDS[kind]} “{called}” in namespace “{spec.namespace}”.",
            hint="Check workload, namespace and context in hms.yaml.",
        ) from exc
    return Workload(f"{kind}s", raw)
