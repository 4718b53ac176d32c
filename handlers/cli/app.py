"""The Typer app: one command per verb of the grammar, and those that the command line alone has.

A verb's words are not Typer's to read: they go to `handlers.language` as they are, so that the same
words mean the same here and in Slack. Typer brings the list of commands and their help.
"""

from __future__ import annotations

import typer
from typer.core import TyperCommand, TyperGroup

from handlers.cli.auditing import add_audit
from handlers.cli.components import add_components
from handlers.cli.database import add_database
from handlers.cli.doctor import add_doctor
from handlers.cli.migrating import add_migrate, add_moves
from handlers.cli.running import run_program, run_words
from handlers.cli.services import Hooks, Program
from handlers.language import VERBS, verb_named

_ANY = "any"
_AS_SAID = {
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
_HELP = "Ship from the terminal: the same words as `/hms` in Slack, on the same database."
_MORE = "`hms-sys help COMMAND` tells more of one; `hms-sys doctor` says what is missing, and what to do."


class _Verbs(TyperGroup):
    """Finds commands in any case; words that are none go to the grammar, which knows what was meant."""

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        found = self.commands.get(cmd_name.lower()) or self.commands[_ANY]
        return found if isinstance(found, TyperCommand | TyperGroup) else None


def build_app(hooks: Hooks) -> typer.Typer:
    """The whole command line. Nothing is opened or imported for it before a command runs."""
    app = typer.Typer(
        name="hms-sys",
        cls=_Verbs,
        help=_HELP,
        epilog=_MORE,
        invoke_without_command=True,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def overview(
        ctx: typer.Context,
        version: bool = typer.Option(False, "--version", help="Show the version and exit."),
        json: bool = typer.Option(
            False, "--json", help="Answer in JSON; may follow the command too."
        ),
    ) -> None:
        ctx.obj = ["--json"] if json else []
        if version:
            typer.echo(f"hms-sys {_version()}")
            raise typer.Exit()
        if ctx.invoked_subcommand is None:
            typer.echo(ctx.get_help())

    def say(ctx: typer.Context) -> None:
        if shown := _own_help(ctx):
            typer.echo(shown)
            return
        raise typer.Exit(run_words(hooks, [ctx.info_name or "", *_leading(ctx), *ctx.args]))

    for verb in (verb for verb in VERBS if not verb.slack_only):
        app.command(verb.name, help=verb.summary, context_settings=_AS_SAID)(say)
    app.command(_ANY, hidden=True, context_settings=_AS_SAID)(say)
    _add_programs(app, hooks)
    return app


def _leading(ctx: typer.Context) -> list[str]:
    """What was said before the verb, unless it is said after it as well."""
    given: list[str] = ctx.obj or []
    return [word for word in given if word not in ctx.args]


def _version() -> str:
    """Of the installation; read when it is asked for."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hms-sys")
    except PackageNotFoundError:
        return "of an unknown version: it is not installed"


def _own_help(ctx: typer.Context) -> str:
    """What `help` says of the whole, or of a command that is no verb; "" for everything else."""
    above = ctx.parent
    if (ctx.info_name or "").lower() != "help" or above is None:
        return ""
    if not ctx.args:
        return above.get_help()
    topic = ctx.args[0].lower()
    group = above.command
    command = group.commands.get(topic) if isinstance(group, TyperGroup) else None
    verb = verb_named(topic)
    if command is None or topic == _ANY or (verb is not None and not verb.slack_only):
        return ""
    return command.get_help(typer.Context(command, info_name=topic, parent=above))


def _add_programs(app: typer.Typer, hooks: Hooks) -> None:
    """What runs, checks and keeps the bot."""
    _add(app, hooks, "serve", hooks.serve, "Run the bot.")
    _add(app, hooks, "sandbox", hooks.sandbox, "Run the bot in a local sandbox.")
    config = _group(app, "config", "The configuration, hms.yaml.")
    _add(config, hooks, "check", hooks.config_check, "Say everything that is wrong with it.")
    _add(config, hooks, "schema", hooks.config_schema, "Print its JSON Schema.")
    add_migrate(config, hooks)
    add_moves(app, hooks)
    add_database(app, hooks)
    add_components(app, hooks)
    add_doctor(app, hooks)
    add_audit(app, hooks)


def _group(app: typer.Typer, name: str, summary: str) -> typer.Typer:
    group = typer.Typer(name=name, help=summary, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group)
    return group


def _add(app: typer.Typer, hooks: Hooks, name: str, program: Program, summary: str) -> None:
    def run() -> None:
        raise typer.Exit(run_program(hooks, name, program))

    app.command(name, help=summary)(run)
