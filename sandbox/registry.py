"""An image registry stand-in: each tag has a lasting digest; which there are, `tags` says.

It speaks the part of the distribution API that turns a tag into a digest. Each digest is the SHA-256 of
the manifest that it serves, as in a real registry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from types import TracebackType

from aiohttp import web

_MANIFEST = "application/vnd.oci.image.index.v1+json"


class RegistryStandIn:
    """An async context manager that listens on loopback while it is open.

    Knobs: `unauthorized` asks for a token that cannot be had; `needs_token` for one that can; `down` cuts
    every connection; `omits_digest` leaves out the header that is optional. `tags` are those that each
    repository has; None: every one but those that say `missing`. `unexpected` records what no real client
    would ask.
    """

    def __init__(self, tags: Mapping[str, Collection[str]] | None = None) -> None:
        self.tags = tags
        self.unauthorized = False
        self.needs_token = False
        self.down = False
        self.omits_digest = False
        self.requests: list[str] = []
        self.unexpected: list[str] = []
        self._tags: dict[str, str] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> RegistryStandIn:
        app = web.Application()
        app.router.add_get("/v2/{repository:.+}/manifests/{reference}", self._manifest)
        app.router.add_get("/token", self._token)
        app.router.add_route("*", "/{rest:.*}", self._refuse)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
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
    def host(self) -> str:
        """Host and port, as an image's name begins: `127.0.0.1:40123`."""
        return f"127.0.0.1:{self._port}"

    def digest_of(self, repository: str, tag: str) -> str:
        """The digest of a tag; `repository` with or without the registry's host."""
        manifest = _manifest_of(self._path(repository), tag)
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        self._tags[digest] = tag
        return digest

    def tag_of(self, digest: str) -> str | None:
        """The tag that a digest was given out for, None for a digest that this registry never named."""
        return self._tags.get(digest)

    def _path(self, repository: str) -> str:
        return repository.removeprefix(f"{self.host}/")

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.down:
            return _cut(request)
        if "application/vnd.oci.image.index.v1+json" not in request.headers.get("Accept", ""):
            self.unexpected.append(f"{request.method} {request.path} without accepting an index")
            return _error(
                404, "MANIFEST_UNKNOWN", "OCI index found, but accept header does not support it"
            )
        if self.unauthorized or (self.needs_token and not self._has_token(request)):
            return self._challenge(request)
        return self._answer(request.match_info["repository"], request.match_info["reference"])

    def _answer(self, repository: str, reference: str) -> web.Response:
        known = self._tags.get(reference) if reference.startswith("sha256:") else reference
        if known is None or not self._has(repository, known):
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        headers = {"Docker-Content-Digest": self.digest_of(repository, known)}
        return web.Response(
            body=_manifest_of(repository, known),
            content_type=_MANIFEST,
            headers={} if self.omits_digest else headers,
        )

    def _has(self, repository: str, tag: str) -> bool:
        return "missing" not in tag if self.tags is None else tag in self.tags.get(repository, ())

    def _has_token(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == "Bearer anonymous-pull"

    def _challenge(self, request: web.Request) -> web.Response:
        scope = f"repository:{request.match_info['repository']}:pull"
        realm = f'Bearer realm="http://{self.host}/token",service="stand-in",scope="{scope}"'
        response = _error(401, "UNAUTHORIZED", "authentication required")
        response.headers["WWW-Authenticate"] = realm
        return response

    async def _token(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.method} {request.path}")
        if request.query.get("service") != "stand-in" or "scope" not in request.query:
            self.unexpected.append(f"token asked with {request.query_string}")
            return _error(400, "UNSUPPORTED", "service and scope are needed")
        return web.json_response({"token": "anonymous-pull"})

    async def _refuse(self, request: web.Request) -> web.Response:
        self.unexpected.append(f"{request.method} {request.path}")
        return _error(404, "UNSUPPORTED", "no such endpoint")


def _manifest_of(repository: str, tag: str) -> bytes:
    annotations = {"org.opencontainers.image.ref.name": f"{repository}:{tag}"}
    document = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "manifests": [],
        "annotations": annotations,
    }
    return json.dumps(document).encode()


def _error(status: int, code: str, message: str) -> web.Response:
    body = {"errors": [{"code": code, "message": message}]}
    return web.json_response(body, status=status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
