"""Operations' ports in SQL: the embedded SQLite and PostgreSQL behind the same statements.

`database.open_database` is the way in; it migrates the schema first. Nothing here decides what may
happen to a rollout; it keeps what was decided, and refuses what would contradict it. Only `bot` and the
tests import this package, and `bot` does so late: SQLAlchemy and the drivers take time to load.
"""
