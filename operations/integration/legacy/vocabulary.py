"""How people spelt HMS-OPS's keys: the one table of words, to which a new spelling is added.

Words are plain keys (`spelling.plain_key`): case, dashes, dots and humps make no difference. What a word
means where it stands is `shapes`' and `targets`'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PROVIDERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("forge", "laravel_forge", "laravelforge", "laravel", "forge_laravel", "laravel_forge_api"),
        "forge",
    ),
    **dict.fromkeys(
        ("aws", "ecs", "aws_ecs", "ecs_fargate", "fargate", "aws_fargate", "aws_ecs_fargate",
         "amazon_ecs", "amazon", "elastic_container_service"),
        "aws",
    ),
    **dict.fromkeys(
        ("k8s", "k8", "kubernetes", "kubectl", "kube", "k3s", "eks", "aws_eks", "gke", "aks",
         "openshift", "kubernetes_cluster"),
        "k8s",
    ),
}  # fmt: skip
"""What people called a platform, and its word in `hms.yaml`."""

PROVIDER_WORDS = ("provider", "platform", "deploy_platform", "target_platform", "deployment_platform",
                  "cloud", "hosting", "host_type", "deploy_to", "deployer", "deploy_provider")  # fmt: skip
LOOSE_PROVIDER_WORDS = (
    "type", "kind", "deploy_type", "deployment_type", "deploy_method", "method", "target_type",
    "via", "driver", "backend", "strategy", "target",
)  # fmt: skip
"""These may say something else as well: a word that names no platform is not held against them."""

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "forge": ("forge", "laravel_forge", "laravel"),
    "aws": ("ecs", "aws.ecs", "aws", "fargate", "ecr"),
    "k8s": ("k8s", "kubernetes", "kubectl", "kube"),
}
"""Objects, and beginnings of keys, that hold what is of one platform."""

PROJECTS = ("projects", "apps", "applications", "services", "sites", "deployments", "targets",
            "components", "microservices", "workloads", "products", "project_list", "app_list")  # fmt: skip
PROJECT = ("project", "app", "application")
"""One project alone: its name, or an object."""
PROJECT_NAMES = ("project_name", "app_name", "application_name", "project.name", "app.name",
                 "application.name", "project", "app", "application", "name", "project_id",
                 "app_id")  # fmt: skip
WRAPPERS = frozenset(
    ("config", "configuration", "settings", "hms_ops", "hmsops", "hms", "ops", "providers", "platforms",
     "clouds", "defaults", "default", "common", "global", "globals", "shared")
)  # fmt: skip
"""Objects at the top that only gather: what is in them holds for the whole file."""
SECTION_PROJECTS: Mapping[str, tuple[str, ...]] = {
    "forge": ("sites", "projects", "apps", "applications"),
    "aws": ("services", "projects", "apps", "applications"),
    "k8s": ("deployments", "workloads", "apps", "applications", "services", "projects"),
}
"""Lists of what is deployed, within a platform's section."""

ENVIRONMENTS = ("environments", "envs", "stages", "tiers")
ENVIRONMENT = ("environment", "env", "stage", "tier", "environment_name", "env_name", "default_environment",
               "target_environment", "deploy_environment", "app_env")  # fmt: skip

_ENVIRONMENT_NAMES: Mapping[str, tuple[str, ...]] = {
    "production": ("production", "prod", "prd", "live"),
    "staging": ("staging", "stage", "stg", "stag"),
    "development": ("development", "develop", "dev"),
    "testing": ("testing", "test", "tst", "qa", "uat", "acceptance", "integration"),
    "preview": ("preview", "demo", "sandbox", "canary", "beta"),
    "preproduction": ("preprod", "preproduction", "pre_prod", "pre_production"),
    "local": ("local",),
}
_CANONICAL = {word: name for name, words in _ENVIRONMENT_NAMES.items() for word in words}
ENVIRONMENT_WORDS = frozenset(_CANONICAL)


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a target needs: `names` by themselves, or within `sections`, joined or nested."""

    names: tuple[str, ...]
    sections: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The bare ones first: what stands nearest is asked for first anyway."""
        named = (*self.names, *(f"default_{name}" for name in self.names))
        within = (f"{section}.{name}" for section in self.sections for name in named)
        return (*named, *within)

    @property
    def maps(self) -> tuple[str, ...]:
        """Where one value for each environment or project may stand: `contexts: {staging: …}`."""
        return tuple(f"{spelling}s" for spelling in self.spellings)


_FORGE, _AWS, _K8S = SECTIONS["forge"], SECTIONS["aws"], SECTIONS["k8s"]
_IMAGES = ("image", "image_name", "image_repository", "image_repo", "image_url", "image_uri", "docker_image",
           "docker_repository", "container_image", "repository_uri", "repository_url", "ecr_repository",
           "ecr_repo", "ecr_uri", "ecr_image", "registry_image")  # fmt: skip
_CONTAINERS = ("container", "container_name")

SERVER = Word(("server_id", "server", "server_name"), _FORGE)
SITE = Word(("site_id", "site", "site_name"), _FORGE)
ORGANIZATION = Word(("organization", "organisation", "org", "organization_slug"), _FORGE)
BRANCH = Word(("branch", "deploy_branch", "git_branch", "git.branch", "deployment_branch"), _FORGE)

REGION = Word(("region", "aws_region", "region_name"), _AWS)
CLUSTER = Word(("cluster", "cluster_name", "cluster_arn"), _AWS)
SERVICE = Word(("service", "service_name", "service_arn"), _AWS)
PROFILE = Word(("profile", "profile_name"), _AWS)
AWS_CONTAINER = Word(_CONTAINERS, _AWS)
AWS_IMAGE = Word((*_IMAGES, "repository_name"), _AWS)

CONTEXT = Word(("context", "context_name", "kube_context", "cluster_context"), _K8S)
NAMESPACE = Word(("namespace", "ns", "namespace_name"), _K8S)
K8S_CONTAINER = Word(_CONTAINERS, _K8S)
K8S_IMAGE = Word(_IMAGES, _K8S)
WORKLOADS: Mapping[str, Word] = {
    "deployment": Word(("deployment", "deployment_name", "deploy_name"), _K8S),
    "statefulset": Word(("statefulset", "statefulset_name", "stateful_set", "stateful_set_name"), _K8S),
    "daemonset": Word(("daemonset", "daemonset_name", "daemon_set", "daemon_set_name"), _K8S),
}  # fmt: skip
WORKLOAD = Word(("workload", "workload_name", "resource", "resource_name"), _K8S)

NEEDED: Mapping[str, tuple[str, ...]] = {
    "forge": Word(("site_id", "site"), _FORGE).spellings,
    "aws": Word(("cluster", "cluster_name", "cluster_arn", "service_name", "service_arn"), _AWS).spellings
    + Word(("service",), _AWS).spellings[2:],
    "k8s": tuple(spelling for word in WORKLOADS.values() for spelling in word.spellings)
    + Word(("workload",), _K8S).spellings,
}  # fmt: skip
"""What no target of a platform can do without, where there is one target only."""

TELLTALES: Mapping[str, tuple[str, ...]] = {
    "forge": ("site_id", "forge.site_id", "forge.site", "site", "forge_site", "server_id"),
    "aws": ("ecs_service", "ecs.service", "task_definition", "task_family", "ecs_cluster", "ecs.cluster",
            "cluster", "cluster_name", "cluster_arn", "service_name", "service_arn", "ecr_repository"),
    "k8s": ("deployment", "deployment_name", "workload", "statefulset", "daemonset", "namespace",
            "kubernetes.deployment", "k8s.deployment", "k8s_deployment", "kube_context", "kubectl_context",
            "k8s_context", "k8s_namespace", "kubernetes_namespace"),
}  # fmt: skip
"""Keys by which a platform is known where none is named; the one with the most of them it is."""

HEALTH_URL = ("health_url", "health_check_url", "health_check", "healthcheck_url", "healthcheck",
              "health_endpoint", "status_url", "check_url", "ping_url", "uptime_url", "monitor_url",
              "monitoring_url", "health.url", "health_check.url", "healthcheck.url", "monitor.url",
              "monitoring.url", "health.endpoint", "url", "app_url", "site_url", "base_url",
              "endpoint")  # fmt: skip
REPOSITORY = ("repository", "repo", "repo_url", "git_repository", "git_repo", "git_url", "git", "github",
              "github_repo", "github_repository", "git.url", "git.repo", "source")  # fmt: skip
TIMEOUT = (
    "timeout",
    "deploy_timeout",
    "deployment_timeout",
    "deploy.timeout",
    "max_wait",
    "wait_timeout",
)
INTERVAL = ("interval", "check_interval", "monitor_interval", "monitor.interval", "monitoring.interval",
            "monitoring.check_interval", "monitor.check_interval", "monitor.every", "monitoring.every",
            "monitoring_interval", "health_check_interval", "status_interval", "poll_interval")  # fmt: skip
FAILURES = ("alert_after", "monitor.alert_after", "monitoring.alert_after", "failure_threshold",
            "monitoring.failure_threshold", "monitor.failure_threshold", "max_failures",
            "monitoring.max_failures", "monitor.max_failures")  # fmt: skip
ENDPOINTS = ("monitoring.endpoints", "monitor.endpoints", "endpoints", "monitoring.urls", "monitor.urls",
             "health_checks", "monitoring.checks", "monitor.checks", "monitoring.targets", "monitor.targets",
             "health_urls", "status_urls", "monitoring.health_checks")  # fmt: skip
EXPECT = ("expect_status", "expected_status", "expect", "status_code", "expected_code", "status")

_UNITS = {"": 1.0, "_seconds": 1.0, "_secs": 1.0, "_sec": 1.0, "_s": 1.0, "_in_seconds": 1.0,
          "_minutes": 60.0, "_mins": 60.0, "_min": 60.0, "_m": 60.0, "_hours": 3600.0,
          "_ms": 0.001, "_millis": 0.001, "_milliseconds": 0.001}  # fmt: skip


def timed(names: tuple[str, ...]) -> dict[str, float]:
    """Each name with each unit that may stand at its end, and how many seconds that is."""
    return {f"{name}{end}": factor for name in names for end, factor in _UNITS.items()}


def environment_kind(name: str) -> str:
    """`production` for `prod`, `live`, `PRD-2`; "" for what is no usual name of an environment."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if plain in _CANONICAL:
        return _CANONICAL[plain]
    parts = [part.rstrip("0123456789") for part in plain.split("_")]
    return next((_CANONICAL[part] for part in parts if part in _CANONICAL), "")


def same_environment(first: str, second: str) -> bool:
    """`prod` and `production` are one, `staging` and `staging-2` are two."""
    one, other = first.strip().lower(), second.strip().lower()
    return one == other or (one in _CANONICAL and _CANONICAL[one] == _CANONICAL.get(other))


def split_name(name: str) -> tuple[str, str]:
    """`shop-production` to `shop` and `production`; the second is "" when no environment ends the name."""
    found = re.fullmatch(r"(.+?)[-_./: ]([A-Za-z_]+)", name.strip())
    if found and found[2].lower() in ENVIRONMENT_WORDS:
        return found[1], found[2]
    humps = re.fullmatch(r"(.+[a-z0-9])([A-Z][a-z]+)", name.strip())
    if humps and humps[2].lower() in ENVIRONMENT_WORDS:
        return humps[1], humps[2].lower()
    return name, ""


SPEECH = frozenset(
    ("slack", "email", "mail", "smtp", "monitor", "monitoring", "health", "health_check", "healthcheck",
     "health_checks", "notifications", "notify", "notification", "approvals", "logs", "logging", "log",
     "cron", "schedule", "github", "git", "alerts", "alerting", "defaults", "hooks", "image", "variables",
     "env_vars",     "secrets", "credentials", "webhooks", "options", "settings", "ecr", "docker", "registry")
)  # fmt: skip
"""Objects that are no project and no environment, whatever they hold."""

_WORDS = (
    SERVER, SITE, ORGANIZATION, BRANCH, REGION, CLUSTER, SERVICE, PROFILE, AWS_CONTAINER, AWS_IMAGE, CONTEXT,
    NAMESPACE, K8S_CONTAINER, K8S_IMAGE, WORKLOAD, *WORKLOADS.values(),
)  # fmt: skip
TARGET_KEYS = frozenset(name for word in _WORDS for name in word.names if "." not in name)
KNOWN_KEYS = frozenset(
    {*TARGET_KEYS, *PROVIDER_WORDS, *PROJECTS, *PROJECT, *ENVIRONMENTS, *ENVIRONMENT, *HEALTH_URL,
     *REPOSITORY, *TIMEOUT, *INTERVAL, *FAILURES, *SPEECH}
    | {section for words in SECTIONS.values() for section in words}
)  # fmt: skip
"""Single keys that are read somewhere."""
