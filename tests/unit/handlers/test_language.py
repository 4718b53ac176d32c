"""What people write, and the command that is understood."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from handlers.language import (
    VERBS,
    Ack,
    Approve,
    Cancel,
    Command,
    Deploy,
    DeployForm,
    Digest,
    DigestAction,
    Doctor,
    Errors,
    Help,
    History,
    Lock,
    Logs,
    Monitor,
    MonitorAction,
    Option,
    Promote,
    Reject,
    Review,
    Rollback,
    Show,
    Silence,
    Stats,
    Status,
    Unlock,
    Why,
    help_text,
    normalise,
    parse,
    parse_argv,
    render,
)
from operations.deployment.start_time import ClockTime, Delay, Moment
from operations.errors import InvalidRequest
from tests.factories import make_catalog, make_target

_HOURS_2 = timedelta(hours=2)

_UNDERSTOOD: list[tuple[str, Command]] = [
    ("", Help()),
    ("   ", Help()),
    ("help", Help()),
    ("help Deploy", Help("deploy")),
    ("deploy --help", Help("deploy")),
    ("deploy", DeployForm()),
    ("/hms deploy", DeployForm()),
    ("deploy myapp prod", Deploy("myapp", "prod")),
    ("deploy myapp prod v1.4.2", Deploy("myapp", "prod", "v1.4.2")),
    ("deploy a b v1 --at 18:30", Deploy("a", "b", "v1", at=ClockTime(time(18, 30)))),
    ("deploy a b at=9:05", Deploy("a", "b", at=ClockTime(time(9, 5)))),
    ("deploy a b --at 2h", Deploy("a", "b", at=Delay(_HOURS_2))),
    ("deploy a b —at “in 1h30m”", Deploy("a", "b", at=Delay(timedelta(minutes=90)))),
    ("deploy a b --at 90s", Deploy("a", "b", at=Delay(timedelta(seconds=90)))),
    (
        "deploy a b --at 2026-11-25T18:30+01:00",
        Deploy("a", "b", at=Moment(datetime(2026, 11, 25, 17, 30, tzinfo=UTC))),
    ),
    ("history --unreviewed", History(unreviewed=True)),
    ("review d1042", Review(1042)),
    ("review D-1042 it was right", Review(1042, "it was right")),
    ("stats", Stats()),
    ("stats myapp --since 7d", Stats("myapp", timedelta(days=7))),
    ("doctor", Doctor()),
    ("deploy myapp prod --version v1.4.2", Deploy("myapp", "prod", "v1.4.2")),
    ("deploy myapp prod v1 --version v1", Deploy("myapp", "prod", "v1")),
    ("deploy aws myapp prod v1", Deploy("myapp", "prod", "v1", provider="aws")),
    ("deploy kubernetes myapp prod", Deploy("myapp", "prod", provider="k8s")),
    ("deploy ECS myapp prod", Deploy("myapp", "prod", provider="aws")),
    ('deploy "aws" prod v1', Deploy("aws", "prod", "v1")),
    ("deploy myapp prod provider=forge", Deploy("myapp", "prod", provider="forge")),
    ("DEPLOY myapp PROD", Deploy("myapp", "PROD")),
    ("deploy --dry-run myapp prod", Deploy("myapp", "prod", dry_run=True)),
    ("deploy myapp prod dry_run=true", Deploy("myapp", "prod", dry_run=True)),
    ("deploy myapp prod --dry-run=no", Deploy("myapp", "prod")),
    (
        'deploy myapp --emergency prod --reason "login is down" v2',
        Deploy("myapp", "prod", "v2", reason="login is down", emergency=True),
    ),
    ("deploy myapp prod --reason=fix", Deploy("myapp", "prod", reason="fix")),
    ("deploy myapp prod reason='a fix'", Deploy("myapp", "prod", reason="a fix")),
    ("status", Status()),
    ("status myapp", Status("myapp")),
    ("status k8s myapp prod", Status("myapp", "prod", "k8s")),
    ("status aws", Status(provider="aws")),
    ("approve D-1042", Approve(1042)),
    ("approve d1042", Approve(1042)),
    ("approve 1042", Approve(1042)),
    ("approve D–1042", Approve(1042)),
    ("reject D-7", Reject(7)),
    ("reject D-7 wait for the migration", Reject(7, "wait for the migration")),
    ("reject D-7 reason=wait", Reject(7, "wait")),
    ("cancel D-7", Cancel(7)),
    ("why myapp prod", Why("myapp", "prod")),
    ("rollback myapp prod", Rollback("myapp", "prod")),
    ("rollback myapp prod v1 reason=slow", Rollback("myapp", "prod", "v1", "slow")),
    ("promote myapp staging prod", Promote("myapp", "staging", "prod")),
    ("history", History()),
    (
        "history myapp prod --by @bob --since 7d --limit 5",
        History("myapp", "prod", "bob", timedelta(days=7), 5),
    ),
    ("show D-7", Show(7)),
    ("lock myapp prod", Lock("myapp", "prod")),
    ("lock myapp prod on fire --for 2h", Lock("myapp", "prod", "on fire", _HOURS_2)),
    ("lock --for 2h myapp prod on fire", Lock("myapp", "prod", "on fire", _HOURS_2)),
    ("lock myapp prod a = b and c=d", Lock("myapp", "prod", "a = b and c=d")),
    ("unlock myapp prod", Unlock("myapp", "prod")),
    (
        "logs myapp prod --lines 5 --since 10m",
        Logs("myapp", "prod", 5, timedelta(minutes=10)),
    ),
    ("monitor list", Monitor(MonitorAction.LIST)),
    ("MONITOR Stop myapp", Monitor(MonitorAction.STOP, "myapp")),
    ("monitor start myapp prod", Monitor(MonitorAction.START, "myapp", "prod")),
    ("ack A-17", Ack(17)),
    ("ack a17", Ack(17)),
    ("ack A–17", Ack(17)),
    ("silence A-17 1h", Silence(17, timedelta(hours=1))),
    ("silence 17 1h 30m", Silence(17, timedelta(minutes=90))),
    ("digest", Digest()),
    ("digest now", Digest(DigestAction.NOW)),
    ("Digest NOW", Digest(DigestAction.NOW)),
    ("errors", Errors()),
    ("errors count", Errors()),
    ("errors 5", Errors(5)),
    ("errors myapp", Errors(project="myapp")),
    ("errors COUNT myapp", Errors(project="myapp")),
    (
        "ERRORS 20 myapp prod --since 24h",
        Errors(project="myapp", environment="prod", since=timedelta(days=1)),
    ),
    ("errors --newest 3 myapp", Errors(3, project="myapp", newest=True)),
    ("errors E-12", Errors(group_id=12)),
    ("errors e12", Errors(group_id=12)),
    ("errors E–12", Errors(group_id=12)),
    ("errors E-0", Errors(group_id=0)),
    ('errors "20" prod', Errors(project="20", environment="prod")),
    ('errors 5 "count"', Errors(5, project="count")),
    ('errors "e2"', Errors(project="e2")),
    ("errors e2e", Errors(project="e2e")),
]

_LOOSE: list[tuple[str, Command]] = [
    ("deploy myapp/prod 1.1", Deploy("myapp", "prod", "1.1")),
    ("deploy aws myapp/prod", Deploy("myapp", "prod", provider="aws")),
    ("status myapp/prod", Status("myapp", "prod")),
    ("monitor stop myapp/prod", Monitor(MonitorAction.STOP, "myapp", "prod")),
    ("promote myapp/staging prod", Promote("myapp", "staging", "prod")),
    ("deploy a b feature/x", Deploy("a", "b", "feature/x")),
    ('errors "a/b"', Errors(project="a/b")),
    ("deploy myapp to prod", Deploy("myapp", "prod")),
    ("deploy myapp to prod v1", Deploy("myapp", "prod", "v1")),
    ("promote myapp staging to prod", Promote("myapp", "staging", "prod")),
    ("rollback myapp prod to v1", Rollback("myapp", "prod", "v1")),
    ("deploy a b to", Deploy("a", "b", "to")),
    ('deploy "to" to b', Deploy("to", "b")),
    ("lock a b to be sure", Lock("a", "b", "to be sure")),
    ("errors five", Errors(5)),
    ("errors Ten myapp", Errors(10, project="myapp")),
    ('errors "five"', Errors(project="five")),
    ("history --limit ten", History(limit=10)),
    ("status all", Status()),
    ("errors 5 everything", Errors(5)),
    ("monitor list all", Monitor(MonitorAction.LIST)),
    ('history "all"', History("all")),
    ('status "D-7"', Status("D-7")),
    ("lock a b for 2h", Lock("a", "b", "", _HOURS_2)),
    ("lock a b on fire for 2 hours", Lock("a", "b", "on fire", _HOURS_2)),
    ("lock a b for 2h on fire", Lock("a", "b", "on fire", _HOURS_2)),
    ('lock a b "for 2h"', Lock("a", "b", "for 2h")),
    ("lock a b for good", Lock("a", "b", "for good")),
    ("lock a b until further notice", Lock("a", "b", "until further notice")),
    ('lock a b "until 6pm"', Lock("a", "b", "until 6pm")),
    ("silence A-17 for 2 hours", Silence(17, _HOURS_2)),
    ("silence A-17 an hour", Silence(17, timedelta(hours=1))),
    ("history --since 'a week'", History(since=timedelta(days=7))),
]

_TYPOGRAPHIC: list[tuple[str, Command]] = [
    ("deploy a b —reason “login fix”", Deploy("a", "b", reason="login fix")),
    ("deploy a b –reason ‘login fix’", Deploy("a", "b", reason="login fix")),
    ("deploy a b -reason «login fix»", Deploy("a", "b", reason="login fix")),
    ("deploy a b −−reason „login fix“", Deploy("a", "b", reason="login fix")),
    ("deploy a b reason=”login fix”", Deploy("a", "b", reason="login fix")),
    ("deploy\u00a0a\u202fb", Deploy("a", "b")),
    ("\ufeffdeploy a\u200b b", Deploy("a", "b")),
    ("lock a b don't, it’s broken", Lock("a", "b", "don't, it’s broken")),
    ("lock a b broken — really", Lock("a", "b", "broken — really")),
    (r'lock a b "say \"no\" \\ never"', Lock("a", "b", r'say "no" \ never')),
    ("lock a b 'don't'", Lock("a", "b", "don't")),
    ("lock a b -- --for 2h", Lock("a", "b", "--for 2h")),
    ("deploy a — b", Deploy("a", "b")),
    ('lock a b "--for" later', Lock("a", "b", "--for later")),
]

_SLACK: list[tuple[str, Command]] = [
    ("history --by <@U01BOB|bob>", History(by="U01BOB")),
    ("history by=<@U01BOB>", History(by="U01BOB")),
    ("lock a b ask <@U01BOB|bob>", Lock("a", "b", "ask @bob")),
    ("lock a b ask <@U01BOB>", Lock("a", "b", "ask @U01BOB")),
    ("lock a b see <#C01GEN|general>", Lock("a", "b", "see #general")),
    ("lock a b <!here> <!subteam^S1|@ops>", Lock("a", "b", "@here @ops")),
    ("lock a b a &lt;b&gt; &amp;amp; c", Lock("a", "b", "a <b> &amp; c")),
    ("deploy a b <http://v1.io|v1.io>", Deploy("a", "b", "v1.io")),
    ("lock a b <https://x.io/1>", Lock("a", "b", "https://x.io/1")),
    ("lock a b <mailto:x@y.io|x@y.io>", Lock("a", "b", "x@y.io")),
    ("`deploy a b v1`", Deploy("a", "b", "v1")),
    ("deploy `a` `b` `v1`", Deploy("a", "b", "v1")),
    ('`lock a b "x y"`', Lock("a", "b", "x y")),
]

_REFUSED: list[tuple[str, str, str]] = [
    ("deplyo a b v1", "no command “deplyo”", "`deploy a b v1`"),
    ("frobnicate", "no command “frobnicate”", "Commands: deploy"),
    ("serve", "on the command line only", "hms-sys serve"),
    ("components list", "on the command line only", "hms-sys components"),
    ("silence A-3 soon", "“soon” is not a duration", "`silence A-3 2h`"),
    ("deploy a b --at soon", "“soon” is no time to start at", "--at 18:30"),
    ("deploy a b --at 25:00", "“25:00” is no time to start at", "--at 18:30"),
    ("deploy a b --at in 2h", "“in” is no time to start at", "--at 2h"),
    ("deploy a b --at 2026-11-25T18:30", "is no time to start at", "+01:00"),
    ("deploy a b --at 2026-02-30T18:30Z", "is no time to start at", "+01:00"),
    ("deploy a b --at 0001-01-01T00:00+14:00", "is no time to start at", "+01:00"),
    ("stats a b", "`stats` does not take “b” as well", "Usage"),
    ("review soon", "“soon” is no rollout's id", "D-1042"),
    ("deploy a", "needs an environment", "Say `deploy a ENVIRONMENT`"),
    ("deploy aws", "needs a project", "Say `deploy aws PROJECT ENVIRONMENT`"),
    ("deploy --dry-run", "needs a project", "`help deploy`"),
    ('deploy "" prod', "needs a project", "`help deploy`"),
    ("promote a b", "needs an environment", "Say `promote a b TO`"),
    ("approve", "needs a rollout", "Say `approve D-1042`"),
    ("approve soon", "“soon” is no rollout's id", "D-1042"),
    ("deploy a b v1 --version v2", "two different values", "Usage"),
    ("deploy a b --reason x --reason y", "two different values", "Usage"),
    ("reject 7 this reason=that", "two different values", "Usage"),
    ("deploy a b v1 the login", "does not take “the login”", "in quotes"),
    ("unlock a b c", "does not take “c”", "Usage"),
    ("deploy frog myapp prod 1.2", "does not take “1.2”", "the provider `forge`?"),
    ("deploy a b --resaon x", "no option “--resaon”", "`--reason`"),
    ("deploy a b zebra=1", "no option “--zebra”", "--version"),
    ("unlock a b --force", "no option “--force”", "Usage"),
    ("deploy a b --reason", "`--reason` needs a value", "--reason TEXT"),
    ("deploy a b --reason --dry-run", "`--reason` needs a value", "--reason TEXT"),
    ("deploy a b reason=", "`--reason` needs a value", "Usage"),
    ("deploy a b --dry-run=maybe", "said alone", ""),
    ("deploy a b provider=azure", "no provider “azure”", "forge, aws, k8s"),
    ('lock a b "on fire', "opened and not closed", 'closing "'),
    ("lock a b 'tis broken", "opened and not closed", "closing '"),
    ("lock a b --for soon", "“soon” is not a duration", "--for 2h"),
    ("lock a b --for 0s", "not a duration", "--for 2h"),
    ("logs a b --lines 0", "no number from 1 to 1000", "--lines 50"),
    ("logs a b --lines -5", "no number", "--lines 50"),
    ("history --limit many", "no number from 1 to 200", "--limit 20"),
    ("logs a b --follow", "on the command line only", "hms-sys logs"),
    ("monitor", "needs an action", "Say `monitor list`"),
    ("monitor myapp", "“myapp” is not start, stop or list", "Say `monitor list`"),
    ("monitor stop a b c", "does not take “c”", "start|stop|list [PROJECT] [ENVIRONMENT]"),
    ("ack", "needs an alert", "Say `ack A-17`"),
    ("ack D-17", "“D-17” is no alert's id", "`show D-17`"),
    ("ack web", "“web” is no alert's id", "A-17"),
    ("silence A-17", "needs a duration", "Say `silence A-17 1h`"),
    ("silence A-17 soon", "“soon” is not a duration", "`silence A-17 2h`"),
    ("silence A-17 0s", "not a duration", "`silence A-17 2h`"),
    ("digest tomorrow", "does not know “tomorrow”", "Say `digest`"),
    ("errors 0", "“0” is no number from 1 to 200", "Say `errors 20`"),
    ("errors 201 myapp", "no number from 1 to 200", "Say `errors 20`"),
    ("errors myapp prod 5", "does not take “5”", "errors [COUNT] [E-12] [PROJECT]"),
    ("errors E-12 myapp", "E-12 is one group", "Say `errors E-12`"),
    ("errors E-12 --since 2h", "E-12 is one group", "Say `errors E-12`"),
    ("errors --since soon", "“soon” is not a duration", "--since 24h"),
    ("errors D-7", "“D-7” is a rollout, no project", "`show D-7`"),
    ("status a-7", "“a-7” is an alert, no project", "`ack A-7`"),
    ("show A-7", "“A-7” is no rollout's id", "It is an alert: say `ack A-7`"),
    ("approve E–7", "is no rollout's id", "say `errors E-7`"),
    ("D-7", "no command “D-7”", "`show D-7`"),
    ("A-7", "no command “A-7”", "`ack A-7`"),
    ("undo a b", "no command “undo”", "`rollback a b`"),
    ("ship a b v1", "no command “ship”", "`deploy a b v1`"),
    ("targets", "no command “targets”", "`status`"),
    ("alerts", "no command “alerts”", "`monitor list`"),
    ("silence 1h", "“1h” is no alert's id", "A-17"),
    ("silence web", "“web” is no alert's id", "A-17"),
    ("lock a b until 6pm", "how long, not until when", "--for 2h"),
    ("logs a b 50", "does not take “50”", "`--lines 50`"),
    ("history a b five", "does not take “five”", "`--limit five`"),
    ("config check", "on the command line only", "`hms-sys config check`"),
    ("help deplyo", "no command “deplyo”", "`deploy`"),
    ("deploy " + "x" * 150 + " prod", "too long", ""),
]


@pytest.mark.parametrize(("said", "meant"), _UNDERSTOOD, ids=[s for s, _ in _UNDERSTOOD])
def test_plain_words_are_understood(said: str, meant: Command) -> None:
    assert parse(said) == meant


@pytest.mark.parametrize(("said", "meant"), _LOOSE, ids=[s for s, _ in _LOOSE])
def test_words_beside_the_grammar_are_understood_and_quotes_take_that_back(
    said: str, meant: Command
) -> None:
    assert parse(said) == meant


@pytest.mark.parametrize(("said", "meant"), _TYPOGRAPHIC, ids=[s for s, _ in _TYPOGRAPHIC])
def test_what_editors_make_of_quotes_and_dashes_is_understood(said: str, meant: Command) -> None:
    assert parse(said) == meant


@pytest.mark.parametrize(("said", "meant"), _SLACK, ids=[s for s, _ in _SLACK])
def test_slacks_markup_is_undone(said: str, meant: Command) -> None:
    assert parse(said) == meant


@pytest.mark.parametrize(
    ("said", "message", "hint"), _REFUSED, ids=[s[:40] for s, _, _ in _REFUSED]
)
def test_what_cannot_be_understood_says_what_to_say(said: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse(said)
    assert message in refusal.value.message
    assert hint in refusal.value.hint


@pytest.mark.parametrize(
    "meant", [m for _, m in _UNDERSTOOD + _LOOSE + _TYPOGRAPHIC + _SLACK], ids=repr
)
def test_a_command_written_back_means_the_same(meant: Command) -> None:
    assert parse(render(meant)) == meant


def test_text_of_slacks_greatest_length_is_understood() -> None:
    reason = "word " * 390
    assert parse(f"lock a b {reason}") == Lock("a", "b", reason.strip())


def test_arguments_keep_what_the_shell_quoted() -> None:
    command, _ = parse_argv(["deploy", "a", "b", "--reason", "x & <y>"])
    assert command == Deploy("a", "b", reason="x & <y>")


def test_arguments_pasted_from_slack_are_joined_by_their_quotes() -> None:
    pasted = ["DEPLOY", "a", "b", "—reason", "“login", "is", "down”"]
    assert parse_argv(pasted)[0] == Deploy("a", "b", reason="login is down")


def test_an_argument_with_an_open_typographic_quote_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="opened and not closed"):
        parse_argv(["lock", "a", "b", "“on", "fire"])


def test_following_a_log_is_understood_on_the_command_line() -> None:
    assert parse_argv(["logs", "a", "b", "--follow"])[0] == Logs("a", "b", follow=True)


def test_the_command_line_adds_switches_to_a_verb() -> None:
    json = Option(name="json", field="json", help="")
    command, values = parse_argv(["status", "a", "—json"], {"status": [json]})
    assert command == Status("a")
    assert values.flag("json")


def test_a_switch_belongs_to_its_verb_only() -> None:
    json = Option(name="json", field="json", help="")
    with pytest.raises(InvalidRequest, match="no option “--json”"):
        parse_argv(["unlock", "a", "b", "--json"], {"status": [json]})


def test_deploy_alone_is_no_form_on_the_command_line() -> None:
    with pytest.raises(InvalidRequest, match="needs a project"):
        parse_argv(["deploy"])


def test_normalised_arguments_have_plain_dashes() -> None:
    assert normalise(["history", "—json", "–format=csv", "“a", "b”", "D–1"]) == [
        "history",
        "--json",
        "--format=csv",
        "a b",
        "D–1",
    ]


@pytest.mark.parametrize("verb", VERBS, ids=lambda v: v.name)
def test_every_example_in_the_help_is_understood(verb: object) -> None:
    known = next(v for v in VERBS if v is verb)
    for example in known.examples:
        parse(example)


def test_the_overview_names_every_verb() -> None:
    said = help_text()
    for verb in VERBS:
        assert f"\n{verb.name} " in f"\n{said}"


def test_help_on_a_verb_shows_usage_options_and_examples() -> None:
    said = help_text("deploy")
    assert said.startswith("deploy [forge|aws|k8s] PROJECT ENVIRONMENT [VERSION] [--reason TEXT]")
    assert "--dry-run" in said
    assert "deploy myapp prod 1.1" in said
    assert "--at TIME" in said


def test_the_command_line_s_own_commands_are_guessed_and_listed_there_alone() -> None:
    with pytest.raises(InvalidRequest) as guessed:
        parse_argv(["confg", "check"])
    with pytest.raises(InvalidRequest) as listed:
        parse_argv(["frobnicate"])
    with pytest.raises(InvalidRequest) as in_slack:
        parse("frobnicate")

    assert "`hms-sys config check`" in guessed.value.hint
    assert "components" in listed.value.hint
    assert "components" not in in_slack.value.hint


def test_the_command_line_leaves_doctor_to_its_own_program() -> None:
    with pytest.raises(InvalidRequest, match="`doctor` is said first"):
        parse_argv(["doctor"])


@pytest.mark.parametrize("sign", ["\x00", "\u202e", "\u200f", "\u2066", "\u200b"])
def test_signs_that_nobody_sees_are_not_part_of_a_word(sign: str) -> None:
    assert parse(f"{sign}deploy myapp{sign} prod 1.1") == parse("deploy myapp prod 1.1")


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("deploy myapp", "needs an environment (staging, prod)", "`deploy myapp ENVIRONMENT`"),
        ("rollback prod", "no project “prod”", "environment of myapp: say the project before it"),
        ("why everything", "no project “everything”", "Known: myapp, site."),
        ("lock myap", "no project “myap”", "Did you mean “myapp”?"),
        ("myapp prod", "no command “myapp”", "`status myapp prod`"),
    ],
)
def test_what_is_missing_is_named_where_the_names_are_known(
    said: str, message: str, hint: str
) -> None:
    catalog = make_catalog(
        make_target(environment="staging"),
        make_target(),
        make_target(project="site", environment="live"),
    )

    with pytest.raises(InvalidRequest) as refusal:
        parse(said, catalog)

    assert message in refusal.value.message
    assert hint in refusal.value.hint


def test_usage_in_slack_leaves_out_what_works_in_a_terminal_only() -> None:
    with pytest.raises(InvalidRequest) as in_slack:
        parse("logs a b c d")
    with pytest.raises(InvalidRequest) as in_a_terminal:
        parse_argv(["logs", "a", "b", "c", "d"])

    assert "--follow" not in in_slack.value.hint
    assert "--follow" in in_a_terminal.value.hint
