"""Every error that this product raises on purpose, in one tree.

    OperationError                  message for people, hint: what to do next
    ├ Refused                       the person can act; never retried; shown as it is
    │   ├ InvalidRequest            bad words or values (exit 2)
    │   │   ├ UnknownTarget         no such project or environment
    │   │   ├ UnknownRollout        no such rollout
    │   │   └ UnknownAlert          no such alert
    │   ├ NotPermitted              the actor may not do this
    │   ├ StaleDecision             somebody else decided first, or it has ended
    │   └ Blocked                   a lock or a window stands in the way
    ├ ProviderError                 the outside world; cause chained; vendor's text cut and redacted
    │   ├ ProviderUnavailable       down, slow or throttling: a retry may help
    │   ├ ProviderRejected          it said no: a retry will not help
    │   ├ ProviderUnauthorized      our credentials are not enough
    │   └ OutcomeUnknown            sent, no answer: look before anything is tried again
    ├ Overloaded                    too much at once: the same again a little later may do
    └ StorageError
        ├ StorageUnavailable        the database cannot be reached
        ├ VersionConflict           the row changed under us
        └ LeaseLost                 another worker took over: stop at once

Anything else that is raised is a bug: it is logged with a short reference and only the reference is
shown.
"""

from __future__ import annotations


class OperationError(Exception):
    """Root of the tree. `message` is one sentence for people; `hint` says what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(OperationError):
    """The request was understood and the answer is no."""


class InvalidRequest(Refused):
    """The words or values of the request make no sense here."""


class UnknownTarget(InvalidRequest):
    """No such project or environment is configured."""


class UnknownRollout(InvalidRequest):
    """No rollout has this id."""


class UnknownAlert(InvalidRequest):
    """No alert has this id."""


class NotPermitted(Refused):
    """This actor may not do this."""


class StaleDecision(Refused):
    """The question was decided, or the rollout ended, before this answer came."""


class Blocked(Refused):
    """A lock, a window or the target's state stands in the way for now."""


class ProviderError(OperationError):
    """A platform failed us. Adapters raise it from the vendor's exception."""


class ProviderUnavailable(ProviderError):
    """Down, slow or throttling. `retry_after` is in seconds, when the platform said so."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ProviderRejected(ProviderError):
    """The platform refused the request as such: repeating it cannot help."""


class ProviderUnauthorized(ProviderError):
    """The platform does not accept our credentials, or they lack a right."""


class OutcomeUnknown(ProviderError):
    """A change was sent and no answer came: it may or may not have happened."""


class Overloaded(OperationError):
    """More came in than can be kept. `retry_after` is in seconds."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class StorageError(OperationError):
    """The database failed us."""


class StorageUnavailable(StorageError):
    """The database cannot be reached or is too busy: a retry may help."""


class VersionConflict(StorageError):
    """The row was changed by somebody else since it was read."""


class LeaseLost(StorageError):
    """The rollout's lease belongs to another worker now; this one must not write."""
