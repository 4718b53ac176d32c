"""The event loop of the bot: asyncio's own, but for how names are looked up.

asyncio looks names up in the few threads that all blocking work shares. Name servers that do not answer keep
a thread for half a minute each, so that a handful of dead names would stop everything else. Here each lookup
has a thread of its own, which no stop waits for either; who asks for the same at once, waits for the same.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from socket import AddressFamily, SocketKind
from typing import Literal

_V4 = tuple[Literal[AddressFamily.AF_INET], SocketKind, int, str, tuple[str, int]]
_V6 = tuple[
    Literal[AddressFamily.AF_INET6],
    SocketKind,
    int,
    str,
    tuple[str, int, int, int] | tuple[int, bytes],
]
Found = list[_V4 | _V6]
"""As `socket.getaddrinfo` answers."""

_Question = tuple[bytes | str | None, bytes | str | int | None, int, int, int, int]
Lookup = Callable[..., Found]


class BotLoop(asyncio.SelectorEventLoop):
    """`lookup` blocks, and answers like `socket.getaddrinfo`."""

    def __init__(self, lookup: Lookup = socket.getaddrinfo) -> None:
        super().__init__()
        self._lookup = lookup
        self._asked: dict[_Question, asyncio.Future[Found]] = {}

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Found:
        """The addresses of a name; raises OSError or UnicodeError."""
        question = (host, port, family, type, proto, flags)
        answer = self._asked.get(question) or self._ask(question)
        return list(await asyncio.shield(answer))

    def _ask(self, question: _Question) -> asyncio.Future[Found]:
        answer: asyncio.Future[Found] = self.create_future()
        threading.Thread(target=self._look_up, args=(question, answer), daemon=True).start()
        answer.add_done_callback(functools.partial(self._forget, question))
        self._asked[question] = answer
        return answer

    def _forget(self, question: _Question, answer: asyncio.Future[Found]) -> None:
        del self._asked[question]
        if not answer.cancelled():
            answer.exception()  # seen, also where nobody waits any more

    def _look_up(self, question: _Question, answer: asyncio.Future[Found]) -> None:
        """In a thread. The loop may be closed by the time that there is an answer."""
        try:
            tell = functools.partial(answer.set_result, self._lookup(*question))
        except (OSError, UnicodeError) as exc:
            tell = functools.partial(answer.set_exception, exc)
        with suppress(RuntimeError):
            self.call_soon_threadsafe(tell)
