"""Which programs HMS-OPS calls that HMS-SYS does nothing in the place of: for a person to look at. Pure.

A function is covered by its name (`coverage`); what it does besides stands in its body. Programs that shell
scripts are made of are left out, and those whose work HMS-SYS does: asking Forge, AWS and Kubernetes, calling
URLs, sending mail.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from operations.integration.legacy.inventory import is_shell
from operations.integration.legacy.shell import find_calls


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _words(
    """
    . : [ alias bg break builtin caller cd command compgen complete continue declare dirs disown
    echo enable eval exec exit export false fc fg for getopts hash help history in jobs kill let
    local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt
    source suspend test times trap true type typeset ulimit umask unalias unset wait
    """
)
_TOOLS = _words(
    """
    awk base64 basename bc cat chmod clear cmp column comm cp cut date df dirname du egrep env expr
    fgrep file find flock fold gawk getent getopt grep gunzip gzip head hostname id install jq less
    ln ls md5sum mkdir mkfifo mktemp more mv nl nproc od paste pgrep pidof ps readlink realpath rev
    rm rmdir sed seq sha256sum shasum sleep sort split stat stty tac tail tee touch tput tr tty
    uname uniq wc which whoami xxd yes yq zcat
    """
)
_DONE = _words(
    """
    crontab curl http logger mail mailx msmtp mutt nc notify-send ping pkill sendmail wget
    """
)
"""What HMS-SYS has its own way for: probes, adapters, mail, alerts and checks."""
_ONLY: Mapping[str, frozenset[str]] = {
    "aws": frozenset({"ecs", "ecr", "sts", "logs", "configure"}),
    "kubectl": frozenset(
        {"get", "set", "rollout", "describe", "logs", "config", "version", "wait", "top"}
    ),
    "git": frozenset(
        {"log", "rev-parse", "describe", "diff", "show", "status", "config", "ls-remote", "tag"}
    ),
    "docker": frozenset({"inspect", "manifest", "logs", "ps", "version"}),
    "openssl": frozenset({"rand", "dgst", "base64", "s_client", "x509"}),
    "hms-ops": frozenset({"deploy", "status", "monitor", "errors", "logs", "help"}),
}
"""Programs of which HMS-SYS does these commands' work, and no other."""
_BEFORE = frozenset(
    {
        "sudo",
        "env",
        "nohup",
        "exec",
        "command",
        "timeout",
        "nice",
        "ionice",
        "xargs",
        "setsid",
        "stdbuf",
    }
)
"""They run the program that they name."""
_WITH_VALUE = frozenset({"-u", "--user", "-g", "-I", "-h", "-C"})
_KNOWN = _BUILTINS | _TOOLS | _DONE
_RUNNERS = frozenset(
    {"bash", "sh", "dash", "zsh", "php", "python", "python3", "node", "ruby", "perl", "source", "."}
)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_OWN_ARGUMENTS = re.compile(r"\$(?:[@*\d]|\{[@*\d])|\$\(\)")
_PHP_CALL = re.compile(
    r"\b(?:exec|shell_exec|system|passthru|proc_open|popen)\s*\(\s*(?:(['\"])(?P<line>.*?)(?<!\\)\1)?"
)
_PHP_FUNCTION = re.compile(r"\bfunction\s+&?(\w+)\s*\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A program that is called: `php artisan migrate`. `function` is "" for a script's own lines."""

    program: str
    function: str
    file: str
    line: int


def find_looks(file: PurePath, text: str, own: Collection[str]) -> Iterator[Look]:
    """What one file calls. `own`: names of functions and files of HMS-OPS itself."""
    seen: set[tuple[str, str]] = set()
    for look in _calls(file, text, own):
        if (look.function, look.program) not in seen:
            seen.add((look.function, look.program))
            yield look


def _calls(file: PurePath, text: str, own: Collection[str]) -> Iterator[Look]:
    if file.suffix == ".php":
        yield from _php_calls(str(file), text, own)
    elif is_shell(file, text):
        for call in find_calls(text):
            if program := _stranger(call.words, own):
                yield Look(program=program, function=call.function, file=str(file), line=call.line)


def _php_calls(file: str, text: str, own: Collection[str]) -> Iterator[Look]:
    function = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if begun := _PHP_FUNCTION.search(line):
            function = begun[1]
        for found in _PHP_CALL.finditer(line):
            if (
                line.lstrip().startswith(("//", "#", "*"))
                or "function " in line[: found.start()][-9:]
            ):
                continue
            given = [found["line"]] if found["line"] else []
            calls = [call.words for each in given for call in find_calls(each)] or [["$program"]]
            for words in calls:
                if program := _stranger(words, own):
                    yield Look(program=program, function=function, file=file, line=number)


def _stranger(words: list[str], own: Collection[str]) -> str:
    """The program as people know it, when HMS-SYS does nothing in its place; else ""."""
    words = _unwrapped(words)
    if not words or _OWN_ARGUMENTS.match(words[0]):
        return ""
    name = _named(words[0].rpartition("/")[2])
    first = next((word for word in words[1:] if not word.startswith("-")), "")
    if name in _RUNNERS and first.rpartition("/")[2] in own:
        return ""
    if name in own or name in _KNOWN or not re.search(r"\w", name):
        return ""
    if name in _ONLY and (not first or not _ONLY[name].isdisjoint(words)):
        return ""
    return _say(name, words[1:])


def _named(name: str) -> str:
    """`$KUBECTL` is kubectl, wherever that stands."""
    variable = _VARIABLE.fullmatch(name)
    guess = variable[1].lower() if variable else ""
    return guess if guess in _KNOWN or guess in _ONLY or guess in _RUNNERS else name


def _unwrapped(words: list[str]) -> list[str]:
    while words and words[0].rpartition("/")[2] in _BEFORE:
        rest = words[1:]
        while rest and re.match(r"-|\d|\w+=", rest[0]):
            rest = rest[2 if rest[0] in _WITH_VALUE else 1 :]
        words = rest
    return words


def _say(name: str, arguments: list[str]) -> str:
    """With the first words that are plain: `php artisan migrate`, and never what might be a secret."""
    variable = _VARIABLE.fullmatch(name)
    plain = []
    for word in arguments[:2]:
        if not re.fullmatch(r"[A-Za-z][\w:-]{0,30}", word):
            break
        plain.append(word)
    return " ".join([f"${variable[1]}" if variable else name, *plain])
