"""The deployment platforms that a configuration uses, built from the settings.

What a provider needs is imported when a target uses it, so that a command which needs no vendor's SDK loads
none. To add a provider: one entry in `_BUILDERS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from pydantic import SecretStr

from bot.meter import Meter
from bot.settings import Settings
from operations.clock import Clock
from operations.deployment.ports import Provider
from operations.deployment.target import Catalog
from providers.github import GitHub

Built = tuple[Provider, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class PlatformParts:
    """What adapters are built from."""

    settings: Settings
    clock: Clock
    commits: GitHub


def _build_kubernetes(parts: PlatformParts) -> Built:
    from providers.kubernetes import KubernetesProvider
    from providers.registry import Registry

    registry = Registry()
    provider = KubernetesProvider(
        clock=parts.clock, registry=registry, kubeconfig=parts.settings.kubeconfig or None
    )

    async def close() -> None:
        await provider.close()
        await registry.close()

    return provider, close


def _build_ecs(parts: PlatformParts) -> Built:
    from providers.aws import EcsProvider

    provider = EcsProvider(clock=parts.clock)
    return provider, provider.close


def _build_forge(parts: PlatformParts) -> Built:
    from providers.forge import ForgeProvider

    provider = ForgeProvider(
        token=_text(parts.settings.forge_api_token),
        base_url=parts.settings.forge_api_url,
        commits=parts.commits,
        clock=parts.clock,
    )
    return provider, provider.close


_BUILDERS: Mapping[str, Callable[[PlatformParts], Built]] = {
    "k8s": _build_kubernetes,
    "aws": _build_ecs,
    "forge": _build_forge,
}


def build_platforms(
    parts: PlatformParts, catalog: Catalog, stack: AsyncExitStack, meter: Meter | None = None
) -> Mapping[str, Provider]:
    """The platforms that the catalog's targets are on, by word; `stack` closes them."""
    providers: dict[str, Provider] = {}
    for name in dict.fromkeys(target.provider for target in catalog.targets):
        built, close = _BUILDERS[name](parts)
        providers[name] = meter.provider(name, built) if meter else built
        stack.push_async_callback(close)
    return providers


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
