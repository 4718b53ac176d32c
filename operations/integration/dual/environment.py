"""Which variables of the bot's environment HMS-OPS gets: what programs need to run, and what is named.

The bot's own secrets stay with the bot: HMS-OPS reads its own from its configuration, and whatever else it
starts would inherit them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_USUAL = re.compile(
    r"""
    PATH | HOME | USER | LOGNAME | SHELL | TMPDIR | TZ | LANG | LANGUAGE | LC_\w+
    | SSH_AUTH_SOCK | SSL_CERT_(?:FILE|DIR) | (?:HTTPS?|NO|ALL)_PROXY | (?:https?|no|all)_proxy
    | KUBECONFIG | KUBERNETES_(?:SERVICE|PORT)_?\w* | AWS_\w+
    """,
    re.VERBOSE,
)
_OF_CREDENTIALS = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
_SHORTEST = 6
"""Shorter values are words and numbers: masking them would make output unreadable and hide nothing."""


def choose_environment(environ: Mapping[str, str], named: Collection[str]) -> dict[str, str]:
    """What HMS-OPS runs with. A variable of HMS-SYS or Slack is handed on only when it is named."""
    return {
        name: value
        for name, value in environ.items()
        if name in named or _USUAL.fullmatch(name) is not None
    }


def secrets_of(environ: Mapping[str, str], named: Collection[str]) -> tuple[str, ...]:
    """Values that must not be shown should HMS-OPS print them: those named, and AWS's credentials."""
    names = sorted({*named, *_OF_CREDENTIALS})
    values = (environ.get(name, "") for name in names)
    return tuple(value for value in values if len(value) >= _SHORTEST)
