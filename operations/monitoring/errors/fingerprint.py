"""Which errors are the same error.

The order of what decides is Sentry's ("Fingerprint, then stack trace, then exception, then message",
docs.sentry.io/concepts/data-management/event-grouping): a `fingerprint` field wins; else the frames of the
stack trace with the exception's type; else the type with the message, normalised by `wording`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from operations.monitoring.errors.stack import Stack, read_stack
from operations.monitoring.errors.wording import LONGEST, normalise

_LONGEST_TITLE = 160
_LONGEST_TYPE = 200
_STACK_WITHIN = re.compile(r"Traceback \(most recent call last\)|\n\s+at |\n#0 |\ngoroutine \d")
_BLANKS = re.compile(r"\s+")


class Grouping(NamedTuple):
    """Errors with the same `fingerprint` on a target are one group; `title` is how people read it."""

    fingerprint: str
    title: str


def fingerprint(message: str, fields: Mapping[str, str]) -> Grouping:
    """From cleaned text; pure, and in time that grows with the text's length at most."""
    stack = _stack(message, fields)
    kind = fields.get("type", "")[:_LONGEST_TYPE] or (stack.type if stack else "")
    title = _title(kind, message, stack)
    given = fields.get("fingerprint", "").strip()
    if given:
        return Grouping(_hash("given", given), title)
    if stack is not None:
        return Grouping(_hash("stack", kind, *stack.frames), title)
    return Grouping(_hash("message", kind, normalise(message)), title)


def _stack(message: str, fields: Mapping[str, str]) -> Stack | None:
    """Its own field's, or what was logged as part of the message."""
    told = fields.get("stack", "")
    if told:
        return read_stack(told)
    return read_stack(message) if _STACK_WITHIN.search(message) else None


def _title(kind: str, message: str, stack: Stack | None) -> str:
    """`TimeoutError: no answer from the database`, in one line."""
    first = next((line for line in message.splitlines() if line.strip()), "")
    if stack is not None and (not first or first.startswith("Traceback (most recent")):
        first = stack.message
    words = _BLANKS.sub(" ", first[:LONGEST]).strip()
    short = re.split(r"[.\\]", kind)[-1]
    if short and short not in words:
        words = f"{short}: {words}" if words else short
    if not words:
        return "(no message)"
    return words if len(words) <= _LONGEST_TITLE else words[: _LONGEST_TITLE - 1] + "…"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
