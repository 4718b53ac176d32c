"""Kubernetes' world once more, on a real control plane. See `tests.control_plane`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.contract.world_kubernetes import CONTROL_PLANE, KubernetesWorld, open_setting


@asynccontextmanager
async def open_world() -> AsyncIterator[KubernetesWorld]:
    """The same pods, images and adapter; only the cluster is real."""
    async with open_setting(kind=CONTROL_PLANE) as setting:
        yield KubernetesWorld(setting)
