"""`python -m bench.bare PORT API_URL`: Bolt's own application on aiohttp, with one command that acks.

It does what every Slack app has to do, and nothing of this product: the floor of acknowledging.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bench.load import PATH, SECRET
from bench.slack import BOT_TOKEN


def build_app(api_url: str) -> AsyncApp:
    """One command, `/hms`, which acks whatever was said."""
    client = AsyncWebClient(token=BOT_TOKEN, base_url=api_url)
    app = AsyncApp(client=client, signing_secret=SECRET)

    @app.command("/hms")
    async def hms(ack: AsyncAck) -> None:
        await ack()

    return app


async def serve(port: int, api_url: str) -> None:
    """Until the process is stopped."""
    app = build_app(api_url)

    async def events(request: web.Request) -> web.StreamResponse:
        answer = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_post(PATH, events)
    application.router.add_get("/readyz", alive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
