"""Laravel Forge behind the deployment port, by its organization-scoped API.

`api` speaks HTTP and translates errors, `answers` are the shapes it reads, `budget` shares out the sixty
requests a minute, `revision` pins versions, `launch` starts and brings back, `observation` follows, `health`
reads what serves, and `adapter` puts them together.
"""

from __future__ import annotations

from providers.forge.adapter import ForgeProvider

__all__ = ["ForgeProvider"]
