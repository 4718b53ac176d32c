"""`config migrate`: what a person says of the move from HMS-OPS. What it does is `bot.legacy`'s."""

from __future__ import annotations

from typing import Annotated

import typer

from handlers.cli.orders import MigrateOrder
from handlers.cli.running import run_program
from handlers.cli.services import Hooks


def add_migrate(config: typer.Typer, hooks: Hooks) -> None:
    """Adds `migrate` to the group `config`."""

    @config.command("migrate", help="Take HMS-OPS's configuration over.")
    def migrate(  # noqa: PLR0913 - one argument for each word of the command line
        source: Annotated[str, typer.Argument(help="The old file, .hms-ops-config.json.")],
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
