"""The form that `/hms deploy` alone opens."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.slack.ids import FORM_INPUT, FormBlock, ViewId
from handlers.slack.views.blocks import Block, Json, cut, plain_text
from operations.deployment.target import Catalog

_OPTIONS_LIMIT = 100
_OPTION_LIMIT = 75


def deploy_form(catalog: Catalog, channel: str) -> Block:
    """`channel` is where it was opened: the answer goes there."""
    environments = list(dict.fromkeys(target.environment for target in catalog.targets))
    blocks: list[Json] = [
        _choice(FormBlock.PROJECT, "Project", catalog.projects()),
        _choice(FormBlock.ENVIRONMENT, "Environment", environments),
        _line(
            FormBlock.VERSION,
            "Version",
            "A tag, a branch or a commit. Empty: what runs now, or the branch's head.",
        ),
        _line(FormBlock.REASON, "Reason", "What people read beside the Approve button."),
        _line(
            FormBlock.START,
            "Start",
            "18:30 by the target's clocks, or 2h from now. Empty: as soon as it may.",
        ),
    ]
    return {
        "type": "modal",
        "callback_id": ViewId.DEPLOY,
        "private_metadata": channel,
        "title": plain_text("Deploy", 24),
        "submit": plain_text("Deploy", 24),
        "close": plain_text("Close", 24),
        "blocks": blocks,
    }


def fits(catalog: Catalog) -> bool:
    """Whether there is anything to choose, and every name can be a choice."""
    names = [name for t in catalog.targets for name in (t.project, t.environment)]
    return bool(names) and all(len(name) <= _OPTION_LIMIT for name in names)


def _choice(block_id: FormBlock, label: str, names: Sequence[str]) -> Block:
    options: list[Json] = [
        {"text": plain_text(name, _OPTION_LIMIT), "value": cut(name, 150)}
        for name in names[:_OPTIONS_LIMIT]
    ]
    hidden = len(names) - _OPTIONS_LIMIT
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label, 2000),
        "element": {
            "type": "static_select",
            "action_id": FORM_INPUT,
            "placeholder": plain_text("Choose", 150),
            "options": options,
        },
    }
    if hidden > 0:
        made["hint"] = plain_text(f"{hidden} more are reached by the command.", 2000)
    return made


def _line(block_id: FormBlock, label: str, hint: str) -> Block:
    return {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": plain_text(label, 2000),
        "hint": plain_text(hint, 2000),
        "element": {"type": "plain_text_input", "action_id": FORM_INPUT, "max_length": 500},
    }
