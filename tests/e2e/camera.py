"""Takes the pictures of `docs/pictures` while the page tests run, when they are asked for.

Emoji need a font with colours; that of the npm package `@infolektuell/noto-color-emoji` is used when it is
installed under `.sandbox/fonts`, so that pictures look alike on every machine.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Locator, Page, Route

from tests.e2e.demo import ROOT

_FONT = ROOT / ".sandbox/fonts/node_modules/@infolektuell/noto-color-emoji"
_ADDRESS = "/emoji-font"
_SIGNS = "🟢🔵🟡🔴🟠🟣⚪✅🆕↩️▶️▫️❌✋⚠️🔒👀🔕🔔🔊📎🏠"

_FAMILIES = """
body, body * { font-family: Helvetica, Arial, sans-serif, "Noto Color Emoji" }
code, pre { font-family: monospace, "Noto Color Emoji" !important }
"""
_LOADED = """
signs => document.fonts.load("15px 'Noto Color Emoji'", signs).then(found => found.length)
"""
_ANEW = "body * { font-variant-ligatures: none }"
"""Chromium keeps the boxes it has drawn for missing signs until something about the font changes."""


class Camera:
    """`directory` None: takes nothing and changes nothing."""

    def __init__(self, page: Page, directory: Path | None) -> None:
        self._page = page
        self._directory = directory

    @property
    def is_on(self) -> bool:
        """Whether pictures are asked for."""
        return self._directory is not None

    async def prepare(self) -> None:
        """Before the page is opened."""
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        await self._page.route(f"**{_ADDRESS}/**", _send_font)

    async def load(self) -> None:
        """After the page was opened."""
        sheet = _FONT / "index.css"
        if self._directory is None or not sheet.exists():
            return
        faces = sheet.read_text().replace("./files", _ADDRESS)
        await self._page.add_style_tag(content=faces + _FAMILIES)
        await self._page.evaluate(_LOADED, _SIGNS)
        await self._page.add_style_tag(content=_ANEW)

    async def take(self, subject: Locator | Page, name: str) -> None:
        """A picture of a message, a form, or the whole page."""
        if self._directory is None:
            return
        await self._page.mouse.move(0, 0)
        await subject.screenshot(path=self._directory / f"{name}.png", animations="disabled")


async def _send_font(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    assert re.fullmatch(r"[0-9]+\.woff2", name)
    await route.fulfill(path=_FONT / "files" / name)
