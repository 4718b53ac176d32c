"""The header `Idempotency-Key`: the sender's word for a request, so that sending it again has no effect.

After draft-ietf-httpapi-idempotency-key-header. What a key is good for, and how long, is each route's own.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from handlers.http.problems import BodyFault, FaultyRequest

_NAME = "Idempotency-Key"
_PATTERN = r"^[!-~]{1,255}$"


def key_parameter(description: str) -> Mapping[str, object]:
    """The header in the OpenAPI document."""
    return {
        "name": _NAME,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "pattern": _PATTERN},
    }


def key_of(request: web.Request) -> str:
    """The key, "" without one; raises FaultyRequest."""
    given = request.headers.getall(_NAME, [])
    if not given:
        return ""
    if len(given) > 1 or not 0 < len(given[0]) <= 255 or not _is_visible(given[0]):
        fault = BodyFault(_NAME, "should be one word of 1 to 255 visible ASCII characters")
        raise FaultyRequest("The request is not as it should be.", [fault])
    return given[0]


def _is_visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)
