"""deploy, rollback and promote: ask, then wait and show."""

from __future__ import annotations

from handlers.cli.exits import DONE, REFUSED, code_of_state
from handlers.cli.screens import open_screen
from handlers.cli.session import Session
from handlers.cli.waiting import await_end
from handlers.cli.wording import ending, headline
from handlers.documents import pinned, plan_document, rollout_document
from handlers.language import Deploy, Promote, Rollback
from operations.deployment.policy import required_rule
from operations.deployment.requests import DeployRequest, Plan, Requested
from operations.deployment.rollout import Rollout, RolloutKind, RolloutState
from operations.deployment.start_time import say_start

Requesting = Deploy | Rollback | Promote


async def request(command: Requesting, session: Session) -> int:
    """Ask for the rollout, and return how it ended."""
    if isinstance(command, Deploy) and command.dry_run:
        return await _plan(command, session)
    requested = await _ask(command, session)
    _tell_accepted(requested, session)
    if session.switches.flag("no_wait") or requested.starts:
        return _tell_unwaited(requested.rollout, session)
    return await wait_for(requested.rollout, session)


async def wait_for(rollout: Rollout, session: Session) -> int:
    """Show the rollout until it has ended, then its last words."""
    terminal = session.terminal
    terminal.waiting_for = rollout.name
    screen = open_screen(terminal)
    try:
        ended = await await_end(session.services, rollout.id, screen)
    finally:
        screen.close()
    if terminal.as_json:
        terminal.document(rollout_document(ended))
    terminal.say(ending(ended, terminal.names))
    return code_of_state(ended.state)


async def _ask(command: Requesting, session: Session) -> Requested:
    requests = session.deployments.requests
    if isinstance(command, Promote):
        promoted = await requests.promotion(command.project, command.source, command.destination)
        return await requests.request(promoted, session.actor)
    if isinstance(command, Rollback):
        back = DeployRequest(
            project=command.project,
            environment=command.environment,
            version=command.version,
            reason=command.reason,
        )
        return await requests.rollback(back, session.actor)
    return await requests.request(_deploy_request(command), session.actor)


def _deploy_request(command: Deploy) -> DeployRequest:
    return DeployRequest(
        project=command.project,
        environment=command.environment,
        version=command.version,
        provider=command.provider,
        reason=command.reason,
        emergency=command.emergency,
        start=command.at,
    )


def _tell_accepted(requested: Requested, session: Session) -> None:
    rollout = requested.rollout
    lines = [f"{rollout.name}: {rollout.project} {rollout.release.version} → {rollout.environment}"]
    lines += [f"It is pinned to {pinned(rollout.release)}."] if rollout.release.is_pinned else []
    lines += [f"Note: {warning}" for warning in rollout.warnings]
    lines += [f"{old.name} gave way to it." for old in requested.superseded]
    if requested.behind is not None:
        lines.append(f"{requested.behind.name} is being carried out first.")
    if requested.starts:
        lines.append(
            f"It starts at {requested.starts}, by a bot that runs then, or here:"
            f" `show {rollout.name} --wait`."
        )
    if rollout.state is RolloutState.PENDING_APPROVAL:
        lines += _where_asked(rollout, session)
    session.terminal.note(lines)


def _where_asked(rollout: Rollout, session: Session) -> list[str]:
    """Where people are asked, who can answer, and how."""
    target = session.deployments.inquiries.catalog.find(rollout.project, rollout.environment)
    rule = required_rule(
        target,
        emergency=rollout.emergency,
        is_rollback=rollout.kind is RolloutKind.ROLLBACK,
    )
    voters = sorted(rule.voters) if rule else []
    mentions = [f"<!subteam^{v}>" if v.startswith("S") else f"<@{v}>" for v in voters]
    people = " or ".join(mentions) or "anyone who may deploy there"
    votes = "1 vote" if rollout.votes_required == 1 else f"{rollout.votes_required} votes"
    place = (
        f"It is asked in Slack's channel {rollout.channel}."
        if rollout.channel
        else "It is asked nowhere in Slack: no channel is configured for it."
    )
    until = f" until {rollout.expires_at.astimezone():%H:%M}" if rollout.expires_at else ""
    return [f"It needs {votes} of {people}{until}. {place}", f"Or say `approve {rollout.name}`."]


def _tell_unwaited(rollout: Rollout, session: Session) -> int:
    if session.terminal.as_json:
        session.terminal.document(rollout_document(rollout))
    session.terminal.say([headline(rollout), f"See `show {rollout.name}`."])
    return DONE


async def _plan(command: Deploy, session: Session) -> int:
    plan = await session.deployments.requests.plan(_deploy_request(command), session.actor)
    if session.terminal.as_json:
        session.terminal.document(plan_document(plan))
    else:
        session.terminal.say(_plan_lines(plan))
    return REFUSED if plan.answer.obstacles else DONE


def _plan_lines(plan: Plan) -> list[str]:
    found = plan.resolution
    current = found.current.version if found.current else "nothing"
    lines = [
        f"Would ship {plan.target.project} {found.release.version} → {plan.target.environment}",
        f"From {current} · {plan.target.spec.title} · {pinned(found.release)}",
        *(f"  {change}" for change in found.changes),
        *(f"Note: {warning}" for warning in found.warnings),
    ]
    if plan.start_at is not None:
        lines.append(f"It would start at {say_start(plan.start_at, plan.target)}.")
    elif plan.behind is not None:
        lines.append(f"{plan.behind.name} would be carried out first.")
    for obstacle in plan.answer.obstacles:
        lines += [f"In the way: {obstacle.message}", *([obstacle.hint] if obstacle.hint else [])]
    if plan.answer.votes_required:
        lines.append(f"It would need approval: {plan.answer.votes_required}.")
    return [*lines, "Nothing was changed."]
