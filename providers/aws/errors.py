"""AWS's errors as operations' own, at the one door through which they come.

The difference that matters: a change that was sent without an answer is OutcomeUnknown and never
repeated; one that was refused or never left is safe to say so.
"""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSOError,
)

from operations.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.redaction import clean

THROTTLED = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthFailure",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "OptInRequired",
    }
)
NOT_OFFERED = frozenset(
    {"UnknownOperationException", "InvalidAction", "UnsupportedFeatureException", "500", "501"}
)
"""Codes of an endpoint that lacks an operation; a bare 500 is a stand-in's, AWS names its own."""

_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    SSOError,
)
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_LONGEST = 600


def code_of(error: BaseException | None) -> str:
    """AWS's error code, "" for anything else; looks at the cause of our own errors."""
    if isinstance(error, ProviderError):
        error = error.__cause__
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def translate(error: ClientError | BotoCoreError, doing: str, *, change: bool) -> ProviderError:
    """Our error for AWS's. `doing` is a phrase: "read the service"; `change`: it was not a read."""
    if isinstance(error, ClientError):
        return _translate_answer(error, doing, change=change)
    text = clean(str(error), limit=_LONGEST)
    if isinstance(error, _NO_CREDENTIALS):
        return ProviderUnauthorized(
            _sentence(f"There are no usable AWS credentials to {doing}", text),
            hint="Check the profile, the role or the AWS_* variables of the service.",
        )
    if isinstance(error, ParamValidationError):
        return ProviderRejected(_sentence(f"AWS cannot be asked to {doing}", text))
    if change and not isinstance(error, _NEVER_SENT):
        return OutcomeUnknown(_sentence(f"AWS was asked to {doing} and gave no answer", text))
    return ProviderUnavailable(_sentence(f"AWS cannot be reached to {doing}", text))


def _translate_answer(error: ClientError, doing: str, *, change: bool) -> ProviderError:
    code = code_of(error)
    text = clean(str(error.response.get("Error", {}).get("Message", "")), limit=_LONGEST)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in THROTTLED:
        return ProviderUnavailable(f"AWS throttles requests to {doing}.", retry_after=5.0)
    if code in DENIED:
        return ProviderUnauthorized(
            _sentence(f"AWS does not let us {doing}", text or code),
            hint="docs/ecs-iam-policy.json lists the rights that are needed.",
        )
    if status >= 500 or code in {"ServerException", "InternalFailure", "ServiceUnavailable"}:
        if change:
            return OutcomeUnknown(
                _sentence(f"AWS failed while it was asked to {doing}", text or code)
            )
        return ProviderUnavailable(_sentence(f"AWS failed to {doing}", text or code))
    return ProviderRejected(_sentence(f"AWS refused to {doing}", text or code))


def _sentence(what: str, text: str) -> str:
    """One sentence of ours with AWS's words in it."""
    words = " ".join(text.split()).rstrip(".")
    return f"{what}: {words}." if words else f"{what}."
