"""A stand-in for AWS ECS: moto's server with services that behave as the real ones do.

moto keeps task definitions, ECR, CloudWatch logs and STS; services, tasks, deployments, events and
service deployments live here, as moto's services never start a task. Only the demo and tests use it.
"""

from __future__ import annotations

from sandbox.ecs.server import EcsStandIn

__all__ = ["EcsStandIn"]
