"""Run by Alembic. `storage.migration` hands the connection over, with the lock already taken."""

from __future__ import annotations

from alembic import context

from storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=False,  # the caller's one transaction holds everything
)
context.run_migrations()
