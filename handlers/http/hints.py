"""Hints in words that fit a program.

Operations write hints for people who type commands: nobody types here. What a command would do is kept, the
command is not; where the API itself has the way on, that is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from handlers.documents import bare
from handlers.language import VERBS
from operations.errors import OperationError, UnknownAlert, UnknownRollout

_WAYS: Mapping[type[OperationError], tuple[str, str]] = {
    UnknownRollout: ("See `history`.", "`GET /api/v1/rollouts` lists those that there are."),
    UnknownAlert: ("See `monitor list`.", "`GET /api/v1/alerts` lists those that there are."),
}
_VERB = "|".join(sorted((verb.name for verb in VERBS), key=len, reverse=True))
_COMMAND = rf"`(?:/hms\b|hms-sys\b|--\w|(?:{_VERB})(?![\w:.]))[^`]*`"
_APPENDED = re.compile(rf"(?::| with) {_COMMAND}(?=[.,])")
"""“They can lift it with `unlock`.”: the sentence stands without it."""
_SENTENCE = re.compile(r"[^.`]*(?:`[^`]*`[^.`]*|\.(?!\s|$)[^.`]*)*\.?\s*")
_NAMES_COMMAND = re.compile(_COMMAND)


def hint_for_program(error: OperationError) -> str:
    """What to do next; "" when all there is to do is to type a command."""
    hint = error.hint
    for kind, (typed, called) in _WAYS.items():
        if isinstance(error, kind):
            hint = hint.replace(typed, called)
    told = _APPENDED.sub("", hint)
    sentences = (found[0] for found in _SENTENCE.finditer(told))
    return bare("".join(s for s in sentences if not _NAMES_COMMAND.search(s)).strip())
