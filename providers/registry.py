"""What an image registry says a tag is, right now: an anonymous question over HTTP.

Not a client for private registries: those that ask for a password are answered with "cannot tell", and
the caller finds the digest elsewhere or ships unpinned and says so.
Sources: the OCI distribution specification and the token protocol of the `distribution` registry.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from operations.errors import InvalidRequest
from operations.redaction import clean

_HUB = "registry-1.docker.io"
_HUB_NAMES = frozenset({"docker.io", "index.docker.io", _HUB})
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
"""Indexes first: without them a registry answers with one platform's digest, or with 404."""

_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_UNKNOWN_CODES = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN"})
_MAX_MANIFEST = 4 * 1024 * 1024  # the specification's own limit


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image's name taken apart, as written: `repository[:tag][@digest]`."""

    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageRef:
        """A colon before the last slash is a port and no tag."""
        name, _, digest = text.partition("@")
        head, slash, last = name.rpartition("/")
        last, _, tag = last.partition(":")
        return cls(head + slash + last, tag, digest)

    @property
    def place(self) -> tuple[str, str]:
        """Registry host and path, with Docker Hub's short names written out."""
        first, slash, rest = self.repository.partition("/")
        is_host = slash and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if is_host else ("docker.io", self.repository)
        if host in _HUB_NAMES:
            return _HUB, path if "/" in path else f"library/{path}"
        return host, path


def is_tag(text: str) -> bool:
    """Whether the text can be an image's tag."""
    return bool(_TAG.match(text))


def is_digest(text: str) -> bool:
    """Whether the text is a complete SHA-256 digest."""
    return bool(_DIGEST.match(text))


class Registry:
    """Asks registries; `timeout` in seconds covers one whole question, token included."""

    def __init__(self, client: httpx.AsyncClient | None = None, *, timeout: float = 3.0) -> None:
        self._client = client
        self._owned = client is None
        self._timeout = timeout

    async def close(self) -> None:
        """Close the HTTP client, unless it was given."""
        if self._owned and self._client is not None:
            await self._client.aclose()
            self._client = None

    async def digest(self, image: str, tag: str) -> str:
        """The digest that `tag` names now; "" when the registry cannot be asked or will not say.

        Raises InvalidRequest when the registry knows that there is no such image.
        """
        host, path = ImageRef.parse(image).place
        url = f"{_scheme(host)}://{host}/v2/{path}/manifests/{tag}"
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(url, image, tag)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            return ""

    async def _ask(self, url: str, image: str, tag: str) -> str:
        status, headers, _ = await self._request("HEAD", url, "")
        token = ""
        if status == httpx.codes.UNAUTHORIZED:
            token = await self._token(url, headers.get("www-authenticate", ""))
            if not token:
                return ""
            status, headers, _ = await self._request("HEAD", url, token)
        digest: str = headers.get("docker-content-digest", "")
        if status == httpx.codes.OK and is_digest(digest):
            return digest
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ""
        # Only a GET has a body: to be hashed, or to say what is unknown.
        return _judge(await self._request("GET", url, token), f"{image}:{tag}")

    async def _request(self, method: str, url: str, token: str) -> tuple[int, httpx.Headers, bytes]:
        headers = {"Accept": _ACCEPT} | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self._http().stream(
            method, url, headers=headers, follow_redirects=False
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_MANIFEST:
                    return 0, response.headers, b""
            return response.status_code, response.headers, bytes(body)

    async def _token(self, url: str, challenge: str) -> str:
        scheme, _, rest = challenge.partition(" ")
        fields = dict(_CHALLENGE.findall(rest))
        realm = fields.pop("realm", "")
        if scheme.lower() != "bearer" or not _may_ask(realm, url):
            return ""
        asked = {k: v for k, v in fields.items() if k in ("service", "scope")}
        response = await self._http().get(realm, params=asked, follow_redirects=False)
        try:
            answer = response.json() if response.status_code == httpx.codes.OK else None
        except ValueError:
            return ""
        known = answer if isinstance(answer, dict) else {}
        tokens = [known.get("token"), known.get("access_token")]
        return next((t for t in tokens if isinstance(t, str) and t), "")

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout)
        return self._client


def _judge(answer: tuple[int, httpx.Headers, bytes], name: str) -> str:
    status, headers, body = answer
    if status == httpx.codes.OK:
        digest: str = headers.get("docker-content-digest", "")
        return digest if is_digest(digest) else f"sha256:{hashlib.sha256(body).hexdigest()}"
    if status == httpx.codes.NOT_FOUND and any(
        code.encode() in body[:4096] for code in _UNKNOWN_CODES
    ):
        raise InvalidRequest(
            f"There is no image {clean(name, limit=300)} in its registry.",
            hint="Check the version, or wait until the build has pushed it.",
        )
    return ""


def _is_local(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name in ("localhost", "127.0.0.1", "::1") or name.endswith(".localhost")


def _scheme(host: str) -> str:
    return "http" if _is_local(host) else "https"


def _may_ask(realm: str, registry_url: str) -> bool:
    """Whether a token may be fetched where a registry says: never in clear text, never on an inner address.

    A registry on this machine may name a realm on this machine.
    """
    asked, registry = urlsplit(realm), urlsplit(registry_url)
    if not asked.hostname or asked.username is not None:
        return False
    if registry.scheme == "http":
        return asked.scheme == "http" and _is_local(asked.netloc)
    if asked.scheme != "https" or _is_local(asked.netloc):
        return False
    try:
        return ipaddress.ip_address(asked.hostname).is_global
    except ValueError:
        return True
