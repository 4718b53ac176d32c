"""Every id that Slack hands back to us, and the codec of what a button carries.

Ids are part of messages that stand in channels for months: rename none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from operations.outbox import NoticeKind

SLASH_COMMAND = "/hms"


class ActionId(StrEnum):
    """Buttons of a rollout's message, of an alert's, and of an error group wherever it is shown."""

    APPROVE = "rollout.approve"
    REJECT = "rollout.reject"
    CANCEL = "rollout.cancel"
    ROLL_BACK = "rollout.roll_back"
    RETRY = "rollout.retry"
    ACKNOWLEDGE = "alert.acknowledge"
    SILENCE = "alert.silence_1h"
    RESOLVE = "alert.resolve"
    ERROR_RESOLVE = "error.resolve"
    ERROR_SILENCE = "error.silence_1h"
    ERROR_CHANGES = "error.changes"


class ViewId(StrEnum):
    """callback_ids of modals."""

    DEPLOY = "deploy.form"


class FormBlock(StrEnum):
    """block_ids of the deploy form; answers come back under them."""

    PROJECT = "deploy.project"
    ENVIRONMENT = "deploy.environment"
    VERSION = "deploy.version"
    REASON = "deploy.reason"
    START = "deploy.start"


FORM_INPUT = "value"
"""The action_id of each input of a form: its block_id already tells them apart."""

_BUTTON = re.compile(r"([1-9][0-9]{0,11}):([0-9]{1,9})", re.ASCII)
_SUBJECT = re.compile(r"([A-Z]-[1-9][0-9]{0,11})\.([a-z_]*)", re.ASCII)
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ButtonValue:
    """Which rollout, alert or error group, and which revision of it the message showed.

    What it means is read from the database.
    """

    number: int
    revision: int

    def encode(self) -> str:
        """`1042:7`."""
        return f"{self.number}:{self.revision}"


def decode_button(text: str) -> ButtonValue | None:
    """None for anything that this product did not write."""
    match = _BUTTON.fullmatch(text)
    return ButtonValue(int(match[1]), int(match[2])) if match else None


def decode_channel(text: str) -> str:
    """A form's private_metadata: the channel where it was opened, "" when it is none."""
    return text if _CHANNEL.fullmatch(text) else ""


def subject_of_block(block_id: str) -> str:
    """Whose message a block of ours belongs to: `D-1042`; "" when it is none of ours."""
    match = _SUBJECT.match(block_id)
    return match[1] if match else ""


def kind_of_block(block_id: str) -> NoticeKind:
    """Which of its subject's messages a block belongs to: the card, unless it says another."""
    match = _SUBJECT.match(block_id)
    kind = match[2] if match else ""
    return NoticeKind(kind) if kind in set(NoticeKind) else NoticeKind.CARD


def block_prefix(subject: str, kind: str) -> str:
    """How the block_ids of one matter's message begin: by it we find our own message again.

    One that is told in several places (`A-17/2`) reads the same in each of them.
    """
    return f"{subject.partition('/')[0]}.{kind}."
