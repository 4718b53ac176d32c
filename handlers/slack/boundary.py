"""Where Slack's requests meet the operations: call, acknowledge, answer; and every error becomes words.

Nothing is ever raised into Bolt: an error that follows an acknowledgement too quickly would wipe it, and the
person would see a timeout. What is under way is counted, so that a shutdown can wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from slack_bolt.context.ack.async_ack import AsyncAck

from handlers.log_fields import one_request
from handlers.slack.outlet import Outlet
from handlers.slack.views import answers
from handlers.slack.views.blocks import Block, Message
from operations.actor import Actor
from operations.errors import OperationError, Refused

_LOG = logging.getLogger("hms.slack")

Work = Callable[[], Awaitable[Message | None]]
"""What is to be done; its message is told to the asker alone, None: there is nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asked, where, and how they are answered: through `response_url` while there is one.

    `hears_ack`: what the acknowledgement of a slash command says is shown to the asker. What that of a
    click says is not.
    """

    actor: Actor
    channel: str
    response_url: str = ""
    hears_ack: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundarySettings:
    """`at_once` requests are worked on together, others wait for `queue_seconds` at most.

    `deadline_seconds` is for one request as a whole; it must outlast the deadlines within operations.
    Slack waits three seconds for an acknowledgement; `ack_seconds` leaves room for the way there.
    """

    at_once: int = 32
    queue_seconds: float = 5.0
    deadline_seconds: float = 45.0
    ack_seconds: float = 1.5


class Boundary:
    """The one translator of errors to Slack, and the gate that a shutdown closes."""

    def __init__(self, outlet: Outlet, settings: BoundarySettings | None = None) -> None:
        self._outlet = outlet
        self._settings = settings or BoundarySettings()
        self._slots = asyncio.Semaphore(self._settings.at_once)
        self._tasks: set[asyncio.Task[object]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    @property
    def in_flight(self) -> int:
        """How many requests have been acknowledged and not answered yet."""
        return len(self._tasks)

    async def drain(self, seconds: float) -> int:
        """Take nothing more and wait for what is under way; how many were left at the end."""
        self._closing = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            _LOG.warning("%d requests from Slack were left unanswered", self.in_flight)
        return self.in_flight

    async def answer(
        self,
        ack: AsyncAck,
        asker: Asker,
        work: Work,
        *,
        afterwards: Callable[[bool], Awaitable[None]] | None = None,
    ) -> None:
        """Do the work, acknowledge, tell the asker.

        `afterwards` brings up to date what misled the asker, or what the work has changed; it is told
        whether the work was refused.
        """
        with self._counted():
            refused = await self._acknowledged(ack, asker, work)
            if afterwards is not None:
                await self._quietly(lambda: afterwards(refused))

    async def reply(self, ack: AsyncAck, asker: Asker, said: Message) -> None:
        """Acknowledge and tell what is known without doing anything."""
        with self._counted():
            await self._reply(ack, asker, said)

    async def open_form(self, ack: AsyncAck, asker: Asker, trigger_id: str, view: Block) -> None:
        """Open a modal: straight after the acknowledgement, for its trigger lives three seconds."""
        with self._counted():
            await ack()
            if self._closing:
                await self.tell(asker, answers.restarting())
                return

            async def opened() -> Message | None:
                await self._outlet.open_view(trigger_id, view)
                return None

            said, _ = await self._translated(opened)
            if said is not None:
                await self.tell(asker, said)

    async def tell(self, asker: Asker, said: Message) -> None:
        """Answer privately; when Slack takes no answer there is nobody left to tell, so it is logged."""
        if asker.response_url:
            try:
                await self._outlet.respond(asker.response_url, said)
            except OperationError as exc:
                _LOG.info("answering in the channel instead: %s", exc.message)
            else:
                return
        if not asker.channel:
            return
        try:
            await self._outlet.whisper(asker.channel, asker.actor.id, said)
        except OperationError as exc:
            _LOG.warning("%s was not answered: %s", asker.actor.id, exc.message)

    async def _acknowledged(self, ack: AsyncAck, asker: Asker, work: Work) -> bool:
        """Acknowledge what is done, or what is still being done when Slack would give up on us.

        A process that is killed before it has stored a request has then not said yes to it: Slack
        tells the person that it failed. Returns whether it was refused.
        """
        async with asyncio.TaskGroup() as group:
            outcome = group.create_task(self._outcome(work), name="request from Slack")
            await asyncio.wait([outcome], timeout=self._settings.ack_seconds)
            if not outcome.done():
                await ack()
        said, refused = outcome.result()
        if ack.response is None:
            await self._reply(ack, asker, said)
        elif said is not None:
            await self.tell(asker, said)
        return refused

    async def _reply(self, ack: AsyncAck, asker: Asker, said: Message | None) -> None:
        """Acknowledge, with the answer in it where that is heard."""
        if said is not None and asker.hears_ack:
            await ack(text=said.text, blocks=list(said.blocks), response_type="ephemeral")
            return
        await ack()
        if said is not None:
            await self.tell(asker, said)

    async def _outcome(self, work: Work) -> tuple[Message | None, bool]:
        if self._closing:
            return answers.restarting(), False
        try:
            async with asyncio.timeout(self._settings.queue_seconds):
                await self._slots.acquire()
        except TimeoutError:
            return answers.busy(), False
        try:
            return await self._translated(work)
        finally:
            self._slots.release()

    async def _translated(self, work: Work) -> tuple[Message | None, bool]:
        deadline = self._settings.deadline_seconds
        try:
            async with asyncio.timeout(deadline):
                return await work(), False
        except TimeoutError:
            return answers.too_slow(deadline), False
        except Refused as exc:
            _LOG.info("refused: %s", exc.message)
            return answers.refusal(exc), True
        except OperationError as exc:
            _LOG.warning("failed: %s", exc.message, exc_info=exc.__cause__)
            return answers.refusal(exc), True
        except Exception as exc:  # noqa: BLE001 - the edge: a bug must not leave a person without an answer
            return answers.broken(_logged(exc)), False

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        async def done() -> Message | None:
            await work()
            return None

        await self._translated(done)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Bolt keeps no reference to its tasks and waits for none; this does."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("requests are worked on in tasks")
        self._tasks.add(task)
        self._idle.clear()
        try:
            with one_request(secrets.token_hex(8)):
                yield
        finally:
            self._tasks.discard(task)
            if not self._tasks:
                self._idle.set()


def _logged(exc: Exception) -> str:
    reference = secrets.token_hex(4)
    _LOG.error("bug %s", reference, exc_info=exc)
    return reference
