"""What a record of the log is about, told from the name of the work: `D-1042 card` is a rollout's.

Bound to the context wherever work is done for one subject, so that every record below carries it, those of
libraries and of operations too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_KINDS = {"D": "rollout", "A": "alert", "E": "error_group"}
_SUBJECT = re.compile(r"(?:^|\s)(([DAE])-[1-9][0-9]{0,11})(?:\s|$)", re.ASCII)
_CHECK = re.compile(r"check (\S+)")


def fields_of(name: str) -> dict[str, str]:
    """The subject among the words of the name, by the key of its kind; nothing when it has none."""
    if subject := _SUBJECT.search(name):
        return {_KINDS[subject[2]]: subject[1]}
    if check := _CHECK.fullmatch(name):
        return {"check": check[1]}
    return {}


@contextmanager
def about(name: str, **more: str) -> Iterator[None]:
    """Within the block every record carries the subject, and `more`."""
    with structlog.contextvars.bound_contextvars(**fields_of(name), **more):
        yield


@contextmanager
def one_request(new_id: str) -> Iterator[None]:
    """Every record within carries a `request_id`: the one that HTTP gave it, else this."""
    if "request_id" in structlog.contextvars.get_contextvars():
        yield
        return
    with structlog.contextvars.bound_contextvars(request_id=new_id):
        yield
