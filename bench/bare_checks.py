"""`python -m bench.bare_checks URL COUNT SECONDS`: asks so many pages, spread evenly over the interval.

For ever. The same client library and a new connection each time, as checks do it, and nothing of this
product: the floor of watching.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp


async def ask(url: str, count: int, seconds: float) -> None:
    """Until the process is stopped."""
    begun = time.monotonic()
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as client, asyncio.TaskGroup() as group:
        number = 0
        while True:
            await asyncio.sleep(begun + number * seconds / count - time.monotonic())
            group.create_task(_ask_one(client, f"{url}/{number % count}"))
            number += 1


async def _ask_one(client: aiohttp.ClientSession, url: str) -> None:
    async with client.get(url) as response:
        response.raise_for_status()


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
