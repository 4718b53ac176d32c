"""Whether a body is signed with a secret that only its sender and we know."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Signature:
    """HMAC-SHA256 of the body's bytes, in hexadecimal digits, in a header of this name."""

    header: str
    secret: str = field(repr=False)

    def fits(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """In constant time; none at all fits nothing."""
        given = headers.get(self.header, "").encode("utf-8", "surrogateescape")
        own = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(given, own.encode())
