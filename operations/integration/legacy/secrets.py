"""Which values of a legacy configuration are secrets, and the variable that each belongs in.

A value counts as a secret by its key; one more is told by its shape wherever it stands. Of an address only
the password is one: the rest is left for whoever reads it. None of them may ever reach the new configuration
or the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from operations.integration.legacy.document import Document, Path, Value
from operations.integration.legacy.spelling import Found, Reading, plain_key, say_path
from operations.redaction import redact

_KNOWN = (
    (re.compile(r"forge.*(token|key|secret)|(token|key|secret)s?_(laravel_)?forge$"), "FORGE_API_TOKEN"),
    (re.compile(r"aws.*secret.*key|secret_access_key|aws_secret$"), "AWS_SECRET_ACCESS_KEY"),
    (re.compile(r"aws.*session_token"), "AWS_SESSION_TOKEN"),
    (re.compile(r"aws.*access_key(_id)?|access_key_id"), "AWS_ACCESS_KEY_ID"),
    (re.compile(r"slack.*signing_secret"), "SLACK_SIGNING_SECRET"),
    (re.compile(r"slack.*app.*token"), "SLACK_APP_TOKEN"),
    (re.compile(r"slack.*token"), "SLACK_BOT_TOKEN"),
    (re.compile(r"(?<![a-z])(git(hub)?|gh)_.*(token|pat)|(token|key|secret)s?_git(hub)?$"), "GITHUB_TOKEN"),
    (re.compile(r"(smtp|mail|email).*(password|pass|pwd)$|passwords?_(smtp|mail|email)"),
     "HMS_SMTP_PASSWORD"),
)  # fmt: skip
_SECRET_KEY = re.compile(
    r"(^|_)(tokens?|secrets?|passwords?|passwd|pwd|pass|api_keys?|apikeys?|access_keys?|access_key_id|"
    r"secret_access_key|private_keys?|secret_keys?|forge_key|credentials?|webhooks?|webhook_urls?|"
    r"webhook_uri|hook_url|pat|dsn)(_|$)"
)
_SECRET_SECTION = frozenset({"secrets", "tokens", "passwords", "api_keys", "access_keys"})
_SLACK_WEBHOOK = re.compile(r"https://hooks\.slack(-gov)?\.com/", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<user>[^\s:/@?#]*)(?::(?P<password>[^\s/@]*))?@"
    r"(?P<host>[^\s/@?#]+)(?P<rest>[/?#][^\s@]*)?"
)

_UNPARTED = re.compile(r"://[^@\s]*:[^@]*@(?!sha\d+:)")
"""An address whose password could not be told from the rest: `https://user:pass/word@host`."""


@dataclass(frozen=True, slots=True)
class Secret:
    """`variable` is where it belongs, "" for one that HMS-SYS has no use for. `part`: of an address."""

    path: Path
    value: str
    variable: str
    part: bool = False

    def __repr__(self) -> str:
        """Never the value."""
        return f"Secret({say_path(self.path)}, {self.variable or 'of no use'})"


def part_passwords(document: Document) -> tuple[Document, list[Secret]]:
    """The document with no password left in its addresses, and those passwords."""
    secrets: list[Secret] = []
    content = {key: _parted((key,), value, secrets) for key, value in document.content.items()}
    return replace(document, content=content), secrets


def find_secrets(reading: Reading) -> list[Secret]:
    """Every other secret; from now on nobody gets it from the reading."""
    found = [_secret(leaf) for leaf in reading.leaves() if _is_secret(leaf)]
    for secret in found:
        reading.used.add(secret.path)
        reading.hidden.add(secret.path)
    return found


def _parted(path: Path, value: Value, secrets: list[Secret]) -> Value:
    match value:
        case dict(children):
            return {key: _parted((*path, key), child, secrets) for key, child in children.items()}
        case list(items):
            return [_parted((*path, index), item, secrets) for index, item in enumerate(items)]
        case str(text):
            return _without_password(path, text, secrets)
    return value


def _without_password(path: Path, text: str, secrets: list[Secret]) -> str:
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or _SLACK_WEBHOOK.match(text):
        return text
    is_mail = found["scheme"].lower() in ("smtp", "smtps")
    value = found["password"] or ("" if is_mail or not _alone(found) else found["user"])
    user = f"{found['user']}@" if is_mail and found["user"] else ""
    rest = f"{found['scheme']}://{user}{found['host']}{found['rest'] or ''}"
    if not value or redact(rest) != rest:
        return text
    secrets += [Secret(path, each, _variable_of(found), part=True) for each in _written(value)]
    return rest


def _alone(found: re.Match[str]) -> bool:
    """`https://TOKEN@host` and `https://TOKEN:@host`; `ssh://git@host` has no secret."""
    return found["scheme"].lower() in ("http", "https")


def _written(value: str) -> Iterator[str]:
    """As a program needs it, which decodes what an address cannot hold."""
    yield unquote(value)


def _variable_of(found: re.Match[str]) -> str:
    if found["scheme"].lower() in ("smtp", "smtps"):
        return "HMS_SMTP_PASSWORD"
    host = found["host"].lower().partition(":")[0]
    return "GITHUB_TOKEN" if host in ("github.com", "www.github.com", "api.github.com") else ""


def _is_secret(leaf: Found) -> bool:
    if isinstance(leaf.value, bool) or not isinstance(leaf.value, str | int | float):
        return False
    text = str(leaf.value)
    if not text.strip() or text.lstrip().startswith("$"):  # nothing, or the name of a variable
        return False
    by_its_shape = (
        _SLACK_WEBHOOK.match(text.strip()) or _UNPARTED.search(text) or redact(text) != text
    )
    return bool(by_its_shape) or _is_named_so(leaf)


def _is_named_so(leaf: Found) -> bool:
    steps = [plain_key(step) for step in leaf.path if isinstance(step, str)]
    if isinstance(leaf.value, int | float) and not _is_password(steps[-1]):
        return False  # `token_timeout: 30`, `max_secrets: 5`
    return _SECRET_KEY.search(steps[-1]) is not None or not _SECRET_SECTION.isdisjoint(steps[:-1])


def _is_password(key: str) -> bool:
    return re.search(r"(^|_)(password|passwd|pwd|pass|token|secret|pin)$", key) is not None


def _secret(leaf: Found) -> Secret:
    return Secret(leaf.path, str(leaf.value).strip(), _variable(leaf))


def _variable(leaf: Found) -> str:
    if _SLACK_WEBHOOK.match(str(leaf.value).strip()):
        return ""
    key = "_".join(plain_key(str(step)) for step in leaf.path if isinstance(step, str))
    return next((name for pattern, name in _KNOWN if pattern.search(key)), "")
