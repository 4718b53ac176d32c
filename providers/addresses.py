"""Which addresses a page may lead to that is not ours: public ones only, checked before connecting.

A name can mean another address a moment later. So it is looked up once, every address of it is judged,
and whoever connects goes to what was judged (see `providers.pages`), not to the name again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""The addresses of a name; raises OSError when nobody knows it."""

_NAT64 = IPv6Network("64:ff9b::/96")
_SPECIAL = (
    IPv4Network("168.63.129.16/32"),  # Azure's own, within its machines
    IPv4Network("192.0.0.0/24"),  # IETF's assignments; Oracle's metadata among them
    IPv6Network("::/96"),
    IPv6Network("64:ff9b:1::/48"),
)
"""What Python's `ipaddress` takes for public."""


async def resolve(host: str, port: int) -> list[Address]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # The part behind a % is an interface of this machine.
    return [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet could be asked there. Of an address in another's clothes, both."""
    if address.is_multicast or not address.is_global:
        return False
    if any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return True
    return not address.is_site_local and all(is_public(inner) for inner in _inner(address))


def _inner(address: IPv6Address) -> list[IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]
