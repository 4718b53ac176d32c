"""Local stand-ins for the outside world, for the demo and the tests; nothing of production lives here.

Each speaks the real wire protocol of what it stands for, refuses what the real one refuses, and records
calls that it does not know in `unexpected`. Imported by tests and by its own command only, and imports none
of the product's packages.
"""
