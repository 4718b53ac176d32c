"""What every service of deployment works with: the configuration's targets and the ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operations.clock import Clock
from operations.deployment.ports import Members, Provider, Store
from operations.deployment.target import Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """`providers` by their word (`k8s`, `aws`, `forge`)."""

    catalog: Catalog
    providers: Mapping[str, Provider]
    store: Store
    members: Members
    clock: Clock
