"""Every way that the Apprise library knows (PagerDuty, Teams, Telegram, …), by its URL.

The library is heavy and is imported when the first such way is configured. It says no more than yes or no,
and logs the reason: that is caught here, without what the URL keeps secret. Its log goes nowhere else, as it
quotes URLs.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import warnings
from typing import TYPE_CHECKING

from pydantic import SecretStr

from operations.errors import InvalidRequest, OutcomeUnknown, ProviderUnavailable
from operations.letters import Letter, Tone
from operations.redaction import clean

if TYPE_CHECKING:
    from apprise import Apprise

_HEARD: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("heard", default=None)
_BODY_LIMIT = 4000
_SECRET_LENGTH = 6


class NotifyCourier:
    """Implements `operations.letters.Courier`. `name` is what the configuration calls it."""

    def __init__(self, name: str, url: SecretStr, *, seconds: float = 25.0) -> None:
        """Raises InvalidRequest, which does not quote it, when the URL is none that Apprise knows."""
        self._name = name
        self._seconds = seconds
        self._secrets = _secret_parts(url.get_secret_value())
        self._apprise = _open(url.get_secret_value())

    async def send(self, letter: Letter) -> None:
        """Hand it to the service. The library's own threads cannot be stopped: one that hangs goes on."""
        heard: list[str] = []
        token = _HEARD.set(heard)
        try:
            async with asyncio.timeout(self._seconds):
                was_taken = await asyncio.to_thread(self._notify, letter)
        except TimeoutError as exc:
            raise OutcomeUnknown(f"{self._name} did not answer in {self._seconds:.0f} s.") from exc
        finally:
            _HEARD.reset(token)
        if not was_taken:
            why = f": {self._unsecret(heard[-1])}" if heard else "."
            raise ProviderUnavailable(f"{self._name} did not take it{why}")

    def _notify(self, letter: Letter) -> bool:
        from apprise import NotifyFormat, NotifyType

        types = {Tone.BAD: NotifyType.FAILURE, Tone.GOOD: NotifyType.SUCCESS}
        return bool(
            self._apprise.notify(
                title=letter.title,
                body=letter.text[:_BODY_LIMIT],
                notify_type=types.get(letter.tone, NotifyType.INFO),
                body_format=NotifyFormat.TEXT,
                interpret_escapes=False,
            )
        )

    def _unsecret(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return clean(text, limit=200)


class _Ear(logging.Handler):
    """Keeps what is logged within a delivery, and drops all else."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _HEARD.get()
        if heard is not None:
            heard.append(record.getMessage())


def _open(url: str) -> Apprise:
    with warnings.catch_warnings():
        # The first URL loads its plugins; that of mail still takes `imghdr` from the standard library.
        warnings.simplefilter("ignore", DeprecationWarning)
        from apprise import Apprise, AppriseAsset

        _listen()
        # One URL alone, and in the one thread that hears what the library logs.
        opened = Apprise(asset=AppriseAsset(app_id="HMS-SYS", async_mode=False))
        is_known = bool(url) and opened.add(url) and len(opened) == 1
    if not is_known:
        raise InvalidRequest("is not a URL that the Apprise library knows, or it lacks a part")
    return opened


def _listen() -> None:
    """In place of every other handler: what it logs below a warning is whole URLs."""
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    log.propagate = False
    if not any(isinstance(handler, _Ear) for handler in log.handlers):
        log.handlers = [_Ear()]


def _secret_parts(url: str) -> list[str]:
    """All of the URL but its scheme, longest first: which part is secret differs from service to service."""
    rest = url.partition("://")[2]
    parts = {rest, *re.split(r"[/:@?&=#]+", rest)}
    return sorted((p for p in parts if len(p) >= _SECRET_LENGTH), key=len, reverse=True)
