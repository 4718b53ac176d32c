"""HMS-OPS's configuration, understood: no schema of it was ever published, so many spellings are read.

Nothing that is read is ever run. Secrets are told apart and never become part of a configuration.
"""
