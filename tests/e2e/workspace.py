"""The page of local-slack as a person uses it: choose who you are, type, read, press."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from playwright.async_api import Locator, Page, expect

ALICE, BOB, CAROL = "Alice Anderson", "Bob Brown", "Carol Clark"
SOON = 15_000  # milliseconds
LATER = 45_000  # milliseconds: a rollout's whole life
MINUTES = 120_000  # milliseconds: until so many errors were counted that they are too many
_PRIVATE = "only visible to you"


class Workspace:
    """The channel #deploys, where the page opens."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages = page.locator(".messages > .msg")
        self.form = page.locator(".modal")
        self.thread = page.locator(".thread-pane")

    async def open(self, url: str) -> None:
        """Load the page and wait until its own connection and the bot's are there."""
        await self.page.goto(url)
        await expect(self.page.locator(".channel-title")).to_have_text("# deploys", timeout=SOON)
        await expect(self.page.locator(".app-status")).to_contain_text("connected", timeout=SOON)

    async def go_to(self, channel: str) -> None:
        """Open a channel."""
        named = re.compile(rf"^#{channel}$")
        await self.page.locator(".sidebar-item", has_text=named).click()

    async def newest_alert(self) -> Locator:
        """In #ops, once it is there."""
        await self.go_to("ops")
        alerts = self.messages.filter(has_text=re.compile(r"A-\d"))
        await expect(alerts.last).to_contain_text("Failing", timeout=LATER)
        return alerts.last

    async def act_as(self, who: str) -> None:
        """Choose the person at the top of the page."""
        await self.page.get_by_label("Act as").select_option(label=who)

    async def type(self, words: str) -> None:
        """Write into the message box and press Enter."""
        await self.page.locator(".composer-input").fill(words)
        await self.page.keyboard.press("Enter")

    async def say(self, words: str) -> Locator:
        """Type a command; returns its private answer."""
        return await self._answer_to(self.type(words))

    async def answer_to(self, card: Locator, button: str) -> Locator:
        """Press the first button of this text; returns its private answer."""
        first = card.get_by_role("button", name=button, exact=True).first
        return await self._answer_to(first.click(timeout=SOON))

    async def answer_to_enter(self) -> Locator:
        """Press Enter in the message box; returns the private answer."""
        return await self._answer_to(self.page.keyboard.press("Enter"))

    async def send(self) -> Locator:
        """Send the form; returns its private answer."""
        button = self.form.get_by_role("button", name="Deploy", exact=True)
        return await self._answer_to(button.click())

    async def ask(self, words: str) -> Locator:
        """Type a command that asks for a rollout; returns the rollout's card."""
        return self.card(await rollout_of(await self.say(words)))

    def card(self, rollout: str) -> Locator:
        """The rollout's one message that moves."""
        named = re.compile(rf"{rollout}(?!\d)")
        return self.messages.filter(has_text=named, has_not_text=_PRIVATE)

    async def press(self, card: Locator, button: str) -> None:
        """Press a button of a message."""
        await card.get_by_role("button", name=button, exact=True).click(timeout=SOON)
        await self.page.mouse.move(0, 0)  # else the page shows its own tools over the message

    async def read_thread(self, card: Locator) -> Locator:
        """Open the message's thread."""
        await card.locator(".thread-summary").click(timeout=SOON)
        return self.thread

    async def close_thread(self) -> None:
        """So that the channel's box is the only one to write in."""
        await self.thread.get_by_text("✕").click()
        await expect(self.thread).to_have_count(0)

    async def choose(self, project: str, environment: str) -> None:
        """Choose in the form that is open."""
        await self._field("Project").locator("select").select_option(label=project)
        await self._field("Environment").locator("select").select_option(label=environment)

    async def fill_in(self, version: str, reason: str) -> None:
        """Type into the form that is open."""
        await self._field("Version").locator("input").fill(version)
        await self._field("Reason").locator("input").fill(reason)

    async def send_in_vain(self) -> None:
        """Send a form that will be handed back."""
        await self.form.get_by_role("button", name="Deploy", exact=True).click()

    async def _answer_to(self, deed: Awaitable[None]) -> Locator:
        private = self.messages.filter(has_text=_PRIVATE)
        before = await private.count()
        await deed
        await expect(private).to_have_count(before + 1, timeout=SOON)
        return private.nth(before)

    def _field(self, label: str) -> Locator:
        return self.form.locator(".bk-input").filter(
            has=self.page.locator(".bk-label", has_text=re.compile(rf"^{label}"))
        )


async def rollout_of(answer: Locator) -> str:
    """The rollout that an answer names: `D-1001`."""
    found = re.search(r"/hms show (D-\d+)", await answer.inner_text())
    assert found is not None
    return found[1]


async def buttons(card: Locator) -> list[str]:
    """The texts of the buttons that a message has now."""
    return await card.locator(".bk-button").all_inner_texts()


async def shows(card: Locator, *texts: str, within: float = SOON) -> None:
    """Wait until the message says each of these."""
    for text in texts:
        await expect(card).to_contain_text(text, timeout=within)
