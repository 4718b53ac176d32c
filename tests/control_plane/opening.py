"""Opens the real cluster for a test: its processes once for all tests, its namespace empty for each."""

from __future__ import annotations

import atexit
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox.kubernetes.kubelet import Digests
from tests.control_plane.cluster import RealCluster
from tests.control_plane.node import Nodes
from tests.control_plane.processes import ControlPlane, find_assets


@asynccontextmanager
async def open_real_cluster(digests: Digests, namespace: str) -> AsyncIterator[RealCluster]:
    """A cluster with two nodes; `digests` tell them which image is which."""
    plane = running_plane()
    nodes = Nodes(plane, digests)
    with nodes.running():
        cluster = RealCluster(plane, nodes, namespace)
        cluster.open()
        await cluster.start()
        try:
            yield cluster
        finally:
            await cluster.stop()
            cluster.close()


@functools.cache
def running_plane() -> ControlPlane:
    """The one of this process of tests; started when it is first asked for."""
    assets = find_assets()
    if assets is None:
        raise RuntimeError("KUBEBUILDER_ASSETS names no folder with a control plane's programs.")
    plane = ControlPlane(assets)
    plane.start()
    atexit.register(plane.remove)
    return plane
