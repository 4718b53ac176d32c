"""The one place that builds HTTP clients: deadlines on every phase, no redirects, no secrets in logs."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import httpx

_AGENT = "hms-sys"


class _WithoutQuery(logging.Filter):
    """httpx logs each URL at INFO; a deploy hook's query is its password."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                str(a.copy_with(query=None)) if isinstance(a, httpx.URL) else a for a in record.args
            )
        return True


def build_client(
    *,
    base_url: str = "",
    headers: Mapping[str, str] | None = None,
    deadline: float,
    connect: float = 3.0,
    proxy: str | None = None,
) -> httpx.AsyncClient:
    """A client whose every wait is bounded; `deadline` and `connect` are seconds.

    `proxy`: None for those that the environment names, "" for none at all, else this one.
    Redirects are answers, not invitations: following one would send a token to another host.
    """
    logger = logging.getLogger("httpx")
    if not any(isinstance(f, _WithoutQuery) for f in logger.filters):
        logger.addFilter(_WithoutQuery())
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"User-Agent": _AGENT, **(headers or {})},
        timeout=httpx.Timeout(deadline, connect=min(connect, deadline)),
        follow_redirects=False,
        trust_env=proxy is None,
        proxy=proxy or None,
        # As always: the authorities of the environment too.
        verify=httpx.create_ssl_context(),
    )


NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures after which it is certain that the other side heard nothing."""
