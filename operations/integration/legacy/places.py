"""Whether a program's name stands where a command stands, or in a text that people read. Pure.

Where this cannot tell, it says text: what is not changed is shown to a person.
"""

from __future__ import annotations

import re

_SEPARATOR = re.compile(r"""\$\(|&&|\|\||[;&|({`\n"']""")
_BOUNDARY = re.compile(r"""\$\(|&&|\|\||[;&|({`\n]|,(?=\s*["']?[\w-]+["']?:)""")
_QUOTE = re.compile(r"""["']$""")
_CRON = re.compile(
    r"\s*(?:@\w+|(?=\S*[\d*])[\d*/,-]+(?:\s+(?:[\d*/,-]+|[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)){4})"
    r"\s+(?:[a-z_][\w-]*(?:\s+|$))?"
)
_COMMENT = re.compile(r"(?:^|\s)(?:#(?!!)|//)")
_PASSED_OVER = re.compile(
    r"""[-@+!{}*>|\[$%]+ | \w[\w.-]*[:+?]?=.* | if | then | else | elif | do | while | until | time
      | exec | nohup | command | eval | call | return | shell
      | RUN | CMD | ENTRYPOINT | HEALTHCHECK | --[\w-]+=\S* | (?:/\S*/)?(?:ba|da|k|z)?sh | -[a-z]+""",
    re.VERBOSE,
)
"""What may stand before a command and runs it all the same."""
_KEY = re.compile(r"""["']?[\w. /-]*\w["']?:""")
_RUNS = re.compile(
    r"(?:/\S*/)?(?:sudo|doas|su|runuser|env|timeout|flock|nice|ionice|ssh|docker|podman|kubectl|chroot"
    r"|watch|systemd-run|setsid|stdbuf|vagrant|caffeinate|chronic|cronic)"
)
"""Programs that run the command behind their own words."""
_FEEDS = frozenset({"xargs", "parallel", "find"})
_SHOWS = re.compile(
    r"(?:echo|printf?|log\w*|console\.log|die|warn\w*|err\w*|fail\w*|fatal|info|notice|usage|see|say"
    r"|puts|raise|throw|p?grep|egrep|pkill|sed|awk|test|\[+|notify\w*|mail\w*|write|cat|alias)\b[:,]?",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"""["']?(?:name|title|label|text|message|body|subject|description|summary|comment|usage|see|note
          |example|hint|fail(?:ed|ure)?|error|warning|info)["']?:""",
    re.IGNORECASE | re.VERBOSE,
)
"""Keys of what people read."""
_HANDLES_FILES = re.compile(
    r"\b(?:cp|mv|ln|rm|cat|chmod|chown|scp|rsync|install|source|less|vim?|nano|stat|touch|tar)\b[^;&|(]*$"
)
"""Before the name of a file that is moved about, not called."""
_SOURCES = re.compile(r"(?:^|[\s;&|(])\.\s+$")


def why_no_call(before: str) -> str:
    """What keeps the program's name behind `before` from being a call; "" when it is one."""
    if _is_comment(before):
        return "in a comment"
    inner, outer = _split(before)
    if _HANDLES_FILES.search(inner) or _SOURCES.search(inner):
        return "the file itself is used, not called"
    left = _leading(inner)
    if left and left[0].rpartition("/")[2] in _FEEDS:
        return f"`{left[0]}` adds words to it that do not stand here"
    if not _runs(left) or (outer is not None and _shows(outer)):
        return "it may be a text that is shown, not a call"
    return ""


def _is_comment(before: str) -> bool:
    found = _COMMENT.search(before)
    if found is None:
        return False
    ahead = before[: found.start()]
    return ahead.count('"') % 2 == 0 and ahead.count("'") % 2 == 0


def _split(before: str) -> tuple[str, str | None]:
    """The part of the command that the name stands in, and what stands before the quote around it."""
    inner = _last_part(before)
    ahead = before[: len(before) - len(inner)]
    if _QUOTE.search(ahead):
        return inner, _last_part(ahead.rstrip("\"'\\"), _BOUNDARY)
    opened = max(_opening(ahead, '"'), _opening(ahead, "'"))
    return inner, _last_part(ahead[:opened], _BOUNDARY) if opened >= 0 else None


def _opening(text: str, quote: str) -> int:
    return text.rfind(quote) if text.count(quote) % 2 else -1


def _last_part(text: str, separator: re.Pattern[str] = _SEPARATOR) -> str:
    ends = [found.end() for found in separator.finditer(text)]
    return text[ends[-1] :] if ends else text


def _leading(part: str) -> list[str]:
    """Its words from the first that is neither a key, nor cron's, nor what runs the rest."""
    words = _CRON.sub("", part, count=1).split() if _CRON.match(part) else part.split()
    while words and (_PASSED_OVER.fullmatch(words[0]) or _is_key(words[0])):
        words.pop(0)
    return words


def _is_key(word: str) -> bool:
    return _KEY.fullmatch(word) is not None and not _LABEL.fullmatch(word)


def _runs(words: list[str]) -> bool:
    return not words or _RUNS.fullmatch(words[0]) is not None


def _shows(outer: str) -> bool:
    words = _leading(outer)
    if not words:
        return False
    return bool(_LABEL.fullmatch(words[0]) or _SHOWS.match(words[0].lstrip("\"'")))
