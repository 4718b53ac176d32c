"""When a page's TLS certificate ends: told before browsers refuse it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import httpx

from operations.durations import say_duration

ENDS_SOON = timedelta(days=3)
"""Renewals by machine happen weeks before; one that has not by now will not without a person."""


def judge_certificate(response: httpx.Response, now: datetime) -> str:
    """What is wrong with the certificate of an answer that is still being read; "" for none or a good one."""
    ends_at = _end_of(response)
    if ends_at is None or ends_at - now >= ENDS_SOON:
        return ""
    return f"its certificate ends in {say_duration(ends_at - now)}"


def _end_of(response: httpx.Response) -> datetime | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = tls.getpeercert() if isinstance(tls, ssl.SSLObject | ssl.SSLSocket) else None
    told = certificate.get("notAfter") if certificate else None
    if not isinstance(told, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC)
