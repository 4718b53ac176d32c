"""What the demo's platforms run, and the configuration and environment that lead a bot to them."""

from __future__ import annotations

import getpass
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.ecs import EcsStandIn
from sandbox.forge import ForgeStandIn
from sandbox.github import GOOD_TAGS, GitHubStandIn
from sandbox.kubernetes import KubernetesStandIn
from sandbox.registry import RegistryStandIn
from sandbox.slack import APP_TOKEN, BOT_TOKEN, LocalSlack


@dataclass(frozen=True, slots=True, kw_only=True)
class Platforms:
    """The stand-ins, open."""

    registry: RegistryStandIn
    kubernetes: KubernetesStandIn
    ecs: EcsStandIn
    github: GitHubStandIn
    forge: ForgeStandIn


_GOOD = ("1.3", "1.2", "1.1", "1.0.1", "1.0")
VERSIONS: Mapping[str, Sequence[str]] = {
    "acme/myapp": (
        *_GOOD,
        *("1.2-bad", "1.2-crash", "1.2-slow", "1.2-sick", "1.2-errors", "1.2-sick-errors"),
    ),
    "acme/mkt": _GOOD,
}
"""The images that there are, as they are listed; how the odd ones behave, their words say."""


def say_versions() -> str:
    """Those that are well, by project."""
    return f"myapp, mkt: {', '.join(_GOOD)} · site: {', '.join(GOOD_TAGS)}"


def set_scene(platforms: Platforms) -> None:
    """myapp 1.0 runs on ECS (prod) and on Kubernetes (staging), mkt on Kubernetes, site on Forge."""
    registry = platforms.registry.host
    for tag in VERSIONS["acme/myapp"]:
        platforms.ecs.push_image("acme/myapp", tag)
    for name, repository, replicas in (("web", "acme/myapp", 3), ("mkt", "acme/mkt", 2)):
        platforms.kubernetes.add_deployment(
            "default", name, f"{registry}/{repository}:1.0", replicas=replicas, container="app"
        )
    platforms.ecs.add_service("main", "myapp", "acme/myapp", "1.0", desired=3)
    platforms.forge.add_site("acme/site", live="1.0")


Check = Mapping[str, object]
"""One of `checks:` in hms.yaml."""


def write_config(
    path: Path, platforms: Platforms, checks: Sequence[Check] = (), escalate_after: str = "2m"
) -> None:
    """The sandbox's hms.yaml."""
    approvals = {"required": 1, "expires": "30m"}
    config = {
        "slack": {"deploys_channel": "C01GEN", "alerts_channel": "C02OPS"},
        "environments": {"staging": {}, "prod": {"approvals": approvals}},
        "access": {"admin": ["U02BOB"], "cli": {getpass.getuser(): "U03CAROL"}},
        "projects": {
            "myapp": {
                "environments": {
                    "staging": _on_kubernetes(platforms, "web", "acme/myapp"),
                    "prod": _on_ecs(platforms),
                }
            },
            "mkt": {"environments": {"prod": _on_kubernetes(platforms, "mkt", "acme/mkt")}},
            "site": {"repository": "acme/site", "environments": {"prod": _ON_FORGE}},
        },
        "components": {"hms-dev": _HMS_DEV},
        "checks": list(checks),
        "errors": {"sources": [_POD_LOGS]},
        "alerts": {
            "escalation": {"after": escalate_after, "channel": "C01GEN", "people": ["U02BOB"]}
        },
        "digest": {"channel": "C02OPS", "at": "09:00", "timezone": "UTC"},
    }
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


API_TOKEN = "sandbox-hms-dev"
_HMS_DEV = {
    "token_sha256": hashlib.sha256(API_TOKEN.encode()).hexdigest(),
    "may": ["read", "events", "deploy:staging", "deploy:prod"],
}
_POD_LOGS = {"target": "myapp/staging", "pods": True, "pattern": "ERROR|Traceback"}


def watch(website: str) -> list[Check]:
    """The page and the errors of myapp in staging, and what ECS says of it in prod; nobody waits long."""
    return [
        {
            "name": "web",
            "target": "myapp/staging",
            "url": f"{website}/healthz",
            "every": "2s",
            "timeout": "1s",
        },
        {
            "name": "errors",
            "target": "myapp/staging",
            "error_rate": "5/1m",
            "every": "5s",
            "failures": 1,
        },
        {"target": "myapp/prod", "every": "5s"},
    ]


def _on_kubernetes(platforms: Platforms, workload: str, image: str) -> dict[str, str]:
    return {
        "provider": "k8s",
        "namespace": "default",
        "workload": f"deployment/{workload}",
        "container": "app",
        "image": f"{platforms.registry.host}/{image}",
        "timeout": "3m",
    }


def _on_ecs(platforms: Platforms) -> dict[str, str]:
    return {
        "provider": "aws",
        "region": platforms.ecs.region,
        "cluster": "main",
        "service": "myapp",
        "container": "app",
        "image": f"{platforms.ecs.registry}/acme/myapp",
        "timeout": "5m",
    }


_ON_FORGE = {
    "provider": "forge",
    "organization": "acme",
    "server": 123,
    "site": 456,
    "branch": "main",
}


def environment(state: Path, platforms: Platforms, slack: LocalSlack, port: int) -> dict[str, str]:
    """What a bot or a command line reads so as to meet the sandbox and nothing else."""
    return {
        "HMS_CONFIG": str(state / "hms.yaml"),
        "HMS_DATABASE_URL": f"sqlite:///{state / 'hms.db'}",
        "HMS_HOST": "127.0.0.1",
        "HMS_PORT": str(port),
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_API_URL": slack.api_url,
        "FORGE_API_TOKEN": platforms.forge.token,
        "FORGE_API_URL": platforms.forge.url,
        "GITHUB_TOKEN": platforms.github.token,
        "GITHUB_API_URL": platforms.github.url,
        "KUBECONFIG": str(platforms.kubernetes.kubeconfig(state / "kubeconfig")),
        "NO_PROXY": "*",
        **platforms.ecs.environment(),
    }


def write_environment(path: Path, variables: dict[str, str]) -> None:
    """A file for `source`, to try the command line and docs/api.md's calls from another terminal."""
    api = {"HMS": f"http://{variables['HMS_HOST']}:{variables['HMS_PORT']}", "TOKEN": API_TOKEN}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in (variables | api).items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
