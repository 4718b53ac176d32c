"""The bytes of a request's body: which kinds are taken, how many, and in which encoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from aiohttp import web

from handlers.http.problems import UnreadableBody, UnsupportedBody
from operations.errors import Overloaded

JSON = "application/json"


class BodyRoom:
    """So many bytes of bodies are read and parsed at once: parsed, they take many times as much memory.

    Whoever comes first gets in, but one caller has two thirds of it at most: one who sends slowly must not
    keep the others out. A body whose length nobody said counts as the largest that is taken.
    """

    def __init__(self, size: int) -> None:
        self._most = size
        self._share = size * 2 // 3
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, request: web.Request, caller: str) -> Iterator[None]:
        """For as long as it is in work; raises Overloaded before anything of it is read."""
        told = request.content_length
        size = request.client_max_size if told is None else told
        taken, own = self._taken.total(), self._taken[caller]
        if (taken and taken + size > self._most) or (own and own + size > self._share):
            raise Overloaded(
                "Too much is being sent at once.", hint="Send it again in a moment.", retry_after=1
            )
        self._taken[caller] += size
        try:
            yield
        finally:
            self._taken[caller] -= size


async def read_body(request: web.Request, kinds: Collection[str]) -> str:
    """The text of the body; raises UnsupportedBody and UnreadableBody, and aiohttp's 413 over the limit.

    What is compressed is refused unread: a small body may become a large one.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnsupportedBody("A compressed body is not taken here.", hint="Send it as it is.")
    if request.content_type not in kinds:
        known = ", ".join(sorted(kinds))
        raise UnsupportedBody("A body of this type is not taken here.", hint=f"Send {known}.")
    raw = await request.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UnreadableBody(f"The body is not UTF-8: byte {exc.start} cannot be read.") from exc
