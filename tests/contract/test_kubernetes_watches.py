"""A mirror goes on from where an orderly watch ended, without listing again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.clock import SystemClock
from providers.kubernetes.cluster import Cluster, path_of
from providers.kubernetes.mirror import Mirror, Source, Watchers
from providers.kubernetes.objects import number
from sandbox.kubernetes import KubernetesStandIn
from tests.contract.world_kubernetes import NAMESPACE, until


async def test_an_orderly_end_of_a_watch_needs_no_new_list(tmp_path: Path) -> None:
    async with KubernetesStandIn() as stand_in:
        stand_in.add_deployment(NAMESPACE, "web", "acme/web:1.0")
        cluster = Cluster(
            clock=SystemClock(),
            kubeconfig=str(stand_in.kubeconfig(tmp_path / "config")),
            context="",
            watch_seconds=1,
        )
        source = Source(
            cluster,
            path_of("deployments", NAMESPACE),
            {"fieldSelector": "metadata.name=web", "labelSelector": "app in (web,api),!canary"},
        )
        mirror = Mirror(source, clock=SystemClock(), wake=asyncio.Event(), patience=5)

        def replicas() -> int:
            return sum(number(o, "spec", "replicas") for o in mirror.objects.values())

        async with Watchers([mirror.run]):
            await until(lambda: sum("watch=true" in r for r in stand_in.api.requests) == 2)
            stand_in.edit("deployments", NAMESPACE, "web", replicas=5)
            await until(lambda: replicas() == 5)
        await cluster.close()

        lists = [r for r in stand_in.api.requests if "watch=true" not in r]
        assert len(lists) == 1
        assert mirror.error is None
        assert stand_in.unexpected == []
