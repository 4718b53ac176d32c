"""What GitHub's client tells, and that it is silent where GitHub does not say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from operations.errors import InvalidRequest, ProviderUnavailable
from providers.github import GitHub
from sandbox.github import GitHubStandIn, Repository, demo_repository


@dataclass(frozen=True)
class Setting:
    """The stand-in, a client with a token and the demo's repository."""

    stand_in: GitHubStandIn
    client: GitHub
    repository: Repository

    def sha(self, ref: str) -> str:
        """What the repository has under this name."""
        found = self.repository.find(ref)
        assert found is not None
        return found.sha


@pytest.fixture
async def github() -> AsyncIterator[Setting]:
    """Open both; nothing else than the three routes may be asked."""
    repository = demo_repository()
    async with GitHubStandIn(repositories=[repository]) as stand_in:
        client = GitHub(token=stand_in.token, base_url=stand_in.url, deadline=3.0)
        yield Setting(stand_in, client, repository)
        await client.close()
        assert stand_in.unexpected == []


async def test_a_branch_is_its_head(github: Setting) -> None:
    found = await github.client.commit("acme/site", "main")

    assert found is not None
    assert found.sha == github.sha("main")
    assert (found.subject, found.author) == ("Bring the totals column back", "Bob")


async def test_a_tag_and_a_short_commit_are_resolved(github: Setting) -> None:
    by_tag = await github.client.commit("acme/site", "1.0")
    by_sha = await github.client.commit("acme/site", github.sha("1.0")[:7])

    assert by_tag is not None
    assert by_tag == by_sha


async def test_a_branch_with_a_slash_is_one_ref(github: Setting) -> None:
    made = github.repository.commit("Try it", branch="feature/new")

    found = await github.client.commit("acme/site", "feature/new")

    assert found is not None
    assert found.sha == made.sha


async def test_only_the_first_line_of_a_message_is_told(github: Setting) -> None:
    github.repository.commit("Subject\n\nA long story")

    found = await github.client.commit("acme/site", "main")

    assert found is not None
    assert found.subject == "Subject"


async def test_an_unknown_ref_of_a_readable_repository_is_refused(github: Setting) -> None:
    with pytest.raises(InvalidRequest, match=r"9\.9"):
        await github.client.commit("acme/site", "9.9")


async def test_an_unknown_repository_cannot_tell(github: Setting) -> None:
    assert await github.client.commit("acme/other", "main") is None


async def test_a_private_repository_without_a_token_cannot_tell(github: Setting) -> None:
    github.repository.private = True
    nobody = GitHub(base_url=github.stand_in.url)

    found = await nobody.commit("acme/site", "main")
    await nobody.close()

    assert found is None


async def test_a_wrong_token_cannot_tell(github: Setting) -> None:
    github.stand_in.token = "another"

    assert await github.client.commit("acme/site", "main") is None


@pytest.mark.parametrize("knob", ["down", "throttled"])
async def test_trouble_at_github_cannot_tell(github: Setting, knob: str) -> None:
    setattr(github.stand_in, knob, True)

    assert await github.client.commit("acme/site", "main") is None
    with pytest.raises(ProviderUnavailable):
        await github.client.compare("acme/site", "1.0", "1.1")


async def test_a_slow_github_is_not_waited_for(github: Setting) -> None:
    github.stand_in.latency = 0.4
    hasty = GitHub(base_url=github.stand_in.url, deadline=0.1)

    found = await hasty.commit("acme/site", "main")
    await hasty.close()

    assert found is None


async def test_what_is_no_repository_is_not_asked_for(github: Setting) -> None:
    assert await github.client.commit("../orgs/acme", "main") is None
    assert github.stand_in.requests == []


async def test_what_ships_is_listed_newest_first(github: Setting) -> None:
    told = await github.client.compare("acme/site", "1.0", "1.2-bad")

    assert [c.subject for c in told.commits] == [
        "Rename the totals column",
        "Show prices with tax",
    ]
    assert (told.ahead, told.behind) == (2, 0)


async def test_a_way_back_lists_nothing_and_counts_what_goes(github: Setting) -> None:
    told = await github.client.compare("acme/site", "1.1", "1.0")

    assert told.commits == ()
    assert (told.ahead, told.behind) == (0, 1)


async def test_a_comparison_with_the_unknown_cannot_be_made(github: Setting) -> None:
    with pytest.raises(ProviderUnavailable):
        await github.client.compare("acme/site", "1.0", "9.9")
