"""Alembic's scripts, packaged; `storage.migration` runs them. A script never changes once released."""
