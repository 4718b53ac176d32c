"""`db restored` on the database that the settings name, with nobody else there."""

from __future__ import annotations

from bot.clock import SystemClock
from bot.config import Config
from bot.routes import build_routing
from bot.settings import Settings
from operations.actor import Actor
from operations.deployment.aftermath import Settled, settle_past
from operations.errors import Refused
from storage.address import parse_address
from storage.database import open_database
from storage.inspection import Schema, inspect_schema


async def settle_restored(settings: Settings, config: Config, actor: Actor, *, by: int) -> Settled:
    """Raises Refused where there is no database of ours yet, and while another process uses it."""
    url = settings.database_url.get_secret_value()
    if await inspect_schema(url) is Schema.NONE:
        raise Refused(
            "There is no database of HMS-SYS. Put the backup back first.",
            hint=f"HMS_DATABASE_URL names {parse_address(url).place}.",
        )
    clock, routing = SystemClock(), build_routing(config)
    async with await open_database(url, clock=clock, routing=routing, alone=True) as database:
        return await settle_past(database.store, clock, actor, by=by)
