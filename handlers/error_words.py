"""What Slack and the terminal say alike of a group of errors. Plain text: whoever shows it escapes it."""

from __future__ import annotations

from operations.monitoring.errors.group import ErrorGroup


def meaning_of(group: ErrorGroup) -> str:
    """What a group is that holds errors of many kinds; "" for one of equal errors."""
    if not group.is_other:
        return ""
    return (
        "Within an hour more kinds of errors were new here than get groups of their own "
        "(errors.new_groups in hms.yaml); this one counts all that came beyond them."
    )


def imported_words(group: ErrorGroup) -> str:
    """That another tool's old logs told of it, or of how many; "" where they did not."""
    if not group.imported:
        return ""
    return "imported" if group.is_imported else f"{group.imported:,} of them imported"
