"""A digest as it is stored: a versioned document that newer code still reads.

Fields may be added with a default; what an older version wrote lacks them, and what a newer one wrote beyond
them is passed over.
"""

from __future__ import annotations

import json

from pydantic import TypeAdapter, ValidationError

from operations.errors import StorageError
from operations.monitoring.digest.digest import Digest

VERSION = 1
_DIGEST: TypeAdapter[Digest] = TypeAdapter(Digest)


def write_document(digest: Digest) -> str:
    """Compact JSON; times and spans of time in ISO 8601."""
    body = _DIGEST.dump_python(digest, mode="json")
    return json.dumps(
        {"version": VERSION, "digest": body}, ensure_ascii=False, separators=(",", ":")
    )


def read_document(text: str) -> Digest:
    """Raises StorageError for what no version has written."""
    try:
        document = json.loads(text)
        return _DIGEST.validate_python(document["digest"])
    except (ValueError, KeyError, TypeError, ValidationError) as exc:
        raise StorageError("A stored digest cannot be read.") from exc
