"""What HMS-OPS's commands are called in HMS-SYS, for the wrapper and for the files that call it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

COMMANDS = ("deploy", "status", "monitor", "errors", "logs", "help")
"""What HMS-OPS could do. HMS-SYS has each under the same name."""

_PROVIDERS = frozenset({"forge", "aws", "ecs", "k8s", "kubernetes"})


def renamed(words: Sequence[str]) -> list[str]:
    """The words of a call as HMS-SYS takes them.

    HMS-OPS's `logs` by itself were those of its deployments; a number at its end said how many lines.
    """
    if not words or words[0] != "logs":
        return list(words)
    rest = list(words[2:] if words[1:2] and words[1] in _PROVIDERS else words[1:])
    count = rest.pop() if rest and _is_count(rest[-1]) else ""
    if not rest:
        return ["history", *(["--limit", count] if count else [])]
    if len(words) - len(rest) == 1:
        return list(words)
    return ["logs", *rest, *(["--lines", count] if count else [])]


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdecimal()
