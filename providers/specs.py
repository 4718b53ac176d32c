"""Each provider's own part of a target in `hms.yaml`, as pydantic models.

They are apart from the adapters so that reading the configuration imports no vendor's SDK. To add a
provider: its model here, its adapter beside it, one line in `bot.platforms`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]*$", max_length=253)]
Image = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*[A-Za-z0-9]$", max_length=255)
]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KubernetesSpec(_Spec):
    """A Deployment, StatefulSet or DaemonSet."""

    provider: Literal["k8s"]
    context: str = ""
    """kubeconfig context; empty: the current one, or in-cluster."""
    namespace: Name = "default"
    workload: Annotated[
        str,
        StringConstraints(
            pattern=r"^(deployment|statefulset|daemonset)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
        ),
    ]
    container: str = ""
    """Empty: the only container."""
    image: Image | None = None
    """The version is its tag; None: the image now running."""

    @property
    def title(self) -> str:
        """`Kubernetes default/web`."""
        return f"Kubernetes {self.namespace}/{self.workload.partition('/')[2]}"

    @property
    def identity(self) -> str:
        """Context, namespace and workload: a rollout is one of all its containers."""
        return f"k8s:{self.context}:{self.namespace}:{self.workload}"


class EcsSpec(_Spec):
    """A service on AWS ECS."""

    provider: Literal["aws"]
    region: Name
    cluster: Name
    service: Name
    container: str = ""
    """Empty: the only container of the task definition."""
    image: Image | None = None
    profile: str = ""
    """AWS profile; empty: the usual chain."""

    @property
    def title(self) -> str:
        """`AWS ECS main/myapp`."""
        return f"AWS ECS {self.cluster}/{self.service}"

    @property
    def identity(self) -> str:
        """Profile, region, cluster and service."""
        return f"aws:{self.profile}:{self.region}:{self.cluster}:{self.service}"


class ForgeSpec(_Spec):
    """A site on Laravel Forge."""

    provider: Literal["forge"]
    organization: Name
    server: Annotated[int, Field(gt=0)]
    site: Annotated[int, Field(gt=0)]
    branch: str = "main"

    @property
    def title(self) -> str:
        """`Forge acme/456`."""
        return f"Forge {self.organization}/{self.site}"

    @property
    def identity(self) -> str:
        """Organization, server and site."""
        return f"forge:{self.organization}:{self.server}:{self.site}"


ProviderSpec = Annotated[KubernetesSpec | EcsSpec | ForgeSpec, Field(discriminator="provider")]
