"""Around every request: its id, its deadline, its headers, and every error as a problem document.

A bug is caught by the guard that supervises tasks as well, so that this is no third place that catches
everything: the guard logs it, and only its reference is told.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from handlers.http.headers import REQUEST_ID, mark
from handlers.http.problems import problem, problem_of
from handlers.http.server import heard
from operations.errors import OperationError, Refused
from operations.guard import Guard

_LOG = logging.getLogger("hms.http")
_SANE = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundarySettings:
    """`deadline_seconds` is for a request as a whole, its body's arrival too.

    It must outlast the deadlines within operations: 15 s to resolve a version.
    """

    guard: Guard
    new_id: Callable[[], str]
    deadline_seconds: float = 30.0


def boundary(settings: BoundarySettings) -> Middleware:
    """The outermost middleware."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        heard(request)
        given = request.headers.get(REQUEST_ID, "")
        request_id = given if _SANE.fullmatch(given) else settings.new_id()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            answer = await _guarded(settings, request, lambda: handler(request))
        return answer if answer.prepared else mark(answer, request_id)

    return around


async def _guarded(
    settings: BoundarySettings,
    request: web.Request,
    work: Callable[[], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    answers: list[web.StreamResponse] = []

    async def answered() -> None:
        answers.append(await _whole(request, lambda: _translated(settings.deadline_seconds, work)))

    reference = await settings.guard("http request", answered)
    if answers:
        return answers[0]
    return problem(500, "This is a fault of HMS-SYS.", more={"reference": reference})


async def _whole(
    request: web.Request, work: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """A caller who hangs up in the middle of a body, or garbles it, is no fault of ours."""
    try:
        return await work()
    except web.RequestPayloadError:
        return problem(400, "The body breaks off, or is not as its headers say.")
    except ConnectionError:
        if request.transport is not None:
            raise
        _LOG.info("the caller hung up")
        return problem(400, "The body breaks off.")


async def _translated(
    deadline: float, work: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        async with asyncio.timeout(deadline):
            return await work()
    except TimeoutError:
        _LOG.warning("a request took longer than %.0f s", deadline)
        return problem(
            504, f"No answer within {deadline:.0f} s. It may still have been carried out."
        )
    except Refused as exc:
        _LOG.info("refused: %s", exc.message)
        return problem_of(exc)
    except OperationError as exc:
        _LOG.warning("failed: %s", exc.message, exc_info=exc.__cause__)
        return problem_of(exc)
    except web.HTTPException as exc:
        return _of_aiohttp(exc)


_WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The body is larger than 1 MiB.",
}


def _of_aiohttp(exc: web.HTTPException) -> web.StreamResponse:
    """aiohttp's own refusals; its text may repeat what the caller sent, ours does not."""
    if exc.status < 400:
        return exc
    kept = {name: exc.headers[name] for name in ("Allow",) if name in exc.headers}
    return problem(exc.status, _WORDS.get(exc.status, exc.reason), headers=kept)
