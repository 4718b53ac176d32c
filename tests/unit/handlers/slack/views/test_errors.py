"""Groups of errors as people read them: as agreed on, and within Slack's limits whatever programs say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from handlers.error_queries import Found
from handlers.language import Errors
from handlers.slack.ids import decode_button, subject_of_block
from handlers.slack.views import errors
from handlers.slack.views.aftermath import Aftermath, new_errors_reply
from handlers.slack.views.blocks import Message
from operations.deployment.rollout import RolloutState
from operations.monitoring.errors.event import Level
from operations.monitoring.errors.group import OTHER, Change, GroupReport, GroupState, Sample
from operations.monitoring.errors.newcomers import OTHER_TITLE
from tests.error_groups import make_change, make_detail, make_group, make_report, make_sample
from tests.factories import BOB, CAROL, NOON, make_rollout
from tests.slack_blocks import all_text, labels, message_faults, text_faults

HOSTILE = ("<!channel>", "<@U99EVIL>", "&lt;", "*bold*", "`code`", "```", "_it_ ~no~", "a\nb", "😀")
LIVE = make_rollout(
    state=RolloutState.SUCCEEDED,
    started_at=NOON - timedelta(minutes=14),
    ended_at=NOON - timedelta(minutes=12),
)
NEW = make_group(
    id=31,
    title="KeyError: 'discount'",
    count=3,
    first_seen=NOON - timedelta(minutes=8),
    last_seen=NOON - timedelta(seconds=20),
    first_release="1.1",
    last_release="1.1",
    rollout="D-1042",
)
BACK = make_group(
    id=7,
    title="Connection to db-1:5432 refused",
    level=Level.CRITICAL,
    count=1204331,
    first_seen=NOON - timedelta(days=9),
    last_release="1.5",
    rollout="D-1042",
)
LIVE_NOW = {"D-1042": NOON - timedelta(minutes=14)}
SILENCED = make_group(id=8, silenced_by=BOB, silenced_until=NOON + timedelta(minutes=40))
UNKNOWN = make_group(id=9, count=1, first_release="", last_release="", title="")
RESOLVED = make_group(
    state=GroupState.RESOLVED, resolved_by=BOB, resolved_at=NOON - timedelta(minutes=1)
)
QUIET = (0,) * 24


def report(group: object, **changes: object) -> GroupReport:
    """With a quiet day."""
    return replace(GroupReport(group=group, hours=QUIET), **changes)  # type: ignore[arg-type]


def found(*reports: GroupReport, more: bool = False, **words: object) -> Found:
    """What `errors` found."""
    command = replace(Errors(), **words)  # type: ignore[arg-type]
    return Found(command=command, reports=reports, has_more=more)


FOUR = found(
    make_report(),
    report(NEW),
    report(BACK),
    report(SILENCED),
    report(UNKNOWN),
    project="myapp",
    environment="prod",
)
EXAMPLES: dict[str, Callable[[], Message]] = {
    "a few": lambda: errors.listing(FOUR, NOON, LIVE_NOW),
    "imported": lambda: errors.listing(
        found(
            report(make_group(imported=812, first_release="", last_release="")),
            report(make_group(id=13, imported=800)),
        ),
        NOON,
    ),
    "nothing": lambda: errors.listing(found(), NOON),
    "nothing on a target": lambda: errors.listing(
        found(project="myapp", environment="prod", since=timedelta(hours=2)), NOON
    ),
    "more than were asked for": lambda: errors.listing(
        found(make_report(), more=True, count=1, newest=True), NOON
    ),
    "one in full": lambda: errors.detail(
        make_detail(samples=(make_sample(), make_sample(fields={}, release="", source=""))), NOON
    ),
    "one that nothing changed before": lambda: errors.detail(
        make_detail(report=report(BACK), changes=(), samples=()), NOON, LIVE_NOW
    ),
    "one that was resolved": lambda: errors.detail(
        make_detail(report=report(RESOLVED), samples=()), NOON
    ),
    "what changed": lambda: errors.changes(make_detail(), NOON),
    "what changed: nothing": lambda: errors.changes(make_detail(changes=()), NOON),
    "resolved": lambda: errors.resolved(RESOLVED),
    "silenced": lambda: errors.silenced(SILENCED, NOON),
    "after a rollout": lambda: new_errors_reply(
        Aftermath(rollout=LIVE, groups=(NEW, replace(NEW, id=32)), now=NOON, can_roll_back=True)
    ),
    "after a rollout that serves no more": lambda: new_errors_reply(
        Aftermath(rollout=LIVE, groups=(NEW, BACK), now=NOON)
    ),
    "during a rollout": lambda: new_errors_reply(
        Aftermath(
            rollout=make_rollout(
                state=RolloutState.RUNNING, started_at=NOON - timedelta(minutes=9)
            ),
            groups=(NEW,),
            now=NOON,
        )
    ),
    "only back again": lambda: new_errors_reply(Aftermath(rollout=LIVE, groups=(BACK,), now=NOON)),
    "all resolved": lambda: new_errors_reply(
        Aftermath(
            rollout=LIVE,
            groups=(replace(NEW, state=GroupState.RESOLVED, resolved_by=BOB, resolved_at=NOON),),
            now=NOON,
        )
    ),
    "many after a rollout": lambda: new_errors_reply(
        Aftermath(
            rollout=LIVE, groups=[replace(NEW, id=number) for number in range(1, 15)], now=NOON
        )
    ),
}


def _readable(drawn: Message) -> str:
    return f"{drawn.text}\n---\n{all_text(drawn.blocks)}\n---\n{labels(drawn.blocks)}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_errors(name: str, snapshot: SnapshotAssertion) -> None:
    """What people read; a change of these snapshots is a change of the product."""
    assert _readable(EXAMPLES[name]()) == snapshot


@pytest.mark.parametrize("name", EXAMPLES)
def test_errors_are_taken_by_slack(name: str) -> None:
    """By shape, limits and escaping; the text says it all, and mentions nobody."""
    drawn = EXAMPLES[name]()

    assert message_faults(drawn.blocks) == []
    assert list(text_faults(drawn.text)) == []
    assert 0 < len(drawn.text) < 300
    assert "<@" not in drawn.text


def test_only_buttons_that_would_do_something() -> None:
    """Of a silenced group there is nothing to silence, of a resolved one nothing to resolve."""
    assert labels(errors.listing(found(report(SILENCED)), NOON).blocks) == [
        "Resolve",
        "What changed",
    ]
    assert labels(EXAMPLES["one that was resolved"]().blocks) == []
    assert labels(EXAMPLES["one in full"]().blocks) == ["Resolve", "Silence 1h"]


def test_roll_back_is_offered_while_it_would_work() -> None:
    """It is the rollout's own button, with all its rules."""
    drawn = EXAMPLES["after a rollout"]()
    [button] = [
        element
        for block in drawn.blocks
        if isinstance(block.get("elements"), list) and block["type"] == "actions"
        for element in block["elements"]  # type: ignore[union-attr]
    ]
    value = decode_button(str(button["value"]))  # type: ignore[index, call-overload]

    assert labels(drawn.blocks) == ["Roll back"]
    assert value is not None
    assert value.number == 1042
    assert labels(EXAMPLES["after a rollout that serves no more"]().blocks) == []


def test_a_private_answer_names_no_subject_and_a_reply_its_rollout() -> None:
    """Only the rollout's reply can be brought up to date."""
    private, reply = EXAMPLES["a few"](), EXAMPLES["after a rollout"]()
    subjects = [
        {subject_of_block(str(b.get("block_id", ""))) for b in d.blocks} for d in (private, reply)
    ]

    assert subjects[0] == {""}
    assert subjects[1] == {"", "D-1042"}
    assert str(reply.blocks[0]["block_id"]).startswith("D-1042.errors.")


def test_twelve_have_buttons_and_the_others_are_lines() -> None:
    """All that were asked for are told, and where there are more it says how to see them."""
    long = [make_report(id=n, title="T" * 100, project="p" * 60) for n in range(1, 51)]
    many = found(*long, more=True, count=50)
    drawn = errors.listing(many, NOON)

    assert labels(drawn.blocks).count("Resolve") == 12
    assert all(f"E-{number} " in all_text(drawn.blocks) for number in range(1, 13))
    assert len(drawn.blocks) < 50
    assert message_faults(drawn.blocks) == []
    shown = all_text(drawn.blocks).count("812 times")
    assert 12 < shown < 50
    assert f"{50 - shown} more: name a project, or `hms-sys errors 50` in a terminal" in all_text(
        drawn.blocks
    )


def test_the_end_of_a_stack_is_shown_and_the_beginning_of_what_was_said() -> None:
    """The fault is in the last frames."""
    sample = make_sample(message="M" * 5000)
    said = all_text(errors.detail(make_detail(samples=(sample,)), NOON).blocks)

    assert "M" * 399 + "…" in said
    assert "middleware/28.py" in said
    assert "middleware/3.py" not in said
    assert "return sum(line.price" in said


words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.text(alphabet="&<>*`_x ", min_size=200, max_size=1200),
    st.builds(lambda text: text * 2500, st.sampled_from(HOSTILE)),
)
names = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=120))
times = st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda span: NOON - span)
people = st.none() | st.sampled_from([BOB, CAROL])
groups = st.builds(
    make_group,
    id=st.integers(1, 10**9),
    title=words,
    project=names,
    environment=names,
    level=st.sampled_from(Level),
    state=st.sampled_from(GroupState),
    count=st.integers(1, 10**9),
    first_seen=times,
    last_seen=times,
    first_release=names,
    last_release=names,
    rollout=st.sampled_from(["", "D-1042", "<!here>"]),
    silenced_by=people,
    silenced_until=st.none() | st.just(NOON + timedelta(hours=1)),
    resolved_by=people,
    resolved_at=st.none() | times,
)
reports = st.builds(
    GroupReport,
    group=groups,
    hours=st.lists(st.integers(0, 10**6), min_size=24, max_size=24),
)
lists = st.lists(reports, max_size=25, unique_by=lambda one: one.group.id)
samples = st.builds(
    Sample,
    at=times,
    message=words,
    release=names,
    source=names,
    fields=st.dictionaries(st.sampled_from(["stack", "type"]), words),
)
changes = st.builds(Change, at=times, subject=st.sampled_from(["D-7", "<!here>"]), text=words)


def _fits(drawn: Message) -> None:
    assert message_faults(drawn.blocks) == []
    assert list(text_faults(drawn.text)) == []
    assert 0 < len(drawn.text) < 300


@settings(max_examples=25, deadline=None)
@given(
    several=st.lists(reports, max_size=25, unique_by=lambda report: report.group.id),
    more=st.booleans(),
    project=st.just("") | names,
)
def test_no_words_break_a_list(several: list[GroupReport], more: bool, project: str) -> None:
    """Whatever programs say, Slack takes it and nobody is mentioned by it."""
    _fits(errors.listing(found(*several, more=more, project=project), NOON, LIVE_NOW))


@settings(max_examples=25, deadline=None)
@given(one=reports, said=st.lists(samples, max_size=5), before=st.lists(changes, max_size=30))
def test_no_words_break_one_in_full(
    one: GroupReport, said: list[Sample], before: list[Change]
) -> None:
    """Nor its answers."""
    detail = make_detail(report=one, samples=said, changes=before)
    _fits(errors.detail(detail, NOON))
    _fits(errors.changes(detail, NOON))
    _fits(errors.resolved(one.group))
    _fits(errors.silenced(one.group, NOON))


@settings(max_examples=25, deadline=None)
@given(several=st.lists(groups, min_size=1, max_size=30), version=names, may=st.booleans())
def test_no_words_break_a_reply(several: list[object], version: str, may: bool) -> None:
    """In the thread of a rollout."""
    rollout = replace(LIVE, release=replace(LIVE.release, version=version))
    after = Aftermath(rollout=rollout, groups=several, now=NOON, can_roll_back=may)  # type: ignore[arg-type]
    _fits(new_errors_reply(after))


def test_a_reply_that_cannot_name_all_says_that_there_are_more() -> None:
    groups = [replace(NEW, id=number) for number in range(1, 201)]
    drawn = new_errors_reply(Aftermath(rollout=LIVE, groups=groups, now=NOON, is_cut=True))

    assert drawn.text.startswith("200+ new errors ")
    assert "190+ more" in all_text(drawn.blocks)


def test_a_change_names_its_rollout_once() -> None:
    """Whoever wrote its text may have named it already."""
    named = all_text(errors.changes(make_detail(), NOON).blocks)
    unnamed = all_text(
        errors.changes(make_detail(changes=(make_change(text="shipped 1.4.2"),)), NOON).blocks
    )

    assert named.count("D-1042") == 1
    assert "D-1042 shipped 1.4.2" in unnamed


def test_one_that_came_back_says_who_had_resolved_it_wherever_it_is_shown() -> None:
    back = replace(BACK, resolved_by=BOB, resolved_at=NOON - timedelta(minutes=40))
    said = "↩️ came back after <@U02BOB> resolved it "

    listed = all_text(errors.listing(found(report(back)), NOON).blocks)
    reply = all_text(new_errors_reply(Aftermath(rollout=LIVE, groups=(back,), now=NOON)).blocks)

    assert said in listed
    assert reply.count("came back after <@U02BOB>") == 1
    assert reply.count("↩️") == 1


def test_one_that_came_back_after_a_rollout_says_both() -> None:
    back = replace(BACK, resolved_by=BOB, resolved_at=NOON - timedelta(minutes=40))

    listed = all_text(errors.listing(found(report(back)), NOON, LIVE_NOW).blocks)

    assert "↩️ came back after D-1042, which is live now, and after <@U02BOB> resolved it " in listed


def test_the_group_of_other_errors_says_what_it_is() -> None:
    other = make_detail(report=make_report(fingerprint=OTHER, title=OTHER_TITLE))

    assert "errors.new_groups in hms.yaml" in all_text(errors.detail(other, NOON).blocks)
