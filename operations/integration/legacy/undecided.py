"""What stands in a migrated configuration in the place of what HMS-OPS never knew.

Both have the form of the real thing, so that the rest of the file can be checked; neither exists anywhere.
"""

from __future__ import annotations

CHANNEL = "C0DECIDEME"
"""HMS-OPS posted to a webhook, which names no channel."""

ORGANIZATION = "decide-me"
"""Forge's API of today asks for the organization."""
