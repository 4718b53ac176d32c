"""The configurations and environments that lead measured bots to stand-ins and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bench.load import SECRET
from bench.slack import BOT_TOKEN

_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "nowhere", "user": {"token": "made-up"}}],
    "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nowhere"}}],
    "current-context": "nowhere",
}


def write_config(
    path: Path, projects: Mapping[str, Mapping[str, object]], *, votes: int = 0
) -> None:
    """An hms.yaml whose projects have one environment, prod, which asks for so many votes."""
    rules = {"approvals": {"required": votes}} if votes else {}
    config = {
        "slack": {"deploys_channel": "C01GEN"},
        "environments": {"prod": rules},
        "projects": {name: {"environments": {"prod": part}} for name, part in projects.items()},
    }
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML


def kubernetes_part(workload: str) -> dict[str, object]:
    """A target's part of hms.yaml."""
    return {"provider": "k8s", "workload": f"deployment/{workload}"}


def bot_variables(place: Path, api_url: str, port: int) -> dict[str, str]:
    """HTTP mode; the configuration, the database and a kubeconfig to nowhere are in `place`."""
    kubeconfig = place / "kubeconfig"
    kubeconfig.write_text(json.dumps(_KUBECONFIG), encoding="utf-8")
    return {
        "HMS_CONFIG": str(place / "hms.yaml"),
        "HMS_DATABASE_URL": f"sqlite:///{place / 'hms.db'}",
        "HMS_PORT": str(port),
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": api_url,
        "KUBECONFIG": str(kubeconfig),
    }
