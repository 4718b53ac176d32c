"""Which errors that nobody saw before get a group of their own: so many on a target in an hour. Pure.

A component whose messages are all different would else make groups without end, and nobody finds anything
among them. What finds no room is one group of the target, which counts all of it and says what it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from operations.monitoring.errors.tally import Bundle, merge

NEW_GROUPS = 100
"""On a target in an hour, unless the configuration says otherwise."""
OTHER_TITLE = "Other errors, counted together: too many new kinds in an hour"


def admit(unknown: Mapping[str, Bundle], room: int) -> tuple[dict[str, Bundle], Bundle | None]:
    """Those with a group of their own, by fingerprint, and what is left as one; None when nothing is.

    The worst and then the most frequent come first.
    """
    ordered = sorted(unknown, key=lambda key: _weight(key, unknown[key]))
    room = max(0, room)
    left = [unknown[key] for key in ordered[room:]]
    return {key: unknown[key] for key in ordered[:room]}, merge(OTHER_TITLE, left)


def _weight(key: str, more: Bundle) -> tuple[int, int, str]:
    return -more.level, -len(more.events), key
