"""The bytes of a request's body: which kinds are taken, how many, and in which encoding."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from handlers.http.problems import UnreadableBody, UnsupportedBody

JSON = "application/json"


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
