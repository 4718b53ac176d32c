"""Reading a request's parameters as ECS does: what is missing, too long or not understood is refused."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.ecs.model import Breaker
from sandbox.ecs.moto_app import Json


class ApiError(Exception):
    """An error answer of ECS."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def only(params: Json, understood: str) -> None:
    unknown = set(params) - set(understood.split())
    if unknown:
        raise ApiError(
            "UnsupportedFeatureException",
            f"The stand-in does not know the parameters {', '.join(sorted(unknown))}.",
        )


def required(params: Json, name: str) -> str:
    if not params.get(name):
        raise ApiError("InvalidParameterException", f"{name} cannot be empty.")
    return str(params[name])


def limited(params: Json, name: str, most: int) -> list[str]:
    values: list[str] = params.get(name) or []
    if not 1 <= len(values) <= most:
        raise ApiError("InvalidParameterException", f"{name} must have 1 to {most} elements.")
    return values


def last(arn: str) -> str:
    return arn.rpartition("/")[2]


def page(params: Json, name: str, rows: Iterable[object], *, default: int) -> Json:
    everything = list(rows)
    start = int(params.get("nextToken") or 0)
    end = start + int(params.get("maxResults") or default)
    answer: Json = {name: everything[start:end]}
    if end < len(everything):
        answer["nextToken"] = str(end)
    return answer


def breaker_from(params: Json, present: Breaker) -> Breaker:
    given = params.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker")
    if given is None:
        return present
    threshold = given.get("thresholdConfiguration", {})
    by_count = threshold.get("type") == "COUNT"
    return Breaker(
        enable=given["enable"],
        rollback=given["rollback"],
        count=threshold["value"] if by_count else None,
        percent=50 if by_count else threshold.get("value", 50),
    )
