"""When what was shipped was committed, as far as GitHub can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.commit_times import ShippedCommits
from operations.deployment.rollout import RolloutKind, RolloutState
from operations.deployment.statistics import PastRollout
from providers.github import GitHub
from sandbox.github import GitHubStandIn, Repository, demo_repository
from tests.factories import NOON, make_catalog, make_target

SHIPPED = PastRollout(
    id=1001,
    project="site",
    environment="prod",
    kind=RolloutKind.DEPLOY,
    state=RolloutState.SUCCEEDED,
    version="1.1",
    pin="sha256:aaa",
    requested_at=NOON,
    approved_at=None,
    started_at=NOON,
    ended_at=NOON + timedelta(minutes=1),
)


@dataclass(frozen=True)
class Setting:
    """The stand-in, what is asked of it, and its repository."""

    stand_in: GitHubStandIn
    times: ShippedCommits
    repository: Repository

    def sha(self, ref: str) -> str:
        found = self.repository.find(ref)
        assert found is not None
        return found.sha


@pytest.fixture
async def github() -> AsyncIterator[Setting]:
    repository = demo_repository()
    catalog = make_catalog(
        make_target(project="site", repository="acme/site"), make_target(project="bare")
    )
    async with GitHubStandIn(repositories=[repository]) as stand_in:
        client = GitHub(token=stand_in.token, base_url=stand_in.url, deadline=3.0)
        yield Setting(stand_in, ShippedCommits(client, catalog), repository)
        await client.close()
        assert stand_in.unexpected == []


async def test_a_commit_is_asked_for_as_such_and_an_image_by_its_version(github: Setting) -> None:
    by_commit = replace(SHIPPED, id=1002, version="main", pin=github.sha("1.0"))
    first, second = github.repository.find("1.0"), github.repository.find("1.1")

    found = await github.times.of([SHIPPED, by_commit])

    assert first is not None
    assert second is not None
    assert found == {1001: second.at, 1002: first.at}


async def test_what_nobody_knows_is_left_out(github: Setting) -> None:
    unknown = [
        replace(SHIPPED, id=1, version="9.9"),
        replace(SHIPPED, id=2, version="what a name!"),
        replace(SHIPPED, id=3, project="bare"),
        replace(SHIPPED, id=4, project="gone"),
        replace(SHIPPED, id=5, version=""),
    ]

    assert await github.times.of(unknown) == {}


async def test_a_github_that_refuses_hides_lead_times_and_nothing_else(github: Setting) -> None:
    github.stand_in.throttled = True

    assert await github.times.of([SHIPPED]) == {}

    github.stand_in.throttled = False
    assert list(await github.times.of([SHIPPED])) == [1001]


async def test_what_is_known_is_not_asked_again(github: Setting) -> None:
    await github.times.of([SHIPPED])
    github.stand_in.throttled = True

    assert list(await github.times.of([SHIPPED])) == [1001]
