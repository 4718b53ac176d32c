"""`db`: bringing the schema up to date, copying the database, and making a copy fit for use again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer

from handlers.cli.exits import DONE
from handlers.cli.orders import BackupOrder, RestoredOrder
from handlers.cli.running import run_program
from handlers.cli.services import Hooks, Settle
from handlers.cli.terminal import Terminal
from operations.deployment.aftermath import Settled
from operations.deployment.rollout import Rollout

_MARGIN = 1000
_MOST = 1_000_000


def add_database(app: typer.Typer, hooks: Hooks) -> None:
    """Adds the group `db`."""
    group = typer.Typer(
        name="db", help="The database.", no_args_is_help=True, rich_markup_mode=None
    )
    app.add_typer(group)

    @group.command("upgrade", help="Bring its schema up to date.")
    def upgrade() -> None:
        raise typer.Exit(run_program(hooks, "db upgrade", hooks.db_upgrade))

    @group.command("backup", help="Copy an SQLite database that is in use to a new file.")
    def backup(
        file: Annotated[str, typer.Argument(metavar="FILE", help="Is never overwritten.")],
    ) -> None:
        order = BackupOrder(target=file)
        raise typer.Exit(run_program(hooks, "db backup", lambda: hooks.db_backup(order)))

    @group.command("restored", help="Say that a backup was put back, before a bot starts.")
    def restored(
        by: Annotated[
            int,
            typer.Option(
                min=1, max=_MOST, help="How many rollouts, alerts or errors were lost at the most."
            ),
        ] = _MARGIN,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        order = RestoredOrder(by=by)
        run = run_program(hooks, "db restored", lambda: _settle(hooks.db_restored, order, json))
        raise typer.Exit(run)


async def _settle(settle: Settle, order: RestoredOrder, as_json: bool) -> int:
    terminal = Terminal.open()
    terminal.as_json = as_json
    settled = await settle(order)
    if as_json:
        terminal.document(settled_document(settled))
    terminal.say(say_settled(settled))
    return DONE


def settled_document(settled: Settled) -> Mapping[str, object]:
    """One JSON document. `numbers` are the first that will be given."""
    return {
        "numbers": {kind: last + 1 for kind, last in settled.numbers.items()},
        "expired": [each.name for each in settled.expired],
        "unknown": [each.name for each in settled.unknown],
    }


def say_settled(settled: Settled) -> Iterator[str]:
    """What was done, and what is left to people."""
    rollout, alert = settled.numbers["rollouts"] + 1, settled.numbers["alerts"] + 1
    yield f"Numbers go on higher: the next rollout is D-{rollout}, the next alert A-{alert}."
    if settled.expired:
        yield f"Waited in the backup, and will not start ({len(settled.expired)}):"
        yield from _listed(settled.expired)
        yield "  They have expired. Ask again for what is still wanted."
    if settled.unknown:
        yield f"Were under way in the backup, and are unknown now ({len(settled.unknown)}):"
        yield from _listed(settled.unknown)
        yield "  Nobody goes on with them. Look at the platform: `hms-sys status PROJECT ENVIRONMENT`."
    if settled.expired or settled.unknown:
        yield "Start the bot now. Their cards say so then."
    else:
        yield "Nothing waited or was under way in the backup."
        yield "Start the bot now."


def _listed(rollouts: Sequence[Rollout]) -> Iterator[str]:
    for each in rollouts:
        yield f"  {each.name}  {each.project} {each.release.version} → {each.environment}"
