"""What the switchover from HMS-OPS and the second look at monitoring added.

Written out, not taken from `storage.schema`: that file moves on, this one says what was released.
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Give what is there its new columns."""
