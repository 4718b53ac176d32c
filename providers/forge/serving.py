"""Which commit a finished deployment really left on the site.

Forge shows the commit it pulled. A deployment through the hook shows what the caller stated, which proves
nothing: there the script's own output has to say where it put HEAD.
"""

from __future__ import annotations

import re

from operations.errors import ProviderUnauthorized
from providers.forge.answers import Deployment
from providers.forge.api import ForgeApi
from providers.forge.budget import Errand
from providers.specs import ForgeSpec

MARK = "HMS-SYS "
"""How the message of a deployment begins that we asked for through the hook."""

_HEAD = re.compile(r"HEAD is now at ([0-9a-f]{7,40})\b|^\s*([0-9a-f]{40})\s*$", re.M | re.I)
_KEPT = 500


class Serving:
    """Remembers what it read: a finished deployment does not change any more."""

    def __init__(self, api: ForgeApi) -> None:
        self._api = api
        self._proofs: dict[tuple[str, int], str] = {}

    async def commit_of(self, spec: ForgeSpec, deployment: Deployment, errand: Errand) -> str:
        """The commit, full or short; "" when nothing proves one."""
        if not deployment.message.startswith(MARK):
            return deployment.commit
        key = (spec.identity, deployment.id)
        if key not in self._proofs:
            if len(self._proofs) >= _KEPT:
                self._proofs.pop(next(iter(self._proofs)))
            self._proofs[key] = await self._proof(spec, deployment, errand)
        return self._proofs[key]

    async def _proof(self, spec: ForgeSpec, deployment: Deployment, errand: Errand) -> str:
        try:
            output = await self._api.output(spec, deployment.id, errand)
        except ProviderUnauthorized:
            return ""
        named = proven_commit(output)
        # git prints seven digits; the stated commit may stand for them when it agrees.
        return deployment.commit if same_commit(named, deployment.commit) else named


def proven_commit(output: str) -> str:
    """Where the output says HEAD was put last: by `git reset`, `git checkout` or `git rev-parse HEAD`."""
    found = _HEAD.findall(output)
    return (found[-1][0] or found[-1][1]).lower() if found else ""


def same_commit(one: str, other: str) -> bool:
    """Whether both name one commit, of which either may be cut to seven digits or more."""
    shorter, longer = sorted((one.lower(), other.lower()), key=len)
    return len(shorter) >= 7 and longer.startswith(shorter)
