"""Forge's stand-in answers as Forge's own OpenAPI document says, on every route it serves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from sandbox.forge import ForgeStandIn
from sandbox.github import demo_repository

Json = dict[str, object]

DOCUMENT = cast(
    Json, json.loads((Path(__file__).parents[2] / "facts/forge.openapi.json").read_text())
)
PATHS = cast(dict[str, dict[str, Json]], DOCUMENT["paths"])
ROUTES = [
    (method, path)
    for path, methods in PATHS.items()
    for method in methods
    if method in {"get", "post", "put", "delete"}
]
FILLED = {
    "{organization}": "acme",
    "{server}": "123",
    "{site}": "456",
    "{deployment}": "13560",
}


class Moment:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)


@pytest.fixture
def moment() -> Moment:
    """The stand-in's time."""
    return Moment()


@pytest.fixture
async def forge(moment: Moment) -> AsyncIterator[ForgeStandIn]:
    """With one site, on which 1.0 is live."""
    stand_in = ForgeStandIn(repositories=[demo_repository()], now=lambda: moment.at)
    async with stand_in:
        stand_in.add_site(live="1.0")
        yield stand_in


async def ask(
    forge: ForgeStandIn, method: str, path: str, body: Json | None = None
) -> tuple[int, str, Json | None]:
    """Status, content type and JSON of the answer."""
    for name, value in FILLED.items():
        path = path.replace(name, value)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {forge.token}"}) as session,
        session.request(method, forge.url + path, json=body) as response,
    ):
        text = await response.text()
        return response.status, response.content_type, json.loads(text) if text else None


def check(path: str, method: str, status: int, kind: str, body: Json | None) -> None:
    """The document has this status for the route, and the body fits its schema."""
    responses = cast(dict[str, Json], PATHS[path][method]["responses"])
    answer = responses[str(status)]
    if "$ref" in answer:
        name = str(answer["$ref"]).rpartition("/")[2]
        answer = cast(Json, cast(dict[str, Json], DOCUMENT["components"])["responses"][name])
    content = cast(dict[str, Json], answer.get("content", {}))
    if not content:
        assert body is None
        return
    assert kind in content
    schema = {**cast(Json, content[kind]["schema"]), "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_good_answer_fits_the_document(forge: ForgeStandIn, method: str, path: str) -> None:
    given: Json | None = {"content": "git pull"} if method == "put" else None

    status, kind, body = await ask(forge, method, path, given)

    assert status < 300
    check(path, method, status, kind, body)


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[1] not in {"/me", "/orgs"}])
async def test_a_site_that_is_not_there_fits_the_document(
    forge: ForgeStandIn, method: str, path: str
) -> None:
    forge.sites.clear()

    status, kind, body = await ask(forge, method, path, {"content": ""})

    assert status == 404
    check(path, method, status, kind, body)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_missing_scope_fits_the_document(
    forge: ForgeStandIn, method: str, path: str
) -> None:
    wanted = cast(list[str], PATHS[path][method]["x-permissions"])
    forge.scopes -= set(wanted)

    status, kind, body = await ask(forge, method, path)

    assert status == 403
    check(path, method, status, kind, body)


async def test_a_script_without_content_fits_the_document(forge: ForgeStandIn) -> None:
    path = "/orgs/{organization}/servers/{server}/sites/{site}/deployments/script"

    status, kind, body = await ask(forge, "put", path, {})

    assert status == 422
    check(path, "put", status, kind, body)


@pytest.mark.parametrize("paces", [0, 1, 2, 3, 4])
async def test_a_deployment_fits_the_document_at_every_stage(
    forge: ForgeStandIn, moment: Moment, paces: int
) -> None:
    path = "/orgs/{organization}/servers/{server}/sites/{site}/deployments"
    forge.sites[0].deploy(moment.at)
    moment.at = datetime.fromtimestamp(moment.at.timestamp() + paces, UTC)

    for part in ("", "/status", "/{deployment}", "/{deployment}/log"):
        status, kind, body = await ask(forge, "get", path + part)
        check(path + part, "get", status, kind, body)


def test_every_route_of_the_document_is_served_and_no_other() -> None:
    served = {
        (route.method.lower(), route.path.removeprefix("/api"))
        for route in ForgeStandIn(repositories=[]).routes()
        if route.path.startswith("/api/")
    }

    assert served == set(ROUTES)
