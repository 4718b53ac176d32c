"""The adapter's door for errors: what the API server and the client say, in operations' words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp

from operations.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.redaction import clean
from providers.kubernetes.objects import number, text

RIGHTS_HINT = "Compare the service account's rights with docs/kubernetes-rbac.yaml."
_UNDONE = frozenset({429, 503})
"""With these the server says that it did not begin; other 5xx leave open whether a write happened."""


class Missing(ProviderRejected):
    """404: no such object."""


class Conflict(ProviderRejected):
    """409: the object changed since it was read."""


class LoginRefused(ProviderUnauthorized):
    """401: nothing was done, and a newer login may help."""


class Expired(ProviderUnavailable):
    """410: the history that a watch wanted is gone; list again."""


def from_status(
    status: int, body: str, headers: Mapping[str, str], *, writes: bool
) -> ProviderError:
    """The error for an answer that is no success."""
    message = _sentence(_message(body) or f"HTTP {status}")
    if status == 401:
        return LoginRefused(
            "The Kubernetes cluster does not accept our credentials.",
            hint="Renew the login of this kubeconfig context.",
        )
    if status == 403:
        return ProviderUnauthorized(f"Kubernetes forbids it: {message}", hint=RIGHTS_HINT)
    if status == 404:
        return Missing(f"Kubernetes does not find it: {message}")
    if status == 409:
        return Conflict(f"Somebody else changed it at the same time: {message}")
    if status == 410:
        return Expired(f"The watch is too old: {message}")
    if status in _UNDONE or (status >= 500 and not writes):
        return ProviderUnavailable(
            f"Kubernetes cannot answer now: {message}", retry_after=_seconds(headers)
        )
    if status >= 500:
        return OutcomeUnknown(f"Kubernetes did not say whether the change was made: {message}")
    return ProviderRejected(f"Kubernetes refuses it: {message}")


def from_event(status: object) -> ProviderError:
    """The error for an ERROR event of a watch."""
    code = number(status, "code", default=500)
    return from_status(code, json.dumps(status), {}, writes=False)


@contextmanager
def translating(*, writes: bool) -> Iterator[None]:
    """Turn the client's network errors into operations' errors.

    A write whose connection was never made is known not to have happened; any other is unknown.
    """
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
        raise ProviderUnavailable(
            f"The Kubernetes cluster cannot be reached: {_told(exc)}"
        ) from exc
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        if writes:
            raise OutcomeUnknown(
                f"The change was sent to Kubernetes and no answer came: {_told(exc)}"
            ) from exc
        raise ProviderUnavailable(f"The Kubernetes cluster does not answer: {_told(exc)}") from exc


def _told(exc: BaseException) -> str:
    """Deadlines have no words of their own."""
    if isinstance(exc, TimeoutError):
        return "it took too long."
    return _sentence(clean(str(exc) or type(exc).__name__, limit=300))


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _message(body: str) -> str:
    try:
        status = json.loads(body)
    except ValueError:
        return clean(body, limit=300).strip()
    return clean(text(status, "message"), limit=600)


def _seconds(headers: Mapping[str, str]) -> float | None:
    given = headers.get("Retry-After", "")
    return float(given) if given.isdigit() else None
