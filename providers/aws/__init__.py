"""AWS ECS behind operations' port of deployment platforms.

`provider` is the door; `gateway` is the only module that calls boto3. Rolling updates by ECS's own
controller are supported; CodeDeploy and external controllers are refused with a clear word.
Imported lazily by `bot.bootstrap`, as boto3 is slow to import.
"""

from __future__ import annotations

from providers.aws.provider import EcsProvider

__all__ = ["EcsProvider"]
