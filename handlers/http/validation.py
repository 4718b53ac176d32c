"""From pydantic's errors to faults that a caller can mend. What they sent is not repeated to them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from handlers.http.problems import BodyFault
from operations.redaction import clean

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "json_invalid": "is not JSON",
}


def faults_of(exc: ValidationError, *, index: int | None = None) -> list[BodyFault]:
    """Every fault, with its place."""
    return list(_faults(exc, index))


def _faults(exc: ValidationError, index: int | None) -> Iterator[BodyFault]:
    for error in exc.errors(include_url=False, include_input=False, include_context=False):
        at = ".".join(str(step) for step in error["loc"])
        message = _WORDS.get(error["type"], "")
        if error["type"] == "json_invalid":
            message += f" ({error['msg'].partition(': ')[2]})"
        yield BodyFault(clean(at, limit=100), message or _decapitated(error["msg"]), index)


def _decapitated(message: str) -> str:
    """“Input should be …” becomes “should be …”."""
    text = clean(message.removeprefix("Value error, ").removeprefix("Input "), limit=300)
    return text[:1].lower() + text[1:]
