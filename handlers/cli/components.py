"""`hms-sys components …`: the programs that call us and hear from us, as a person orders it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from handlers.cli.orders import ComponentsAction, ComponentsOrder
from handlers.cli.running import run_program
from handlers.cli.services import Hooks

_Name = Annotated[str, typer.Argument(metavar="NAME", help="As under `components:` in hms.yaml.")]
_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Run = Callable[[ComponentsOrder], None]
_ADD = (
    "Make a token, and write the component into hms.yaml. Where that cannot be done (`components: {…}` in "
    "flow style, a file that is read-only), the line to write is printed and the exit code is 2."
)


def add_components(app: typer.Typer, hooks: Hooks) -> None:
    """Adds the group `components`."""
    group = typer.Typer(
        name="components",
        help="Programs that call the HTTP API and hear of changes.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(group)

    def run(order: ComponentsOrder) -> None:
        name = f"components {order.action}"
        raise typer.Exit(run_program(hooks, name, lambda: hooks.components(order)))

    for add in (_add_list, _add_add, _add_rotate):
        add(group, run)
    for action, summary in (
        (ComponentsAction.REMOVE, "Take it out of hms.yaml."),
        (ComponentsAction.TEST, "Call its webhook once, and say what it answered."),
        (ComponentsAction.REPLAY, "Send its dead calls again."),
    ):
        _add_plain(group, action, summary, run)


def _add_list(group: typer.Typer, run: _Run) -> None:
    @group.command("list", help="Who there is, what they may, and calls that did not arrive.")
    def list_(
        name: Annotated[
            str, typer.Argument(metavar="NAME", help="One component, with its dead calls.")
        ] = "",
        json: _Json = False,
    ) -> None:
        run(ComponentsOrder(action=ComponentsAction.LIST, name=name, as_json=json))


def _add_add(group: typer.Typer, run: _Run) -> None:
    @group.command("add", help=_ADD)
    def add(
        name: _Name,
        may: Annotated[list[str], typer.Option(help="read, events or deploy:ENVIRONMENT.")],
        webhook: Annotated[str, typer.Option(help="Where changes are sent.")] = "",
        private: Annotated[
            bool, typer.Option("--private", help="The webhook may be at a private address.")
        ] = False,
        ticket_url: Annotated[
            str, typer.Option(help="Where people read about a ticket: https://…/{external_id}.")
        ] = "",
        json: _Json = False,
    ) -> None:
        run(
            ComponentsOrder(
                action=ComponentsAction.ADD,
                name=name,
                may=tuple(may),
                webhook=webhook,
                private=private,
                ticket_url=ticket_url,
                as_json=json,
            )
        )


def _add_rotate(group: typer.Typer, run: _Run) -> None:
    @group.command("rotate", help="Make a new token; the old one ends with the bot's restart.")
    def rotate(
        name: _Name,
        webhook_secret: Annotated[
            bool,
            typer.Option("--webhook-secret", help="A new secret for its webhook, and no token."),
        ] = False,
        json: _Json = False,
    ) -> None:
        action = ComponentsAction.ROTATE
        run(ComponentsOrder(action=action, name=name, secret_only=webhook_secret, as_json=json))


def _add_plain(
    group: typer.Typer,
    action: ComponentsAction,
    summary: str,
    run: _Run,
) -> None:
    def act(name: _Name, json: _Json = False) -> None:
        run(ComponentsOrder(action=action, name=name, as_json=json))

    group.command(action.value, help=summary)(act)
