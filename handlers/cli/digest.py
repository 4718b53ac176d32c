"""digest: the daily summary on the terminal, or one that is posted at once."""

from __future__ import annotations

from collections.abc import Iterator

from handlers import digest_words as words
from handlers.cli.exits import DONE
from handlers.cli.session import Session
from handlers.digest_documents import digest_document, stored_digest_document
from handlers.language import Digest as DigestCommand
from handlers.language import DigestAction
from operations.monitoring.digest.digest import Digest


async def digest(command: DigestCommand, session: Session) -> int:
    """Print one; `now` has the bot post it, and says where."""
    if command.action is DigestAction.NOW:
        return await _post(session)
    found = await session.digests.preview()
    if session.terminal.as_json:
        session.terminal.document(digest_document(found))
    else:
        session.terminal.copy(_lines(found))
    return DONE


async def _post(session: Session) -> int:
    stored = await session.digests.post_now(session.actor)
    if session.terminal.as_json:
        session.terminal.document(stored_digest_document(stored))
    head = words.headline(stored.digest, is_scheduled=False)
    session.terminal.say([f"{stored.label} goes to {stored.channel}. {head}"])
    return DONE


def _lines(digest: Digest) -> Iterator[str]:
    yield words.headline(digest, is_scheduled=False)
    yield words.span_line(digest)
    yield ""
    yield words.errors_line(digest)
    yield from (f"  {line.project}: {words.project_line(line)}" for line in digest.errors.projects)
    for heading, groups in (("New", digest.errors.new), ("Worst", digest.errors.worst)):
        if groups:
            yield f"{heading} errors:"
        yield from (f"  {g.label} {_one_line(g.title)} · {words.group_facts(g)}" for g in groups)
    yield words.alerts_line(digest)
    yield from (f"  {a.label} {a.name} · {a.target_name} · open" for a in digest.alerts.open)
    yield words.rollouts_line(digest)
    yield from (f"  {words.failure_line(rollout)}" for rollout in digest.rollouts.failures)
    if digest.rollouts.unreviewed:
        yield words.emergencies_line(digest)
    yield from (
        f"  {words.emergency_line(rollout, digest.zone)}" for rollout in digest.rollouts.unreviewed
    )
    yield from _uptime_lines(digest)


def _uptime_lines(digest: Digest) -> Iterator[str]:
    if not digest.uptimes:
        return
    yield words.uptime_line(digest)
    for line in digest.uptimes:
        yield f"  {line.name} {line.target_name}: {words.uptime_words(line)}"
    yield words.UPTIME_MEANS


def _one_line(text: str) -> str:
    return " ".join(text.split())
