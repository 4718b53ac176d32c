"""The HTTP side, put together from the configuration and the services."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.bootstrap import Services
from bot.config import Config
from bot.config.sections.programs import Hook as HookSection
from bot.config.sections.programs import SentryHook
from bot.schedule import Job
from bot.settings import load_secrets
from handlers.http.access import Access, Component
from handlers.http.api import Api, ApiParts, build_api
from handlers.http.app import Register
from handlers.http.boundary import BoundarySettings
from handlers.http.hooks.alertmanager import Alertmanager
from handlers.http.hooks.door import Door, Hook, Receive
from handlers.http.hooks.forge import Forge
from handlers.http.hooks.places import Places
from handlers.http.hooks.sentry import Sentry
from handlers.http.hooks.signatures import Signature
from operations.deployment.target import Catalog
from operations.monitoring.alert_inquiries import AlertInquiries
from operations.refusals import Refusals
from providers.specs import ForgeSpec

_FORGETS_EVERY = timedelta(hours=1)
_SENTRY_HEADER = "Sentry-Hook-Signature"


@dataclass(frozen=True, slots=True)
class HttpSide:
    """`parts` add routes, `around` stands around all of them, `jobs` are for whoever serves."""

    around: BoundarySettings
    parts: Sequence[Register]
    jobs: Sequence[Job]


def build_http(config: Config, services: Services) -> HttpSide:
    """The API for components, and the hooks of the systems that are configured."""
    api = build_component_api(config, services)
    door = Door(_hooks(config, services), api.access, services.clock)
    return HttpSide(
        around=BoundarySettings(guard=services.supervisor, new_id=lambda: secrets.token_hex(8)),
        parts=[api.register, door.register],
        jobs=[Job("repeats", _FORGETS_EVERY, api.keyed.forget_old)],
    )


def build_component_api(config: Config, services: Services) -> Api:
    """`/api/v1`, for the components of the configuration."""
    store, clock = services.database.store, services.clock
    return build_api(
        ApiParts(
            deployments=services.deployments,
            store=store,
            intake=services.errors.intake,
            groups=services.errors.triage,
            past_alerts=AlertInquiries(store),
            alerts=services.monitoring.alerting,
            access=Access(_components(config), clock, Refusals(store.transaction, clock)),
            clock=clock,
        )
    )


def _components(config: Config) -> list[Component]:
    return [
        Component(
            name=name,
            token_sha256=section.token_sha256,
            rights=frozenset(section.may),
            requests_a_minute=section.requests_a_minute,
        )
        for name, section in config.components.items()
    ]


def _hooks(config: Config, services: Services) -> Mapping[str, Hook]:
    """Those that are configured, by the word in their address."""
    clock, intake = services.clock, services.errors.intake
    sites = _sites(services.catalog)
    builders: Mapping[str, tuple[HookSection | None, Callable[[Places], Receive]]] = {
        "alertmanager": (
            config.hooks.alertmanager,
            lambda places: Alertmanager(services.monitoring.vendors, places).receive,
        ),
        "sentry": (
            config.hooks.sentry,
            lambda places: Sentry(intake, places, clock).receive,
        ),
        "forge": (
            config.hooks.forge,
            lambda places: Forge(intake, places, sites, clock).receive,
        ),
    }
    return {
        system: Hook(
            section.token_sha256, build(_places(section, services.catalog)), _signature(section)
        )
        for system, (section, build) in builders.items()
        if section is not None
    }


def _signature(section: HookSection) -> Signature | None:
    """Raises SettingsError when the secret is not there."""
    if not isinstance(section, SentryHook) or section.secret_env is None:
        return None
    secret = load_secrets([section.secret_env])[section.secret_env]
    return Signature(_SENTRY_HEADER, secret.get_secret_value())


def _places(section: HookSection, catalog: Catalog) -> Places:
    return Places(catalog=catalog, targets=section.targets, default=section.target or "")


def _sites(catalog: Catalog) -> Mapping[tuple[int, int], str]:
    return {
        (target.spec.server, target.spec.site): target.name
        for target in catalog.targets
        if isinstance(target.spec, ForgeSpec)
    }
