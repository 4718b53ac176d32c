"""What stands between the adapter and the API server: hands everything on, counts, and fails on demand."""

from __future__ import annotations

import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator

import aiohttp
from aiohttp import web

from sandbox.kubernetes.faults import Faults, cut
from sandbox.kubernetes.statuses import ApiError
from tests.control_plane.processes import ControlPlane

_HANDED_ON = ("Authorization", "Content-Type", "Accept")
_HANDED_BACK = ("Content-Type", "Retry-After")


class OpenWatches:
    """The watches that are open now."""

    def __init__(self) -> None:
        self._open: list[web.Request] = []

    @property
    def count(self) -> int:
        """How many."""
        return len(self._open)

    @contextlib.contextmanager
    def watching(self, request: web.Request) -> Iterator[None]:
        """Counted within the block."""
        self._open.append(request)
        try:
            yield
        finally:
            self._open.remove(request)

    def drop(self) -> None:
        """Cut all of them."""
        for request in list(self._open):
            cut(request)


class Front:
    """`faults` holds its knobs; `patches` and `requests` are as the stand-in's."""

    def __init__(self, plane: ControlPlane, faults: Faults) -> None:
        self.patches: list[tuple[str, str, object]] = []
        self.requests: deque[str] = deque(maxlen=1000)
        self.watches = OpenWatches()
        self._plane = plane
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, at the same address as before."""
        trust = ssl.create_default_context(cafile=str(self._plane.authority))
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=0))
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Every connection is lost."""
        self.watches.drop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        try:
            if await self._faults.meet(request):
                return cut(request)
        except ApiError as error:
            return error.response()
        if request.method == "PATCH":
            return await self._hand_patch_on(request)
        async with self._ask(request) as answer:
            try:
                return await self._hand_back(request, answer)
            except ConnectionResetError:
                return web.Response()  # whoever asked has left

    async def _hand_patch_on(self, request: web.Request) -> web.StreamResponse:
        await self._faults.meet_patch()
        if self._faults.loses_patch():
            return cut(request)
        async with self._ask(request) as answer:
            body = await answer.read()
            if answer.ok:
                resource, name = request.path.split("/")[-2:]
                self.patches.append((resource, name, await request.json()))
            if self._faults.swallows_answer():
                return cut(request)
            return web.Response(
                status=answer.status, body=body, headers={"Content-Type": "application/json"}
            )

    @contextlib.asynccontextmanager
    async def _ask(self, request: web.Request) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None
        headers = {k: request.headers[k] for k in _HANDED_ON if k in request.headers}
        async with self._session.request(
            request.method,
            f"{self._plane.url}{request.raw_path}",
            headers=headers,
            data=await request.read(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        ) as answer:
            yield answer

    async def _hand_back(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        headers = {k: answer.headers[k] for k in _HANDED_BACK if k in answer.headers}
        response = web.StreamResponse(status=answer.status, headers=headers)
        is_watch = request.query.get("watch") in ("true", "True", "1")
        with self.watches.watching(request) if is_watch else contextlib.nullcontext():
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        return response
