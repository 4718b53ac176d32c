"""What changes its meaning, or breaks, when a call of HMS-OPS becomes one of HMS-SYS. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from operations.integration.legacy.invocations import Invocation

_FOLDER = re.compile(r"\b(?:cd|pushd)\s+[^;&|]*hms-ops[^;&|]*(?:&&|;)", re.IGNORECASE)
_OTHER_FOLDER = re.compile(r"\b(?:cd|pushd)\s+([^;&|]+?)\s*(?:&&|;)")
_SETTING = re.compile(r"\b(HMS_OPS_\w+)=")
_READS = re.compile(
    r"\s*\|\s*(?:/\S*/)?(grep|egrep|fgrep|awk|sed|cut|jq|tr|wc|perl|python3?|read|while)\b"
)
_CAPTURED = re.compile(r"(?:\$\(|`)\s*$")
_CONDITION = re.compile(r"\b(?:if|elif|while|until)\s+(?:!\s*)?$|!\s*$|(?:&&|\|\|)\s*$")
_DECIDES = re.compile(r"""["'\\]*\s*(?:&&|\|\|)|[^\n]*\$\?""")
_ELSEWHERE = re.compile(r"\b(?:ssh|docker|podman|kubectl)\s[^;&|]*$")
_IN_IMAGE = re.compile(r"^\s*(?:RUN|CMD|ENTRYPOINT)\s")
_AS_OTHER = re.compile(r"\b(?:sudo|doas|su|runuser)\s[^;&|]*$")

_WORDS = "HMS-SYS's words are others: let programs read `hms-sys {command} --json`."
_CODES = {
    "status": (
        "`hms-sys status` ends with 0 once a platform answered, whatever it says of the application, "
        "and with 4 when none did: `hms-sys monitor list` ends with 1 while a check is failing."
    ),
    "errors": "`hms-sys errors` ends with 0 whether there are errors or not.",
}
_MONITOR = {
    "start": "the bot watches by itself: `monitor start` only ends a `monitor stop`.",
    "stop": (
        "`monitor stop` stops checks for everybody, also across restarts, until somebody says "
        "`monitor start`: an end of a service or a shift needs none."
    ),
}


def why_broken(call: Invocation) -> str:
    """Why the line would not do what it did, however the program is named; "" when it would."""
    before = call.before
    if found := _SETTING.search(before):
        return f"`hms-sys` does not read {found[1]}: its configuration is named by HMS_CONFIG"
    if _FOLDER.search(before):
        return "it goes to HMS-OPS's folder first, which will be gone: leave that out"
    if "HEALTHCHECK" in before:
        return (
            "`hms-sys` is not in the image, and its `status` says nothing by its exit code: ask the "
            "application itself, and let a check of HMS-SYS watch it"
        )
    return ""


def remarks_on(call: Invocation) -> Iterator[str]:
    """What a person has to know of it, a sentence each."""
    before, after = call.before, call.after
    if call.command in {"status", "errors", "monitor", "logs", "help"} and (
        _READS.match(after) or _CAPTURED.search(before)
    ):
        yield _WORDS.format(command=call.command)
    if call.command in _CODES and (_CONDITION.search(before) or _DECIDES.match(after)):
        yield _CODES[call.command]
    if call.command == "monitor" and len(call.words) > 1:
        yield from filter(None, [_MONITOR.get(call.words[1].text)])
    yield from _surrounding(before)
    if any(word.is_many for word in call.words):
        yield "it hands words on that do not stand here: HMS-SYS may not know all of them."


def _surrounding(before: str) -> Iterator[str]:
    if found := _OTHER_FOLDER.search(before):
        yield f"it goes to {found[1].strip()} first: leave that out where it is HMS-OPS's folder."
    if _ELSEWHERE.search(before):
        yield "it runs elsewhere: hms-sys, HMS_CONFIG and HMS_DATABASE_URL have to be there."
    if _IN_IMAGE.search(before):
        yield "it runs in an image: hms-sys has to be installed there."
    if _AS_OTHER.search(before):
        yield "it runs as another login, without HMS_CONFIG and HMS_DATABASE_URL of this one."
