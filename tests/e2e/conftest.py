"""The demo, started once for the page tests, and a browser for each of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.e2e.camera import Camera
from tests.e2e.demo import ROOT, Demo
from tests.e2e.workspace import Workspace

_FAST = 0.4
_UNHURRIED = 2.0
"""Seconds a step of a platform takes: so that pictures show something on its way."""

CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path | None:
    """Where pictures go; None: none are asked for."""
    directory = pytestconfig.getoption("--screenshots")
    return Path(str(directory)).resolve() if directory else None


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not on the path")
    return found


@pytest.fixture(scope="session")
def local_slack() -> Path:
    """The local Slack's program: `LOCAL_SLACK`, from the repository's root, as `make test` sets it."""
    named = os.environ.get("LOCAL_SLACK", "")
    if not named:
        pytest.skip("LOCAL_SLACK does not name the local-slack program; `make test` does")
    if not (ROOT / named).is_file():
        pytest.skip(f"LOCAL_SLACK: there is no {named}; `make test` fetches it")
    return ROOT / named


@pytest.fixture(scope="session")
def demo_page(
    local_slack: Path,
    chromium: str,
    pictures: Path | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of a running demo's page; in the end Ctrl-C must stop all of it."""
    state = tmp_path_factory.mktemp("demo") / "state"
    demo = Demo(local_slack, state, _FAST if pictures is None else _UNHURRIED)
    try:
        yield demo.wait_for_greeting()
        assert demo.interrupt() == 0
    finally:
        demo.kill()


@pytest.fixture
async def camera_and_workspace(
    demo_page: str, chromium: str, pictures: Path | None
) -> AsyncIterator[tuple[Camera, Workspace]]:
    """A newcomer's browser on the demo's page. What the page throws fails the test."""
    errors: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM])
        page = await browser.new_page(viewport={"width": 960, "height": 800}, timezone_id="UTC")
        page.on("pageerror", lambda error: errors.append(str(error)))
        camera, workspace = Camera(page, pictures), Workspace(page)
        await camera.prepare()
        await workspace.open(demo_page)
        await camera.load()
        yield camera, workspace
        await browser.close()
    assert errors == []


@pytest.fixture
def workspace(camera_and_workspace: tuple[Camera, Workspace]) -> Workspace:
    """The page."""
    return camera_and_workspace[1]


@pytest.fixture
def camera(camera_and_workspace: tuple[Camera, Workspace]) -> Camera:
    """Takes pictures of it, when asked."""
    return camera_and_workspace[0]
