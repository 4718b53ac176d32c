"""Runs one command to its exit code: the only place of the command line that turns errors into words."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Sequence

from handlers.cli.asking import Asking, ask
from handlers.cli.deciding import Deciding, Holding, decide, hold
from handlers.cli.digest import digest
from handlers.cli.errors import list_errors
from handlers.cli.exits import DONE, FAILED, INTERRUPTED, code_of_error
from handlers.cli.monitoring import Monitoring, monitor
from handlers.cli.requesting import Requesting, request
from handlers.cli.services import Hooks, Program
from handlers.cli.session import Session
from handlers.cli.switches import SWITCHES
from handlers.cli.terminal import Terminal
from handlers.language import (
    Command,
    Digest,
    DigestAction,
    Errors,
    Help,
    Monitor,
    MonitorAction,
    Values,
    explain,
    overview,
    parse_argv,
    verb_named,
)
from operations.errors import OperationError
from operations.guard import Guard

Work = Callable[[], Awaitable[int]]
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


def run_words(hooks: Hooks, words: Sequence[str]) -> int:
    """Carry out what was said after `hms-sys`, the verb first."""
    terminal = Terminal.open()
    try:
        command, switches = parse_argv(words, SWITCHES)
        terminal.as_json = switches.flag("json")
    except OperationError as exc:
        terminal.complain(exc)
        return code_of_error(exc)
    if isinstance(command, Help):
        terminal.show(_help(command.topic).splitlines())
        return DONE
    return _run_async(
        hooks.guard, words[0], terminal, lambda: _carry(hooks, command, switches, terminal)
    )


def run_program(hooks: Hooks, name: str, program: Program) -> int:
    """Run a command that the composition root brought."""
    terminal = Terminal.open()
    try:
        result = program()
    except OperationError as exc:
        terminal.complain(exc)
        return code_of_error(exc)
    except KeyboardInterrupt:
        return INTERRUPTED
    if isinstance(result, int):
        return result
    return _run_async(hooks.guard, name, terminal, lambda: result)


async def _carry(hooks: Hooks, command: Command, switches: Values, terminal: Terminal) -> int:
    async with hooks.open_services(_only_reads(command)) as services:
        terminal.names = services.names
        session = Session(services, terminal, switches)
        if isinstance(command, Requesting):
            return await request(command, session)
        if isinstance(command, Deciding):
            return await decide(command, session)
        if isinstance(command, Holding):
            return await hold(command, session)
        if isinstance(command, Monitoring):
            return await monitor(command, session)
        if isinstance(command, Digest):
            return await digest(command, session)
        if isinstance(command, Errors):
            return await list_errors(command, session)
        if isinstance(command, Asking):
            return await ask(command, session)
    raise AssertionError(f"{type(command).__name__} is no command of the command line")


def _only_reads(command: Command) -> bool:
    match command:
        case Monitor(action=action):
            return action is MonitorAction.LIST
        case Digest(action=action):
            return action is DigestAction.READ
    return isinstance(command, Asking | Errors)


def _run_async(guard: Guard, name: str, terminal: Terminal, work: Work) -> int:
    """The event loop of one command; a bug shows its reference only."""
    ended = [FAILED]

    async def guarded() -> None:
        ended[0] = await _translated(terminal, work)

    try:
        reference = asyncio.run(_supervised(guard, name, guarded))
    except KeyboardInterrupt:
        terminal.note(_interrupted(terminal))
        return INTERRUPTED
    if reference:
        terminal.note([f"Something inside HMS-SYS went wrong. Reference: {reference}."])
    return ended[0]


async def _supervised(guard: Guard, name: str, work: Callable[[], Awaitable[None]]) -> str:
    return await guard(f"command {name}", work)


async def _translated(terminal: Terminal, work: Work) -> int:
    try:
        code = await work()
        terminal.out.flush()
    except OperationError as exc:
        terminal.complain(exc)
        return code_of_error(exc)
    except BrokenPipeError:
        # `hms-sys history | head`: whoever read has read enough.
        _forget_output(terminal)
        return DONE
    except OSError as exc:
        if exc.errno not in _UNWRITABLE:
            raise
        _forget_output(terminal)
        terminal.note([f"The answer could not be written: {exc.strerror}."])
        return FAILED
    return code


def _forget_output(terminal: Terminal) -> None:
    """So that what is still buffered does not fail once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), terminal.out.fileno())


def _interrupted(terminal: Terminal) -> list[str]:
    if not terminal.waiting_for:
        return []
    name = terminal.waiting_for
    return [
        "",
        f"{name} is not stopped: a bot that runs goes on with it.",
        f"Look with `show {name}`, go on here with `show {name} --wait`, stop it with `cancel {name}`.",
    ]


def _help(topic: str) -> str:
    """Help on a verb, with what the command line adds."""
    verb = verb_named(topic)
    return (
        explain(verb, program="hms-sys", switches=SWITCHES.get(topic, ())) if verb else overview()
    )
