"""Which values of a legacy configuration are secrets, and the variable that each belongs in.

A value counts as a secret by its key; one more is told by its shape wherever it stands. None of them may
ever reach the new configuration or the report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from operations.integration.legacy.document import Path
from operations.integration.legacy.spelling import Found, Reading, plain_key, say_path
from operations.redaction import redact

_KNOWN = (
    (re.compile(r"forge.*(token|key)"), "FORGE_API_TOKEN"),
    (re.compile(r"aws.*secret.*key|secret_access_key"), "AWS_SECRET_ACCESS_KEY"),
    (re.compile(r"aws.*session_token"), "AWS_SESSION_TOKEN"),
    (re.compile(r"aws.*access_key(_id)?|access_key_id"), "AWS_ACCESS_KEY_ID"),
    (re.compile(r"slack.*signing_secret"), "SLACK_SIGNING_SECRET"),
    (re.compile(r"slack.*app.*token"), "SLACK_APP_TOKEN"),
    (re.compile(r"slack.*token"), "SLACK_BOT_TOKEN"),
    (re.compile(r"git(hub)?.*token"), "GITHUB_TOKEN"),
    (re.compile(r"(smtp|mail|email).*(password|pass|pwd)$"), "HMS_SMTP_PASSWORD"),
)
_SECRET_KEY = re.compile(
    r"(^|_)(token|secret|password|passwd|pwd|pass|api_key|apikey|access_key|access_key_id|"
    r"secret_access_key|private_key|credentials?|webhook|webhook_url|webhook_uri|hook_url)(_|$)"
)
_SLACK_WEBHOOK = re.compile(r"https://hooks\.slack(-gov)?\.com/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Secret:
    """`variable` is where it belongs, "" for one that HMS-SYS has no use for."""

    path: Path
    value: str
    variable: str

    def __repr__(self) -> str:
        """Never the value."""
        return f"Secret({say_path(self.path)}, {self.variable or 'of no use'})"


def find_secrets(reading: Reading) -> list[Secret]:
    """Every secret, which then counts as understood."""
    found = [_secret(leaf) for leaf in reading.leaves() if _is_secret(leaf)]
    for secret in found:
        reading.used.add(secret.path)
    return found


def _is_secret(leaf: Found) -> bool:
    if not isinstance(leaf.value, str) or not leaf.value.strip():
        return False
    if leaf.value.lstrip().startswith("$"):  # names a variable already
        return False
    key = _joined(leaf.path)
    is_named = _SECRET_KEY.search(key.rpartition(".")[2] or key) is not None
    return is_named or bool(_SLACK_WEBHOOK.match(leaf.value)) or redact(leaf.value) != leaf.value


def _secret(leaf: Found) -> Secret:
    return Secret(leaf.path, str(leaf.value).strip(), _variable(leaf))


def _variable(leaf: Found) -> str:
    if _SLACK_WEBHOOK.match(str(leaf.value)):
        return ""
    key = _joined(leaf.path).replace(".", "_")
    return next((name for pattern, name in _KNOWN if pattern.search(key)), "")


def _joined(path: Path) -> str:
    return ".".join(plain_key(str(step)) for step in path if isinstance(step, str))
