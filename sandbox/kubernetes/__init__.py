"""A Kubernetes API server with controllers, small enough for a test and true enough for the real adapter.

It speaks the wire protocol that the adapter uses (get, list, watch, the three kinds of patches, logs) and
rolls Deployments, StatefulSets and DaemonSets over in time. It imports nothing of the product.
"""

from __future__ import annotations

from sandbox.kubernetes.standin import KubernetesStandIn

__all__ = ["KubernetesStandIn"]
