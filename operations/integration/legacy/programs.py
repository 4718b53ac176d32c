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
_RUNS_ANYTHING = _words("eval exec source . command kill trap")
_TOOLS = _words(
    """
    awk base64 basename bc cat chmod clear cmp column comm cp cut date dirname egrep env expr
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
_ANY: frozenset[str] = frozenset()
_ONLY: Mapping[str, Mapping[str, frozenset[str]]] = {
    "aws": {
        "ecs": _words(
            """
            update-service describe-services describe-task-definition describe-tasks list-tasks
            describe-clusters list-clusters list-services list-task-definitions wait
            register-task-definition deregister-task-definition
            """
        ),
        "ecr": _words("describe-images list-images batch-get-image describe-repositories"),
        "sts": _words("get-caller-identity assume-role"),
        "logs": _words("tail get-log-events filter-log-events describe-log-streams"),
        "configure": _ANY,
    },
    "kubectl": {
        **dict.fromkeys(_words("get describe logs config version wait top"), _ANY),
        "set": _words("image"),
        "rollout": _words("status undo history"),
    },
    "git": {
        **dict.fromkeys(
            _words("log rev-parse describe diff show status config ls-remote fetch"), _ANY
        ),
        "tag": _words("-l --list --sort --points-at --contains"),
    },
    "docker": dict.fromkeys(_words("inspect manifest logs ps version"), _ANY),
    "openssl": dict.fromkeys(_words("rand dgst base64"), _ANY),
    "hms-ops": dict.fromkeys(_words("deploy status monitor errors logs help"), _ANY),
}
"""Programs of which HMS-SYS does these commands' work, with one of these words behind, and no other."""
_VERBS = _words(
    """
    annotate apply autoscale cordon cp create delete drain edit exec expose label patch port-forward
    replace restart rollout run scale set taint
    """
)
_CHANGES = {"find": _words("-delete -exec -execdir")}
"""Tools that do more than read with one of these words."""
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


def is_builtin(name: str) -> bool:
    """Whether it is the shell's own, and by itself does nothing that is there when the script has ended."""
    return name in _BUILTINS - _RUNS_ANYTHING or not re.search(r"\w", name)


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
    if more := _CHANGES.get(name, _ANY).intersection(words):
        return f"{name} {min(more)}"
    if name in own or name in _KNOWN or not re.search(r"\w", name):
        return ""
    if name in _ONLY and (not first or _is_done(name, words[1:])):
        return ""
    return _say(name, words[1:])


def _is_done(name: str, arguments: list[str]) -> bool:
    return any(
        not wanted or not wanted.isdisjoint(arguments[at + 1 :])
        for at, word in enumerate(arguments)
        if (wanted := _ONLY[name].get(word)) is not None
    )


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
    if name == "kubectl":  # its options come first, each with a value
        at = next((at for at, word in enumerate(arguments) if word in _VERBS), 0)
        arguments = arguments[at : at + 2]
    plain = []
    for word in arguments[:2]:
        if not re.fullmatch(r"[A-Za-z][\w:-]{0,30}", word):
            break
        plain.append(word)
    return " ".join([f"${variable[1]}" if variable else name, *plain])
