"""How to log in to a cluster: a kubeconfig's context, or the service account of the pod that we run in.

Every cluster gets its own client configuration; the client's process-wide default is never touched.
Untrusted kubeconfigs can run commands (exec plugins): the path comes from the operator only.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from operations.errors import ProviderUnauthorized
from operations.redaction import clean
from providers.kubernetes.objects import at, text

_LOGIN_SECONDS = 30.0  # exec plugins ask their own clouds
_BROKEN = (config.ConfigException, yaml.YAMLError, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Login:
    """A client configuration with credentials; `expires` when a plugin said so."""

    configuration: Configuration
    expires: datetime | None = None

    def client(self) -> ApiClient:
        """A client that uses it."""
        return ApiClient(configuration=self.configuration)


async def log_in(kubeconfig: str | None, context: str) -> Login:
    """Load the credentials of a context; "" is the current one, or in-cluster without a kubeconfig.

    Raises ProviderUnauthorized.
    """
    path = kubeconfig or config.KUBE_CONFIG_DEFAULT_LOCATION
    name = f"context “{context}”" if context else "current context"
    try:
        if not _exists(path) and not kubeconfig and not context:
            return _in_cluster()
        async with asyncio.timeout(_LOGIN_SECONDS):
            return await _from_file(path, context)
    except TimeoutError as exc:
        raise ProviderUnauthorized(f"The login helper of the {name} does not end.") from exc
    except _BROKEN as exc:
        raise ProviderUnauthorized(
            f"The kubeconfig's {name} cannot be used: {clean(str(exc), limit=300).rstrip('.')}.",
            hint="Check KUBECONFIG, and the context in hms.yaml.",
        ) from exc


async def _from_file(path: str, context: str) -> Login:
    configuration = Configuration()
    loader = await config.load_kube_config(  # type: ignore[no-untyped-call]  # the client has no types here
        config_file=path,
        context=context or None,
        client_configuration=configuration,
        persist_config=False,
    )
    user = text(at(loader.current_context, "context"), "user")
    # The client only logs when an exec plugin fails, and would go on as nobody.
    has_login = bool(configuration.api_key) or bool(configuration.cert_file)
    if user and not has_login and str(configuration.host).startswith("https"):
        raise ProviderUnauthorized(
            f"The kubeconfig's user “{clean(user, limit=100)}” gave no credentials.",
            hint="Run its login helper by hand as the user that HMS-SYS runs as; kubectl does the same.",
        )
    expires = getattr(loader, "exec_plugin_expiry", None)
    return Login(configuration, expires if isinstance(expires, datetime) else None)


def _in_cluster() -> Login:
    configuration = Configuration()
    config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # as above
    return Login(configuration)


def _exists(paths: str) -> bool:
    return any(os.path.exists(os.path.expanduser(p)) for p in paths.split(os.pathsep) if p)
