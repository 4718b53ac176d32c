"""The move from HMS-OPS, as a person orders it. What is done is `bot.legacy`'s."""

from __future__ import annotations

from typing import Annotated

import typer

from handlers.cli.orders import AuditOrder, LogsOrder, MigrateOrder, ReferencesOrder
from handlers.cli.running import run_program
from handlers.cli.services import Hooks

_LOGS = """Bring HMS-OPS's deployments into history and its errors into the central log, marked as imported.

Run again it adds only what is missing. Ends with 0 when everything was read, with 1 when a file could not
be: the rest is imported then, and the report names it; with 2 when there is no log, or no such time zone;
with 4 when the database does not answer."""


_CONFIG = """Take HMS-OPS's configuration over.

Ends with 0 when the file was written: the report names what in it is to be decided, and what was not
understood. Ends with 1 when there was no target in the old file, with 2 when nothing was written: the old
file cannot be read, or the new one is there already."""


def add_migrate(config: typer.Typer, hooks: Hooks) -> None:
    """Adds `migrate` to the group `config`."""

    @config.command("migrate", help=_CONFIG)
    def migrate(  # noqa: PLR0913 - one argument for each word of the command line
        source: Annotated[
            str, typer.Argument(metavar="SOURCE", help="The old file, .hms-ops-config.json.")
        ],
        output: Annotated[str, typer.Option("-o", "--output", help="“-” prints it.")] = "hms.yaml",
        env_file: Annotated[
            str, typer.Option(help="Write the secrets to this file, mode 0600.")
        ] = "",
        force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
        json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
        deploys_channel: Annotated[str, typer.Option(help="Slack's id of the channel, C….")] = "",
        alerts_channel: Annotated[str, typer.Option(help="The same for alerts.")] = "",
        forge_organization: Annotated[str, typer.Option(help="As in Forge's addresses.")] = "",
    ) -> None:
        order = MigrateOrder(
            source=source,
            target=output,
            secrets_file=env_file,
            force=force,
            as_json=json,
            deploys_channel=deploys_channel,
            alerts_channel=alerts_channel,
            organization=forge_organization,
        )
        raise typer.Exit(run_program(hooks, "config migrate", lambda: hooks.config_migrate(order)))


def add_moves(app: typer.Typer, hooks: Hooks) -> None:
    """Adds the group `migrate`."""
    group = typer.Typer(
        name="migrate",
        help="The move from HMS-OPS.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(group)
    for add in (_add_audit, _add_references, _add_logs, _add_status):
        add(group, hooks)


def _add_audit(group: typer.Typer, hooks: Hooks) -> None:
    @group.command("audit", help="Say what of an HMS-OPS checkout is covered, and what is not.")
    def audit(
        path: Annotated[
            str, typer.Argument(metavar="PATH", help="The folder with hms-ops.sh in it.")
        ],
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        order = AuditOrder(path=path, as_json=json)
        raise typer.Exit(run_program(hooks, "migrate audit", lambda: hooks.migrate_audit(order)))


def _add_references(group: typer.Typer, hooks: Hooks) -> None:
    @group.command("references", help="Show who still calls HMS-OPS, and change it with --apply.")
    def references(
        path: Annotated[
            str, typer.Argument(metavar="PATH", help="A file, or a folder with scripts in it.")
        ],
        apply: Annotated[bool, typer.Option("--apply", help="Change them, with a copy.")] = False,
        program: Annotated[
            str, typer.Option(help="Where hms-sys is for those that called HMS-OPS by its path.")
        ] = "",
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        order = ReferencesOrder(path=path, apply=apply, as_json=json, program=program)
        run = run_program(hooks, "migrate references", lambda: hooks.migrate_references(order))
        raise typer.Exit(run)


def _add_logs(group: typer.Typer, hooks: Hooks) -> None:
    @group.command("logs", help=_LOGS)
    def logs(
        path: Annotated[
            str, typer.Argument(metavar="PATH", help="A log file, or the folder logs/.")
        ],
        timezone: Annotated[str, typer.Option(help="Of times that name none.")] = "UTC",
        project: Annotated[str, typer.Option(help="Of errors that name none.")] = "",
        environment: Annotated[str, typer.Option(help="The same.")] = "",
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Read, and store nothing.")
        ] = False,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        order = LogsOrder(
            path=path,
            timezone=timezone,
            project=project,
            environment=environment,
            dry_run=dry_run,
            as_json=json,
        )
        raise typer.Exit(run_program(hooks, "migrate logs", lambda: hooks.migrate_logs(order)))


def _add_status(group: typer.Typer, hooks: Hooks) -> None:
    @group.command("status", help="Say which targets in dual mode are ready to switch.")
    def status(
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        raise typer.Exit(run_program(hooks, "migrate status", lambda: hooks.migrate_status(json)))
