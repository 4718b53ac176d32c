"""A stand-in of Laravel Forge's organization-scoped API, with sites that deploy in fast-forward.

It answers as Forge's OpenAPI document says and refuses what Forge refuses. `sites` is how deployments go
on with time, `resources` the shapes of answers, `throttle` the limit on requests, `server` the routes.
"""

from __future__ import annotations

from sandbox.forge.server import ForgeStandIn
from sandbox.forge.sites import PINNING_SCRIPT, PLAIN_SCRIPT, Site

__all__ = ["PINNING_SCRIPT", "PLAIN_SCRIPT", "ForgeStandIn", "Site"]
