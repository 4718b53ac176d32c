"""Kubernetes behind the deployment port: resolve, patch, watch, roll back, with the least rights that do.

Import this package only where the adapter is built: it loads the official client. It never deletes,
creates or reads secrets; see docs/kubernetes-rbac.yaml.
"""

from __future__ import annotations

from providers.kubernetes.follower import Patience
from providers.kubernetes.provider import KubernetesProvider

__all__ = ["KubernetesProvider", "Patience"]
