"""What a registry is asked, whom the client trusts with the question, and what it makes of the answers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from operations.errors import InvalidRequest
from providers.registry import ImageRef, Registry
from sandbox.registry import RegistryStandIn

DIGEST = "sha256:" + "a" * 64
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
async def stand_in() -> AsyncIterator[RegistryStandIn]:
    async with RegistryStandIn() as opened:
        yield opened


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    opened = Registry(timeout=1.0)
    yield opened
    await opened.close()


async def ask(answer: Answer, image: str = "registry.example/acme/web") -> tuple[str, list[str]]:
    """The digest, and the URLs that were asked, in order."""
    asked: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url}")
        return answer(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(note)) as client:
        return await Registry(client).digest(image, "1.1"), asked


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("web", ImageRef("web")),
        ("acme/web:1.1", ImageRef("acme/web", "1.1")),
        ("localhost:5000/web", ImageRef("localhost:5000/web")),
        ("localhost:5000/web:1.1", ImageRef("localhost:5000/web", "1.1")),
        (f"a.example/web:1.1@{DIGEST}", ImageRef("a.example/web", "1.1", DIGEST)),
    ],
)
def test_image_names_are_taken_apart(text: str, ref: ImageRef) -> None:
    assert ImageRef.parse(text) == ref


@pytest.mark.parametrize(
    ("repository", "path"),
    [
        ("nginx", "library/nginx"),
        ("acme/web", "acme/web"),
        ("docker.io/nginx", "library/nginx"),
        ("docker.io/acme/web", "acme/web"),
    ],
)
def test_short_names_belong_to_the_hub(repository: str, path: str) -> None:
    assert ImageRef(repository).place == ImageRef("docker.io/" + path).place
    assert ImageRef(repository).place[1] == path


@pytest.mark.parametrize("host", ["ghcr.example", "localhost", "host:5000", "127.0.0.1:5000"])
def test_a_host_is_known_by_its_dot_or_port(host: str) -> None:
    assert ImageRef(f"{host}/acme/web").place == (host, "acme/web")


async def test_the_header_is_the_digest(registry: Registry, stand_in: RegistryStandIn) -> None:
    image = f"{stand_in.host}/acme/web"

    assert await registry.digest(image, "1.1") == stand_in.digest_of(image, "1.1")
    assert stand_in.requests == ["HEAD /v2/acme/web/manifests/1.1"]


async def test_without_the_header_the_body_is_hashed(
    registry: Registry, stand_in: RegistryStandIn
) -> None:
    stand_in.omits_digest = True
    image = f"{stand_in.host}/acme/web"

    assert await registry.digest(image, "1.1") == stand_in.digest_of(image, "1.1")


async def test_an_anonymous_token_is_fetched(registry: Registry, stand_in: RegistryStandIn) -> None:
    stand_in.needs_token = True
    image = f"{stand_in.host}/acme/web"

    assert await registry.digest(image, "1.1") == stand_in.digest_of(image, "1.1")
    assert stand_in.unexpected == []


async def test_a_tag_that_does_not_exist_is_refused(
    registry: Registry, stand_in: RegistryStandIn
) -> None:
    with pytest.raises(InvalidRequest, match=r"1\.9-missing"):
        await registry.digest(f"{stand_in.host}/acme/web", "1.9-missing")


@pytest.mark.parametrize("knob", ["unauthorized", "down"])
async def test_a_registry_that_does_not_say_is_no_error(
    registry: Registry, stand_in: RegistryStandIn, knob: str
) -> None:
    setattr(stand_in, knob, True)

    assert await registry.digest(f"{stand_in.host}/acme/web", "1.1") == ""


async def test_a_registry_that_cannot_be_reached_is_no_error(registry: Registry) -> None:
    assert await registry.digest("127.0.0.1:1/acme/web", "1.1") == ""


async def test_an_unknown_404_proves_nothing() -> None:
    digest, _ = await ask(lambda _: httpx.Response(404, text="<html>nginx</html>"))

    assert digest == ""


async def test_a_wrong_header_is_not_believed() -> None:
    body = b"{}"
    headers = {"Docker-Content-Digest": "sha256:short"}

    digest, _ = await ask(lambda _: httpx.Response(200, content=body, headers=headers))

    assert digest == f"sha256:{hashlib.sha256(body).hexdigest()}"


async def test_other_registries_are_asked_over_https() -> None:
    _, asked = await ask(lambda _: httpx.Response(403))

    assert asked == ["HEAD https://registry.example/v2/acme/web/manifests/1.1"]


async def test_redirects_are_not_followed() -> None:
    headers = {"Location": "http://169.254.169.254/"}

    digest, asked = await ask(lambda _: httpx.Response(307, headers=headers))

    assert digest == ""
    assert all("169.254" not in url for url in asked)


@pytest.mark.parametrize(
    "realm",
    [
        "http://auth.example/token",
        "https://127.0.0.1/token",
        "https://localhost/token",
        "https://10.0.0.7/token",
        "https://169.254.169.254/latest",
        "https://[::1]/token",
        "https://user:pw@auth.example/token",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_realm_that_could_be_a_trap_is_not_asked(realm: str) -> None:
    headers = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}

    digest, asked = await ask(lambda _: httpx.Response(401, headers=headers))

    assert digest == ""
    assert len(asked) == 1


async def test_an_honest_realm_is_asked_with_service_and_scope() -> None:
    challenge = 'Bearer realm="https://auth.example/token",service="s",scope="repository:a:pull"'

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            return httpx.Response(200, json={"access_token": "t"})
        if request.headers.get("Authorization") == "Bearer t":
            return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})
        return httpx.Response(401, headers={"WWW-Authenticate": challenge})

    digest, asked = await ask(answer)

    assert digest == DIGEST
    assert asked[1] == "GET https://auth.example/token?service=s&scope=repository%3Aa%3Apull"


@pytest.mark.parametrize("body", ["no json", "[]", '{"token": 7}'])
async def test_a_token_answer_of_another_shape_is_no_token(body: str) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="https://auth.example/token"'}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            return httpx.Response(200, text=body)
        return httpx.Response(401, headers=challenge)

    assert (await ask(answer))[0] == ""
