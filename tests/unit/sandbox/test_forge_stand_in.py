"""Forge's stand-in behaves as Forge: it refuses, it limits, and its deployments take their time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.forge import PLAIN_SCRIPT, ForgeStandIn, Site
from sandbox.github import Repository, demo_repository

SITE = "/orgs/acme/servers/123/sites/456"


class Moment:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def pass_by(self, paces: float) -> datetime:
        """So many seconds later; a pace is a second here."""
        self.at += timedelta(seconds=paces)
        return self.at


@pytest.fixture
def moment() -> Moment:
    """The stand-in's time."""
    return Moment()


@pytest.fixture
def repository() -> Repository:
    """The demo's."""
    return demo_repository()


@pytest.fixture
async def forge(moment: Moment, repository: Repository) -> AsyncIterator[ForgeStandIn]:
    """With one site, on which 1.0 is live."""
    stand_in = ForgeStandIn(repositories=[repository], now=lambda: moment.at)
    async with stand_in:
        stand_in.add_site(live="1.0")
        yield stand_in


@pytest.fixture
def site(forge: ForgeStandIn) -> Site:
    """The site."""
    return forge.sites[0]


@pytest.fixture
async def client(forge: ForgeStandIn) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the right token."""
    headers = {"Authorization": f"Bearer {forge.token}"}
    async with httpx.AsyncClient(base_url=forge.url, headers=headers) as made:
        yield made


def sha(repository: Repository, ref: str) -> str:
    """What the repository has under this name."""
    found = repository.find(ref)
    assert found is not None
    return found.sha


async def status(client: httpx.AsyncClient, number: int) -> str:
    """A deployment's status."""
    answer = await client.get(f"{SITE}/deployments/{number}")
    return str(answer.json()["data"]["attributes"]["status"])


async def test_a_wrong_token_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/me", headers={"Authorization": "Bearer other"})

    assert answer.status_code == 401


async def test_an_unknown_route_is_refused_and_kept(
    forge: ForgeStandIn, client: httpx.AsyncClient
) -> None:
    answer = await client.post(f"{SITE}/rollback")

    assert answer.status_code == 404
    assert forge.unexpected == [f"POST /api{SITE}/rollback"]


async def test_an_unknown_sort_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{SITE}/deployments", params={"sort": "-id"})

    assert answer.status_code == 400


async def test_the_limit_counts_down_and_then_refuses(
    forge: ForgeStandIn, client: httpx.AsyncClient, moment: Moment
) -> None:
    forge.throttle.allowance = 2
    left = [(await client.get("/me")).headers["X-RateLimit-Remaining"] for _ in range(2)]
    refused = await client.get("/me")

    assert left == ["1", "0"]
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    moment.pass_by(60)
    assert (await client.get("/me")).status_code == 200


async def test_a_deployment_passes_through_forges_words(
    client: httpx.AsyncClient, moment: Moment
) -> None:
    made = await client.post(f"{SITE}/deployments")
    number = int(made.json()["data"]["id"])

    assert made.status_code == 202
    seen = [await status(client, number)]
    for _ in range(4):
        moment.pass_by(1)
        seen.append(await status(client, number))
    assert seen == ["pending", "queued", "deploying", "deploying", "finished"]


async def test_a_deployment_takes_the_head_when_its_script_begins(
    forge: ForgeStandIn, site: Site, moment: Moment, repository: Repository
) -> None:
    site.deploy(moment.at)
    pushed = repository.commit("Pushed while it was queued")
    moment.pass_by(4)

    assert forge.serving(site) == pushed.sha


async def test_a_bad_version_fails_and_the_former_serves(
    forge: ForgeStandIn, site: Site, moment: Moment, repository: Repository
) -> None:
    made = site.deploy(moment.at, {"revision": sha(repository, "1.2-bad")})
    moment.pass_by(4)

    assert forge.serving(site) == sha(repository, "1.0")
    assert made.status(moment.at) == "failed"


async def test_a_slow_version_takes_forty_paces(
    forge: ForgeStandIn, site: Site, moment: Moment, repository: Repository
) -> None:
    made = site.deploy(moment.at, {"revision": sha(repository, "1.3-slow")})
    forge.serving(site)
    moment.pass_by(41.9)
    forge.serving(site)
    before = made.status(moment.at)
    moment.pass_by(0.1)

    assert (before, made.status(moment.at)) == ("deploying", "finished")


async def test_output_grows_while_it_runs(
    forge: ForgeStandIn, site: Site, moment: Moment, repository: Repository
) -> None:
    made = site.deploy(moment.at, {"revision": sha(repository, "1.3-slow")})
    lengths = []
    for _ in range(4):
        forge.serving(site)
        lengths.append(len(made.log(moment.at)))
        moment.pass_by(14)

    assert lengths == sorted(set(lengths))
    assert lengths[0] == 0


async def test_the_next_deployment_waits_for_the_one_before(
    forge: ForgeStandIn, site: Site, moment: Moment
) -> None:
    site.deploy(moment.at)
    second = site.deploy(moment.at)
    moment.pass_by(4)
    forge.serving(site)
    before = second.status(moment.at)
    moment.pass_by(4)

    assert (before, second.status(moment.at)) == ("pending", "finished")


async def test_the_hook_wants_its_token(forge: ForgeStandIn, site: Site) -> None:
    url = f"{forge.origin}/servers/123/sites/456/deploy/http"
    async with httpx.AsyncClient() as anybody:
        refused = await anybody.post(url, params={"token": "guess"})
        taken = await anybody.get(url, params={"token": site.hook_token})

    assert (refused.status_code, taken.status_code) == (404, 200)
    assert site.asked == 1


async def test_the_hook_ignores_another_branch(forge: ForgeStandIn, site: Site) -> None:
    url = f"{forge.origin}/servers/123/sites/456/deploy/http"
    query = {"token": site.hook_token, "forge_deploy_branch": "develop"}
    async with httpx.AsyncClient() as anybody:
        await anybody.post(url, params=query)

    assert site.asked == 0


async def test_a_stated_commit_is_shown_though_another_was_pulled(
    forge: ForgeStandIn, site: Site, moment: Moment, repository: Repository
) -> None:
    site.script = PLAIN_SCRIPT
    stated = sha(repository, "1.0")
    made = site.deploy(moment.at, {"revision": stated, "forge_deploy_commit": stated})
    moment.pass_by(4)

    assert forge.serving(site) == sha(repository, "main")
    assert made.known_commit == stated


async def test_an_unknown_revision_fails_in_the_script(
    forge: ForgeStandIn, site: Site, moment: Moment
) -> None:
    made = site.deploy(moment.at, {"revision": "f" * 40})
    moment.pass_by(4)
    forge.serving(site)

    assert made.status(moment.at) == "failed"
    assert "reference is not a tree" in "\n".join(made.log(moment.at))


async def test_a_lost_answer_was_carried_out(
    forge: ForgeStandIn, site: Site, client: httpx.AsyncClient
) -> None:
    forge.lose_answers = 1

    with pytest.raises(httpx.TransportError):
        await client.post(f"{SITE}/deployments")

    assert site.asked == 1


async def test_being_down_changes_nothing(
    forge: ForgeStandIn, site: Site, client: httpx.AsyncClient
) -> None:
    forge.down = True

    assert (await client.post(f"{SITE}/deployments")).status_code == 503
    assert site.asked == 0


async def test_resetting_the_state_ends_what_runs(
    site: Site, client: httpx.AsyncClient, moment: Moment
) -> None:
    made = site.deploy(moment.at)

    assert (await client.delete(f"{SITE}/deployments/status")).status_code == 202
    assert made.status(moment.at) == "cancelled"


async def test_history_comes_in_pages(
    site: Site, client: httpx.AsyncClient, moment: Moment
) -> None:
    for _ in range(4):
        site.deploy(moment.at)
    query = {"sort": "-created_at", "page[size]": "3"}

    first = (await client.get(f"{SITE}/deployments", params=query)).json()
    query["page[cursor]"] = first["meta"]["next_cursor"]
    second = (await client.get(f"{SITE}/deployments", params=query)).json()

    numbers = [int(d["id"]) for d in [*first["data"], *second["data"]]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 5
    assert second["meta"]["next_cursor"] is None


async def test_history_can_be_asked_for_a_commit(
    client: httpx.AsyncClient, repository: Repository
) -> None:
    def query(ref: str) -> dict[str, str]:
        return {"filter[commit_hash]": sha(repository, ref)[:7]}

    known = (await client.get(f"{SITE}/deployments", params=query("1.0"))).json()
    unknown = (await client.get(f"{SITE}/deployments", params=query("1.1"))).json()

    assert (len(known["data"]), len(unknown["data"])) == (1, 0)
