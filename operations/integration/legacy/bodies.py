"""What the functions of a shell tool do, as far as their bodies leave no doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from operations.integration.legacy.functions import find_cover
from operations.integration.legacy.programs import Look, is_builtin
from operations.integration.legacy.script import Script

_SHOWN = 3
_PLATFORMS: Mapping[str, str] = {
    "kubectl": "what it calls: deploy and status, on targets with `provider: k8s`",
    "aws": "what it calls: deploy and status, on targets with `provider: aws`",
}


@dataclass(frozen=True)
class Bodies:
    """`looks` are the programs in whose place HMS-SYS does nothing."""

    scripts: Collection[Script]
    looks: Sequence[Look]

    @cached_property
    def _calls(self) -> Mapping[str, Sequence[str]]:
        calls: dict[str, list[str]] = {}
        for script in self.scripts:
            for call in script.calls:
                calls.setdefault(call.function, []).append(call.words[0].rpartition("/")[2])
        return calls

    @cached_property
    def _functions(self) -> frozenset[str]:
        return frozenset(each.name for script in self.scripts for each in script.functions)

    def cover(self, function: str) -> str:
        """By what it calls, when that is a platform or functions that are covered, and nothing else.

        "" as soon as there is one call of something else: what it is for is anybody's guess.
        """
        calls = [name for name in self._calls.get(function, ()) if not is_builtin(name)]
        if self._strange(function) or not calls:
            return ""
        own = [name for name in calls if name in self._functions and find_cover(name)]
        if rest := {name for name in calls if name not in own}:
            return _PLATFORMS.get(rest.pop(), "") if len(rest) == 1 else ""
        return f"what it calls: {', '.join(_few(own))}"

    def programs(self, function: str) -> Sequence[str]:
        """The first few that say what it does."""
        strange = self._strange(function)
        plain = (name for name in self._calls.get(function, ()) if not is_builtin(name))
        return _few(strange or plain)

    def _strange(self, function: str) -> list[str]:
        return [look.program for look in self.looks if look.function == function]


def _few(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))[:_SHOWN]
