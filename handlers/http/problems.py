"""Every error of the HTTP side as `application/problem+json` (RFC 9457), and the one table of their statuses.

What is raised is of `operations.errors`; the few kinds that only HTTP knows are added here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from handlers.documents import bare
from handlers.http.hints import hint_for_program
from operations.errors import (
    InvalidRequest,
    NotPermitted,
    OperationError,
    Overloaded,
    ProviderError,
    ProviderUnavailable,
    Refused,
    StorageError,
    UnknownAlert,
    UnknownRollout,
)

CONTENT_TYPE = "application/problem+json"
MOST_FAULTS = 50
"""More are counted, not listed: an answer must not be larger than what it is about."""


@dataclass(frozen=True, slots=True)
class BodyFault:
    """`at` is where: `level`, `fields.user`, or a parameter's name. `index` counts events from 0."""

    at: str
    message: str
    index: int | None = None


class Unauthenticated(Refused):
    """No token, or none that is known."""


class UnknownAddress(Refused):
    """Nothing is here, or not for whoever asks."""


class UnreadableBody(InvalidRequest):
    """The bytes are no text, so that nothing in them can be pointed at."""


class UnsupportedBody(InvalidRequest):
    """A kind of content, or an encoding of it, that is not taken here."""


class FaultyRequest(InvalidRequest):
    """Understood and wrong; `faults` says all that is wrong with it."""

    def __init__(self, message: str, faults: Sequence[BodyFault]) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


_STATUSES: tuple[tuple[type[OperationError], int], ...] = (
    (Unauthenticated, 401),
    (NotPermitted, 403),
    (UnknownAddress, 404),
    (UnknownRollout, 404),
    (UnknownAlert, 404),
    (UnreadableBody, 400),
    (UnsupportedBody, 415),
    (InvalidRequest, 422),
    (Refused, 409),
    (Overloaded, 429),
    (ProviderUnavailable, 503),
    (ProviderError, 502),
    (StorageError, 503),
)
"""The first that fits holds."""

_RETRY_SECONDS = 5


def status_of(error: OperationError) -> int:
    """The status that says what kind of error it is."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def problem_of(error: OperationError) -> web.Response:
    """The answer to a request that failed with this error."""
    status = status_of(error)
    hint = hint_for_program(error)
    more: dict[str, object] = {"hint": hint} if hint else {}
    if isinstance(error, FaultyRequest):
        more["errors"] = [_fault_document(fault) for fault in error.faults[:MOST_FAULTS]]
        if len(error.faults) > MOST_FAULTS:
            more["errors_left_out"] = len(error.faults) - MOST_FAULTS
    return problem(status, bare(error.message), headers=_headers(status, error), more=more)


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> web.Response:
    """An answer that says what went wrong."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(more or {}),
    }
    return web.Response(
        status=status,
        body=json.dumps(document, ensure_ascii=False).encode(),
        content_type=CONTENT_TYPE,
        headers=headers,
    )


def _headers(status: int, error: OperationError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="HMS-SYS"'}
    if status in {429, 503}:
        asked = getattr(error, "retry_after", None)
        return {"Retry-After": str(max(1, math.ceil(asked or _RETRY_SECONDS)))}
    return {}


def _fault_document(fault: BodyFault) -> dict[str, object]:
    document: dict[str, object] = {"at": fault.at, "message": fault.message}
    return document if fault.index is None else {"index": fault.index, **document}
