"""Why a value was not taken over, in words that help whoever wrote it."""

from __future__ import annotations

import difflib
import re

from operations.integration.legacy.spelling import Found, plain_key
from operations.integration.legacy.vocabulary import KNOWN_KEYS, SPEECH

_KEPT = "HMS-SYS keeps history in its database and logs to its output"
_BY_ITSELF = (
    "the bot checks by itself, each as often as its `every:` says; a daily report is `digest:`"
)
_TIME_TABLE = re.compile(r"(@\w+|[\d*,/-]+( [\w*,/-]+){4})")
_REPEATED = "HMS-SYS repeats what is safe to repeat by itself"
UNWATCHED = "HMS-SYS watches targets and addresses, not machines"
"""The one of them that is a loss: nothing does that work."""
_NEEDLESS: tuple[tuple[str, str], ...] = (
    (r"slack(_\w+)*_(enabled|username|icon\w*)|slack_\w*channel\w*",
     "the bot speaks in the channels that `slack:` names, under its own name"),
    (r"(\w+_)?webhooks?_\w*channel\w*", "the bot speaks in the channels that `slack:` names"),
    (r"(log|logs|logging|log_\w+|logs_\w+|logging_\w+)", _KEPT),
    (r"(\w+_)?log_(file|dir|path|level|folder)", _KEPT),
    (r"(schema_|config_|file_)?version", "belongs to the file's format, which is another now"),
    (r"(\w+_)?(debug|verbose)", "is HMS_LOG_LEVEL now"),
    (r"(\w+_)?kube_?config(_\w+)?", "is the variable KUBECONFIG now"),
    (r"(\w+_)?(retries|retry|retry_\w+|max_retries|retries_\w+)", _REPEATED),
    (r"cron(_\w+)*|schedule(_\w+)*|(\w+_)?(cron|crontab)",
     _BY_ITSELF),
    (r"(\w+_)?task_(definition|family|revision)\w*",
     "each deployment makes its own revision of the task definition that runs"),
    (r"(\w+_)?(disk|cpu|memory|load|swap)(_\w+)?",
     UNWATCHED),
    (r"(email|mail|smtp|notifications|notify)\w*_enabled", "mail is sent where `email:` is"),
    (r"(\w+_)?enabled", "checks run unless somebody says `monitor stop`"),
    (r"(\w+_)?(image_tag|docker_tag|image_version)|tag", "the version is said when deploying"),
    (r"(\w+_)?sites?_(\w+_)?domains?|domain", "HMS-SYS knows a site by its number"),
    (r"(aws_)?(account|account_id|account_number)", "AWS knows it from the credentials"),
    (r"(smtp|email|mail|notifications|\w*_smtp)_(\w+_)?(secure|tls|starttls|ssl|use_tls|encryption)",
     "is told by the server's address: smtps://, or smtp://, which begins TLS where it can"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), reason) for pattern, reason in _NEEDLESS)


def needless(leaf: Found) -> str:
    """Why HMS-SYS does without it; "" when that is not known."""
    if isinstance(leaf.value, str) and leaf.value.startswith("$"):
        return "names a variable already: see the list of variables for the one that HMS-SYS reads"
    if isinstance(leaf.value, str) and _TIME_TABLE.fullmatch(leaf.value.strip()):
        return _BY_ITSELF
    steps = [plain_key(step) for step in leaf.path if isinstance(step, str)]
    ends = ["_".join(steps[first:]) for first in range(len(steps))] + steps
    return next(
        (reason for pattern, reason in _PATTERNS for end in ends if pattern.fullmatch(end)), ""
    )


def not_understood(leaf: Found, has_targets: bool) -> str:
    """What the key is like, and what would have to be around it."""
    key = next((plain_key(step) for step in reversed(leaf.path) if isinstance(step, str)), "")
    if key in KNOWN_KEYS - SPEECH:
        where = (
            "this target's platform" if has_targets else "any target: no project is named around it"
        )
        return (
            f"is known as a key of targets, but nothing asks for it here: it is no part of {where}"
        )
    near = difflib.get_close_matches(key, KNOWN_KEYS - SPEECH, n=1, cutoff=0.8)
    if near and near[0] != key:
        return f"is no key that HMS-OPS is known to have had: is it “{near[0]}”?"
    return "HMS-SYS has nothing like it, or it is spelt in a way that is not known"
