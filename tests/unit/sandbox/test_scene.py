"""The demo has a list of versions, and every example that a newcomer may paste is on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from handlers.language import VERBS, Deploy, Rollback, parse
from sandbox.github import demo_repository
from sandbox.registry import RegistryStandIn
from sandbox.scene import VERSIONS, say_versions
from sandbox.tour import TOUR, tour_lines

ROOT = Path(__file__).resolve().parents[3]
_INDEX = {"Accept": "application/vnd.oci.image.index.v1+json"}


def _examples() -> Iterator[str]:
    yield from re.findall(
        r"/hms ((?:deploy|rollback)(?: [\w.-]+)+)", (ROOT / "README.md").read_text()
    )
    yield from (each.words.removeprefix("/hms ") for stop in TOUR for each in stop.tries)
    yield from (example for verb in VERBS for example in verb.examples)


def _exists(project: str, version: str) -> bool:
    if project == "site":
        return demo_repository().find(version) is not None
    return version in VERSIONS[f"acme/{project}"]


@pytest.mark.parametrize("example", sorted(set(_examples())))
def test_what_is_proposed_exists(example: str) -> None:
    command = parse(example.strip())

    if isinstance(command, Deploy | Rollback) and command.version:
        assert _exists(command.project, command.version)


async def test_a_registry_with_a_list_refuses_what_is_not_on_it() -> None:
    async with (
        RegistryStandIn({"acme/myapp": ("1.0",)}) as registry,
        aiohttp.ClientSession() as web,
    ):
        known = f"http://{registry.host}/v2/acme/myapp/manifests"
        async with web.head(f"{known}/1.0", headers=_INDEX) as answer:
            assert answer.status == 200
        async with web.get(f"{known}/1.9", headers=_INDEX) as answer:
            assert answer.status == 404
            assert "MANIFEST_UNKNOWN" in await answer.text()


def test_the_greeting_fits_a_terminal_and_names_every_step() -> None:
    lines = list(tour_lines())

    assert max(map(len, lines)) <= 100
    for stop in TOUR:
        assert all(any(each.words in line for line in lines) for each in stop.tries)


def test_the_versions_that_are_told_are_well_and_there() -> None:
    of_images, of_site = say_versions().split(" · ")

    assert all(_exists("mkt", each) for each in of_images.removeprefix("myapp, mkt: ").split(", "))
    assert all(_exists("site", each) for each in of_site.removeprefix("site: ").split(", "))
