"""`make demo` and `hms-sys sandbox`: everything on this machine, nothing outside of it."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import socket
import sys
import textwrap
from contextlib import AsyncExitStack
from pathlib import Path

from sandbox.bot import keep_bot, wait_until_ready
from sandbox.ecs import EcsStandIn
from sandbox.forge import ForgeStandIn
from sandbox.github import GitHubStandIn, demo_repository
from sandbox.kubernetes import KubernetesStandIn
from sandbox.page import open_page
from sandbox.registry import RegistryStandIn
from sandbox.scene import (
    VERSIONS,
    Platforms,
    environment,
    say_versions,
    set_scene,
    watch,
    write_config,
    write_environment,
)
from sandbox.slack import open_local_slack
from sandbox.tour import tour_lines
from sandbox.website import Website

_WELCOME = """
  HMS-SYS sandbox: a local Slack, and simulated Kubernetes, ECS and Forge behind the real bot.

  Open         {url}    and choose who you act as, top right

{tour}

  Versions     {versions}
  Terminal     source {env} && {cli} status
               (as Carol, in another terminal)
  HTTP API     curl -H "Authorization: Bearer $TOKEN" "$HMS/api/v1/targets"
               (as hms-dev, there too; docs/api.md has more calls to paste)
  Bot's log    {log}

  Ctrl-C stops all of it.
"""


def main() -> int:
    """Parse the command line and run until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="hms-sys sandbox", description=__doc__)
    parser.add_argument("--local-slack", type=Path, required=True, help="the local-slack program")
    parser.add_argument("--port", type=int, default=4747, help="of the page (default 4747)")
    parser.add_argument("--bot-port", type=int, default=3000, help="of the bot's HTTP server")
    parser.add_argument(
        "--pace", type=float, default=1.5, help="seconds a step of a platform takes"
    )
    parser.add_argument(
        "--escalate-after", default="2m", help="how long an alert waits for somebody (default 2m)"
    )
    parser.add_argument("--state", type=Path, default=Path(".sandbox/run"), help="emptied at start")
    options = parser.parse_args()
    try:
        asyncio.run(run(options))
    except RuntimeError as exc:
        print(f"{exc}", file=sys.stderr)
        return 1
    return 0


async def run(options: argparse.Namespace) -> None:
    """Everything, until a signal."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    state = _empty(options.state)
    async with AsyncExitStack() as stack:
        platforms = await _open_platforms(stack, options.pace)
        set_scene(platforms)
        website = await stack.enter_async_context(Website(platforms.kubernetes))
        write_config(state / "hms.yaml", platforms, watch(website.url), options.escalate_after)
        slack = await stack.enter_async_context(
            open_local_slack(options.local_slack, state, _free_port(0))
        )
        page = await stack.enter_async_context(open_page(slack.url, _free_port(options.port)))
        variables = environment(state, platforms, slack, _free_port(options.bot_port))
        write_environment(state / "env", variables)
        async with asyncio.TaskGroup() as group:
            bot = group.create_task(keep_bot(variables, state / "bot.log", _say), name="bot")
            await _greet(page, variables, state)
            await stop.wait()
            _say("Stopping …")
            bot.cancel()
    _say("Stopped.")


async def _open_platforms(stack: AsyncExitStack, pace: float) -> Platforms:
    site = demo_repository()
    registry = await stack.enter_async_context(RegistryStandIn(VERSIONS))
    return Platforms(
        registry=registry,
        kubernetes=await stack.enter_async_context(KubernetesStandIn(pace=pace, registry=registry)),
        ecs=await stack.enter_async_context(EcsStandIn(pace=pace)),
        github=await stack.enter_async_context(GitHubStandIn(repositories=[site])),
        forge=await stack.enter_async_context(ForgeStandIn(repositories=[site], pace=pace)),
    )


async def _greet(page: str, variables: dict[str, str], state: Path) -> None:
    log = state / "bot.log"
    if await wait_until_ready(variables):
        cli = Path(sys.executable).with_name("hms-sys")
        cli = cli.relative_to(Path.cwd()) if cli.is_relative_to(Path.cwd()) else cli
        print(
            _WELCOME.format(
                url=page,
                tour=textwrap.indent("\n".join(tour_lines()), "  "),
                versions=say_versions(),
                env=state / "env",
                cli=cli,
                log=log,
            ),
            flush=True,
        )
    else:
        _say(f"The bot did not come up; its log is {log}.")


def _empty(state: Path) -> Path:
    """A directory of ours only: nothing is deleted that the sandbox did not write."""
    mark = state / ".hms-sandbox"
    if state.exists() and any(state.iterdir()):
        if not mark.exists():
            raise RuntimeError(
                f"{state} holds something that is not the sandbox's; choose another."
            )
        shutil.rmtree(state)
    state.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return state.resolve()


def _free_port(wished: int) -> int:
    """The wished port, or any that is free."""
    for port in dict.fromkeys((wished, 0)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("There is no free port.")


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
