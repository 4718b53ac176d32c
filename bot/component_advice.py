"""What has to be done beside hms.yaml before a component works: said when it is added or its secrets change.

The neighbour of `registration`. Nothing is called here; a name may be looked up.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from urllib.parse import urlsplit

from providers.addresses import Resolve, is_public, resolve

_INSIDE = (".internal", ".local", ".localhost", ".lan", ".home.arpa", ".corp", ".intranet")
"""Ends of names that no public name has, or hardly any."""
_LOOKUP_SECONDS = 3.0


def secret_advice(name: str, variable: str) -> str:
    """For a component that is new."""
    return (
        f"Give {name} the token and the secret. Set {variable} (or {variable}_FILE, a file's path) in "
        "the bot's own environment too, before its next start: it does not start without."
    )


def secret_stays(name: str) -> str:
    """For one that gets a new token."""
    return (
        f"Its webhook's secret stays: `hms-sys components rotate {name} --webhook-secret` makes a "
        "new one."
    )


def overlap_advice(name: str, variable: str) -> list[str]:
    """How one secret follows another and no call is refused between."""
    return [
        f"1. Give the bot both: in {variable} the new one, a space, the old one (in quotes where a shell "
        "reads it). From its next start each call is signed with both.",
        f"2. Give {name} the new one.",
        "3. Take the old one from the bot.",
    ]


async def private_advice(name: str, webhook: str, resolve: Resolve = resolve) -> str:
    """What to write when the webhook's address is a private one; "" when it is none."""
    parts = urlsplit(webhook)
    host = parts.hostname or ""
    if not await _is_inside(host, parts.port or 443, resolve):
        return ""
    return (
        f"{host} is a private address, as it seems, and calls there are refused: write `private: true` "
        f"beside the webhook of {name} in hms.yaml (`add … --private` does)."
    )


async def _is_inside(host: str, port: int, resolve: Resolve) -> bool:
    """By its name alone where that says it: what is inside is often not known from here."""
    try:
        return not is_public(ip_address(host))
    except ValueError:
        pass
    if "." not in host or host.endswith(_INSIDE):
        return True
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            return not all(map(is_public, await resolve(host, port)))
    except (OSError, UnicodeError, TimeoutError):
        return False
