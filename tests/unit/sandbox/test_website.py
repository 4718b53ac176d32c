"""The demo's page is as well as what serves."""

from __future__ import annotations

import aiohttp
import pytest

from sandbox.kubernetes import KubernetesStandIn
from sandbox.website import Website


async def _health(website: Website) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{website.url}/healthz") as answer,
    ):
        return answer.status


@pytest.mark.parametrize(
    ("image", "status"),
    [("acme/myapp:1.0", 200), ("acme/myapp:1.2-sick", 503), ("acme/myapp:1.2-bad", 503)],
    ids=["a good version", "a sick one", "one that never came up"],
)
async def test_it_answers_for_the_version_that_serves(image: str, status: int) -> None:
    async with KubernetesStandIn(pace=60) as cluster, Website(cluster) as website:
        cluster.add_deployment("default", "web", image)
        assert await _health(website) == status


async def test_a_sick_version_shows_and_is_gone_with_the_version() -> None:
    async with KubernetesStandIn(pace=60) as cluster, Website(cluster) as website:
        cluster.add_deployment("default", "web", "acme/myapp:1.0")
        seen = []
        for tag in ("1.2-sick", "1.0"):
            cluster.set_image("deployments", "default", "web", f"acme/myapp:{tag}")
            for _ in range(20):
                cluster.tick()
            seen.append(await _health(website))
        assert seen == [503, 200]
