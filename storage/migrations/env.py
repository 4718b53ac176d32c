"""Run by Alembic. `storage.migration` hands the connection over, with the lock already taken."""

from __future__ import annotations

from alembic import context

from storage.schema import METADATA

# The connection is in the caller's transaction, which holds every step.
context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
