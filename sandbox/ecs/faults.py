"""What goes wrong on demand: throttling, outages, slowness, lost answers, missing rights."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

SERVICE_DEPLOYMENT_CALLS = frozenset(
    {
        "ListServiceDeployments",
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "StopServiceDeployment",
    }
)


@dataclass(slots=True)
class Faults:
    """The knobs. `latency` is in seconds and holds for every answer."""

    down: bool = False
    latency: float = 0.0
    denied: frozenset[str] = frozenset()
    _throttled: Counter[str] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def throttle(self, requests: int, operation: str = "") -> None:
        """Answer the next calls of ECS, or of one operation, with ThrottlingException."""
        with self._lock:
            self._throttled[operation] = requests

    def lose_answer(self, operation: str) -> None:
        """Apply the next `operation`, then hang up without an answer."""
        with self._lock:
            self._lost[operation] += 1

    def deny_service_deployments(self) -> None:
        """From now on the account may not use the service deployments API."""
        self.denied = SERVICE_DEPLOYMENT_CALLS

    def take_throttle(self, operation: str) -> bool:
        """Whether this call is to be throttled."""
        return self._take(self._throttled, operation) or self._take(self._throttled, "")

    def take_loss(self, operation: str) -> bool:
        """Whether this call's answer is to be lost."""
        return self._take(self._lost, operation)

    def _take(self, left: Counter[str], name: str) -> bool:
        with self._lock:
            if left[name] == 0:
                return False
            left[name] -= 1
            return True
