"""`docs/commands.md`, written from the table of verbs and from the programs of the command line.

    python -m bot.references.commands > docs/commands.md

A test compares the file with what this prints.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from typer import Context
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from bot.cli import build_command_line
from handlers.cli.exits import DONE, FAILED, INTERRUPTED, REFUSED, UNREACHABLE, USAGE
from handlers.cli.switches import SWITCHES
from handlers.language import VERBS, Option, Verb
from handlers.language.verbs import verb_named

_INTRODUCTION = """\
# Commands

<!-- Written by `python -m bot.references.commands`. Change handlers/language and handlers/cli instead. -->

The same words in Slack, after `/hms`, and in a terminal, after `hms-sys`; on the same database and by the
same rules. Words in capitals stand for your own; what is in brackets may be left out.

- Upper case, typographic quotes and dashes (as Slack's editors make them) and `key=value` for
  `--key value` are understood.
- A word that is not known is answered with the nearest command, project or environment. The environment
  is never guessed.
- `/hms` alone is help, `/hms deploy` alone opens a form. `hms-sys COMMAND --help` says what
  `help COMMAND` says.
- Rollouts are called `D-1042`, alerts `A-17`, groups of errors `E-12`, digests `G-3`.
- Durations are `30s`, `10m`, `2h` or `7d`.

In a terminal you are who `access.cli` in `hms.yaml` says that your login is. A login that it does not name
may ask and read, and its vote counts for nothing.

## Exit codes

| code | means |
|---|---|
"""

_CODES = (
    (DONE, "done"),
    (FAILED, "it failed: a rollout, or something that was looked for and found wrong"),
    (USAGE, "bad usage, or a bad configuration"),
    (REFUSED, "refused: not permitted, locked, rejected, expired, withdrawn"),
    (UNREACHABLE, "a platform or the database cannot be reached"),
    (INTERRUPTED, "Ctrl-C; a rollout that was waited for goes on"),
)
_JSON = """
## JSON

With `--json` there is one document on standard output, and text for people goes to standard error. Where
the HTTP API answers the same question the document is the same, and [api.md](api.md) has its keys.
Documents may gain keys. Times are RFC 3339 in UTC.

## In Slack and in a terminal
"""
_PROGRAMS = """
## In a terminal only

"""
_WRAPPER = """
### `hms-ops`

Also installed as `hms-ops.sh`: takes the commands of HMS-OPS, hands them to `hms-sys` with their arguments
and their exit code, and warns on standard error once a day. A command that it does not know ends with 1
and a hint. See [migration.md](migration.md).
"""


def write_reference() -> str:
    """The whole document."""
    lines = [*_verbs(), _PROGRAMS.strip("\n"), "", *_programs()]
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in _CODES)
    return _INTRODUCTION + codes + _JSON + "\n" + "\n".join(lines) + _WRAPPER


def _verbs() -> Iterator[str]:
    for verb in VERBS:
        yield from _verb(verb)


def _verb(verb: Verb) -> Iterator[str]:
    yield from (f"### {verb.name}", "", f"    {verb.usage}", "", f"{verb.summary} {verb.help}", "")
    here = {option.name for option in verb.options if not option.cli_only}
    options = (*verb.options, *SWITCHES.get(verb.name, ()))
    if options:
        yield from ("| option | meaning |", "|---|---|")
        yield from (_option(option, everywhere=option.name in here) for option in options)
        yield ""
    yield from ("For example:", "", *(f"    {example}" for example in verb.examples), "")


def _option(option: Option, *, everywhere: bool) -> str:
    where = "" if everywhere else " (in a terminal)"
    return (
        f"| `--{_cell(f'{option.name} {option.metavar}'.strip())}` | {_cell(option.help)}{where} |"
    )


def _programs() -> Iterator[str]:
    root = get_command(build_command_line())
    assert isinstance(root, TyperGroup)  # noqa: S101 - Typer makes one of an app
    above = Context(root, info_name="hms-sys")
    for name, command in root.commands.items():
        if not command.hidden and verb_named(name) is None:
            yield from _command(command, Context(command, info_name=name, parent=above))


def _command(command: object, context: Context) -> Iterator[str]:
    """One command, or those of a group one by one."""
    if isinstance(command, TyperGroup):
        for name, member in command.commands.items():
            yield from _command(member, Context(member, info_name=name, parent=context))
        return
    assert isinstance(command, TyperCommand)  # noqa: S101 - the other kind of what Typer makes
    words = [_word(parameter) for parameter in command.params if parameter.name != "help"]
    yield from (f"### {context.command_path}", "")
    yield from (f"    {' '.join([context.command_path, *words])}", "", command.help or "", "")
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        yield from ("| word | meaning | default |", "|---|---|---|", *rows, "")


def _word(parameter: object) -> str:
    """As usage shows it."""
    word = _name(parameter)
    return word if getattr(parameter, "required", False) else f"[{word}]"


def _name(parameter: object) -> str:
    if isinstance(parameter, TyperArgument):
        return (parameter.name or "").upper()
    assert isinstance(parameter, TyperOption)  # noqa: S101 - Typer makes nothing else
    return parameter.opts[-1] if parameter.is_flag else f"{parameter.opts[-1]} WORD"


def _row(parameter: object) -> str:
    assert isinstance(parameter, TyperArgument | TyperOption)  # noqa: S101
    short = "".join(f", `{name}`" for name in getattr(parameter, "opts", ())[:-1])
    more = " May be said several times." if getattr(parameter, "multiple", False) else ""
    default = "required" if parameter.required else ""
    if isinstance(parameter.default, str) and parameter.default:
        default = f"`{parameter.default}`"
    return f"| `{_name(parameter)}`{short} | {_cell((parameter.help or '') + more)} | {default} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(write_reference())
