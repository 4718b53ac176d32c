"""The API server's errors: `Status` objects with the codes, reasons and sentences that the real one uses."""

from __future__ import annotations

from aiohttp import web

from sandbox.kubernetes.objects import Json

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def status(self) -> Json:
        """The `Status` object."""
        told: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": _REASONS.get(self.code, "InternalError"),
            "code": self.code,
        }
        return {**told, "details": self.details} if self.details else told

    def response(self) -> web.Response:
        """The answer over HTTP."""
        headers = {"Retry-After": "1"} if self.code == 429 else {}
        return web.json_response(self.status(), status=self.code, headers=headers)


def not_found(resource: str, name: str) -> ApiError:
    """404 for an object."""
    group = "" if resource in ("pods", "events") else "apps"
    title = f"{resource}.{group}" if group else resource
    details = {"name": name, "kind": resource} | ({"group": group} if group else {})
    return ApiError(404, f'{title} "{name}" not found', details)


def conflict(resource: str, name: str) -> ApiError:
    """409 for a stale resourceVersion."""
    return ApiError(
        409,
        f'Operation cannot be fulfilled on {resource}.apps "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
    )


def expired(version: int, oldest: int) -> ApiError:
    """410 for a watch from before the kept history."""
    return ApiError(410, f"too old resource version: {version} ({oldest})")
