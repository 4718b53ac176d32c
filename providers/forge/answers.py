"""The parts of Forge's answers that are used. Fields follow the OpenAPI document of May 2026.

The document types times as present; recorded answers leave `started_at` and `ended_at` null for a
deployment that has not begun, so neither is relied on.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class DeploymentState(StrEnum):
    """Where a deployment stands. A word that Forge may add later counts as going on."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STATES = {
    "finished": DeploymentState.FINISHED,
    "failed": DeploymentState.FAILED,
    "failed-build": DeploymentState.FAILED,
    "cancelled": DeploymentState.CANCELLED,
}


class Document(BaseModel, Generic[T]):
    """One resource."""

    data: T


class Listing(BaseModel, Generic[T]):
    """A page of resources."""

    data: list[T]


class CommitPart(BaseModel):
    """What Forge knows of a deployment's commit; all of it null until git was asked."""

    hash: str | None = None
    author: str | None = None
    message: str | None = None
    branch: str | None = None


class DeploymentAttributes(BaseModel):
    """`created_at` is the only time that is always there."""

    commit: CommitPart = CommitPart()
    status: str
    created_at: datetime


class Deployment(BaseModel):
    """One deployment of a site."""

    id: int
    attributes: DeploymentAttributes

    @property
    def state(self) -> DeploymentState:
        """Where it stands."""
        return _STATES.get(self.attributes.status, DeploymentState.RUNNING)

    @property
    def commit(self) -> str:
        """The commit in lower case, full or short as Forge gave it; "" when it is not known."""
        return (self.attributes.commit.hash or "").lower()

    @property
    def message(self) -> str:
        """The commit's message, or what a deploy hook put in its place."""
        return (self.attributes.commit.message or "").strip()

    @property
    def created_at(self) -> datetime:
        """When it was asked for."""
        return self.attributes.created_at


class RepositoryPart(BaseModel):
    """Where the site's code comes from."""

    provider: str = ""
    url: str | None = None
    branch: str | None = None

    @property
    def name(self) -> str:
        """`owner/name`, from that or from any kind of git URL; "" when there is no repository."""
        match = re.search(r"([\w.-]+/[\w.-]+?)(?:\.git)?/?$", self.url or "")
        return match[1] if match else ""


class MaintenancePart(BaseModel):
    """Whether Laravel's maintenance page is shown."""

    enabled: bool = False


class SiteAttributes(BaseModel):
    """What a site is made of."""

    name: str = ""
    status: str = ""
    quick_deploy: bool | None = None
    repository: RepositoryPart = RepositoryPart()
    maintenance_mode: MaintenancePart = MaintenancePart()
    zero_downtime_deployments: bool = False
    deployment_script: str | None = None


class ServerIdentity(BaseModel):
    """A server as a site's relationship names it."""

    id: int


class ServerRelation(BaseModel):
    """The server of a site."""

    data: ServerIdentity | None = None


class SiteRelations(BaseModel):
    """What a site belongs to."""

    server: ServerRelation = ServerRelation()


class Site(BaseModel):
    """A site."""

    id: int
    attributes: SiteAttributes
    relationships: SiteRelations = SiteRelations()

    @property
    def server(self) -> int | None:
        """The server's id, when Forge tells it."""
        server = self.relationships.server.data
        return server.id if server else None


class StatusAttributes(BaseModel):
    """Null: nothing runs."""

    status: str | None = None


class ScriptAttributes(BaseModel):
    """The deployment script."""

    content: str | None = None


class OutputAttributes(BaseModel):
    """All that a deployment printed so far."""

    output: str | None = None


class LogAttributes(BaseModel):
    """A whole log file."""

    content: str | None = None


class HookAttributes(BaseModel):
    """The URL holds the token that lets anybody deploy: it is kept out of every repr."""

    url: str = Field(repr=False)


class Attributes(BaseModel, Generic[T]):
    """A resource of which only the attributes matter."""

    attributes: T
