"""The one place where outsiders' text is made safe to keep: secrets out, control characters out, cut.

Not the place for Slack's escaping (see `handlers.slack.views.blocks`): that depends on where it is shown.
"""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_MASK = "[redacted]"

_ASSIGNED = (
    *("password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key", "accesskey"),
    *("access_key", "access-key", "privatekey", "private_key", "private-key", "app_key"),
)

# Each with words one of which its text holds, folded: looking for them is quicker by far, and few texts
# hold any. Every repetition ends soon or begins seldom: outsiders must not choose how long this takes.
_SECRETS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (
        ("xox", "xapp-"),
        re.compile(r"\bxox[abeoprs]-[\w-]{6,}|\bxapp-[\w-]{6,}|\bxoxe\.[\w.-]{6,}"),
        _MASK,
    ),
    (
        ("gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        re.compile(r"\bgh[opsur]_\w{16,}|\bgithub_pat_\w{20,}"),
        _MASK,
    ),
    (("akia", "asia"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _MASK),
    (("eyj",), re.compile(r"\beyJ[\w-]{8,500}+\.[\w-]{8,}+\.[\w-]*"), _MASK),
    (("whsec_",), re.compile(r"\bwhsec_[\w+/=]{12,}"), _MASK),
    (
        ("private key-----",),
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
        ),
        _MASK,
    ),
    # user:password@host in any URL or connection string
    (
        ("://",),
        re.compile(r"(?<=[a-z0-9+.-])(://[^\s:/@]*:)[^\s/@]+(@)", re.I),
        rf"\1{_MASK}\2",
    ),
    (
        ("authorization",),
        re.compile(r"(\bauthorization\W{1,3}(?:bearer|basic|token)?\s*)[^\s\"',;]{6,}", re.I),
        rf"\1{_MASK}",
    ),
    (("bearer",), re.compile(r"(\bbearer\s+)[\w.~+/=-]{8,}", re.I), rf"\1{_MASK}"),
    (
        _ASSIGNED,
        re.compile(
            r"((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|app_key)"
            r"[\w-]{0,24}[\"']?\s*[=:]\s*[\"']?)(?!\[redacted\])[^\s\"',;&]{3,}",
            re.I,
        ),
        rf"\1{_MASK}",
    ),
)


def redact(text: str) -> str:
    """Mask tokens, passwords, keys and connection strings."""
    folded = text.casefold()
    for hints, pattern, replacement in _SECRETS:
        for hint in hints:
            if hint in folded:
                text = pattern.sub(replacement, text)
                break
    return text


def _strip(text: str) -> str:
    """Without control characters; lines and tabs stay. What can be printed as it is holds none."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", _ANSI.sub("", text.replace("\r\n", "\n")))


def shorten(text: str, *, limit: int = 500) -> str:
    """What a person wrote, as `clean` makes it, with its beginning kept."""
    plain = redact(_strip(text[: 4 * limit]))
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def clean(text: str, *, limit: int = 4000) -> str:
    """Make an outsider's text fit to store: no control characters, no secrets, at most `limit` long.

    Lines and tabs stay. The cut keeps the end, where platforms put the reason.
    """
    plain = redact(_strip(text)[-4 * limit :])
    return plain if len(plain) <= limit else "…" + plain[-(limit - 1) :]
