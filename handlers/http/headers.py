"""The headers that every answer of ours has, whatever went wrong before it."""

from __future__ import annotations

from aiohttp import web

REQUEST_ID = "X-Request-Id"
_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def mark(answer: web.StreamResponse, request_id: str) -> web.StreamResponse:
    """Put them on, before it is sent."""
    answer.headers[REQUEST_ID] = request_id
    for name, value in _SAFETY.items():
        answer.headers.setdefault(name, value)
    return answer
