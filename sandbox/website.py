"""The page that myapp's pods serve in the demo, for checks to ask: it is as well as the version that serves.

A version that says `sick` starts, passes for healthy with its platform, and answers its visitors with 503:
what only a check from outside can tell.
"""

from __future__ import annotations

from types import TracebackType

from aiohttp import web

from sandbox.kubernetes import KubernetesStandIn

_SELECTOR = {"app": "web"}


class Website:
    """An async context manager that listens on loopback while it is open."""

    def __init__(self, cluster: KubernetesStandIn) -> None:
        self._cluster = cluster
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Website:
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    async def _health(self, request: web.Request) -> web.Response:
        tags = sorted(self._cluster.serving("default", _SELECTOR))
        sick = [tag for tag in tags if "sick" in tag]
        if sick or not tags:
            return web.Response(
                status=503, text=f"not well: {', '.join(sick) or 'nothing serves'}\n"
            )
        return web.Response(text=f"well: {', '.join(tags)}\n")
