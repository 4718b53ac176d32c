"""When a page's TLS certificate ends: told before browsers refuse it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

from operations.durations import say_duration

ENDS_SOON = timedelta(days=3)
"""Renewals by machine happen weeks before; one that has not by now will not without a person."""


def judge_certificate(tls: ssl.SSLObject | None, now: datetime) -> str:
    """What is wrong with the other side's certificate; "" for none or a good one."""
    ends_at = _end_of(tls) if tls is not None else None
    if ends_at is None or ends_at - now >= ENDS_SOON:
        return ""
    return f"its certificate ends in {say_duration(ends_at - now)}"


def _end_of(tls: ssl.SSLObject) -> datetime | None:
    certificate = tls.getpeercert()
    told = certificate.get("notAfter") if certificate else None
    if not isinstance(told, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC)
