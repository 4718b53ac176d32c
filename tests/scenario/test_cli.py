"""Whole commands: arguments in, text and exit code out, over real operations and a real database."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.clock import SystemClock
from bot.supervision import Supervisor
from handlers.cli import CliServices, build_app
from operations.deployment.ports import TargetHealth
from operations.deployment.service import Deployments
from operations.deployment.target import ApprovalRule, Target
from operations.errors import InvalidRequest, ProviderUnavailable, StorageUnavailable
from tests.factories import ALICE, BOB, NEW, NOBODY, make_catalog, make_target
from tests.fakes_cli import LateClock, Shop
from tests.fakes_deployment import FAILURE, ScriptedProvider


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(path=tmp_path)


def _bob(vote: str) -> Callable[[Deployments, int], Awaitable[object]]:
    async def decide(deployments: Deployments, rollout_id: int) -> None:
        if vote == "approve":
            await deployments.decisions.approve(rollout_id, BOB)
        else:
            await deployments.decisions.reject(rollout_id, BOB, "not today")

    return decide


# -- deploy ----------------------------------------------------------------------------------------


def test_deploy_waits_for_the_end_and_says_so(shop: Shop) -> None:
    result = shop.run("deploy myapp staging 1.1")
    assert result.exit_code == 0
    assert result.stdout.startswith("Live: myapp 1.1 → staging (D-1001")
    assert "D-1001 Live: myapp 1.1 → staging" in result.stderr
    assert "✓ Deployment web patched" in result.stderr


def test_deploy_as_it_is_said_in_slack(shop: Shop) -> None:
    result = shop.run("DEPLOY K8S MyApp STAGING version=1.1 —reason “rounding fix”")
    assert result.exit_code == 0
    assert json.loads(shop.run("show D-1001 --json").stdout)["reason"] == "rounding fix"


def test_deploy_json_is_one_document_and_text_goes_to_stderr(shop: Shop) -> None:
    result = shop.run("deploy myapp staging 1.1 --json")
    document = json.loads(result.stdout)
    assert (document["id"], document["state"]) == ("D-1001", "succeeded")
    assert document["artifact"] == NEW.artifact
    assert "Live: myapp 1.1 → staging" in result.stderr


def test_deploy_that_needs_approval_says_where_it_is_asked_and_waits(shop: Shop) -> None:
    shop.before_work = _bob("approve")
    result = shop.run("deploy myapp prod 1.1")
    assert result.exit_code == 0
    assert "It needs 1 vote of anyone who may deploy there" in result.stderr
    assert "Slack's channel C01GEN" in result.stderr
    assert "`hms-sys approve D-1001`" in result.stderr
    assert "D-1001 Waiting for approval: myapp 1.1 → prod" in result.stderr


def test_deploy_names_those_who_can_approve(shop: Shop) -> None:
    rule = ApprovalRule(required=2, voters=frozenset({"U02BOB", "S01OPS"}))
    shop.catalog = make_catalog(make_target(approval=rule, channel=""))
    result = shop.run("deploy myapp prod 1.1 --no-wait")
    assert "It needs 2 votes of S01OPS or bob" in result.stderr
    assert "asked nowhere in Slack" in result.stderr


def test_deploy_that_is_rejected_was_refused(shop: Shop) -> None:
    shop.before_work = _bob("reject")
    result = shop.run("deploy myapp prod 1.1")
    assert result.exit_code == 3
    assert "Rejected by bob: not today" in result.stdout


def test_deploy_that_fails_tells_the_platforms_reason(shop: Shop) -> None:
    shop.provider = ScriptedProvider(scripts={NEW.artifact: FAILURE})
    result = shop.run("deploy myapp staging 1.1")
    assert result.exit_code == 1
    assert "Failed and rolled back: myapp 1.1 → staging" in result.stdout
    assert "ImagePullBackOff: not found" in result.stdout
    assert "  last log line" in result.stdout


def test_deploy_without_waiting_returns_once_accepted(shop: Shop) -> None:
    result = shop.run("deploy myapp staging 1.1 --no-wait")
    assert result.exit_code == 0
    assert "Queued: myapp 1.1 → staging" in result.stdout
    assert json.loads(shop.run("show 1001 --json").stdout)["state"] == "queued"


def test_what_was_not_waited_for_can_be_waited_for_later(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1 --no-wait")
    result = shop.run("show D-1001 --wait --json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["state"] == "succeeded"


def test_deploy_dry_run_changes_nothing(shop: Shop) -> None:
    result = shop.run("deploy myapp prod 1.1 --dry-run")
    assert result.exit_code == 0
    assert "Would ship myapp 1.1 → prod" in result.stdout
    assert "Nothing was changed." in result.stdout
    assert json.loads(shop.run("history --json").stdout)["rollouts"] == []


def test_deploy_dry_run_that_would_be_refused_is_refused(shop: Shop) -> None:
    shop.run("lock myapp prod migration", actor=BOB)
    result = shop.run("deploy myapp prod 1.1 --dry-run --json")
    assert result.exit_code == 3
    (obstacle,) = json.loads(result.stdout)["obstacles"]
    assert obstacle["message"] == "myapp/prod is locked by U02BOB: migration."


def test_deploy_to_a_locked_target_is_refused_with_a_hint(shop: Shop) -> None:
    shop.run("lock myapp prod migration", actor=BOB)
    result = shop.run("deploy myapp prod 1.1")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "myapp/prod is locked by bob: migration.",
        "They or an admin can lift it with `hms-sys unlock`.",
    ]


def test_deploy_tells_what_gave_way(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    result = shop.run("deploy myapp prod 1.0 --no-wait")
    assert "D-1001 gave way to it." in result.stderr


def test_deploy_that_nobody_decides_on_has_expired(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    shop.clock = LateClock(timedelta(hours=2))
    result = shop.run("show D-1001 --wait")
    assert result.exit_code == 3
    assert "Expired: myapp 1.1 → prod" in result.stdout


def test_ctrl_c_says_that_it_goes_on_and_how_to_look(shop: Shop) -> None:
    async def interrupt(deployments: Deployments, rollout_id: int) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()  # a claim that is cut off would hold its lease for a while

    shop.before_work = interrupt
    result = shop.run("deploy myapp staging 1.1")
    assert result.exit_code == 130
    assert "D-1001 is not stopped" in result.stderr
    assert "`hms-sys show D-1001 --wait`" in result.stderr
    shop.before_work = None
    assert shop.run("show D-1001 --wait").exit_code == 0


# -- rollback, promote -----------------------------------------------------------------------------


def test_rollback_brings_the_former_version_back(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1")
    result = shop.run("rollback myapp staging reason=slow")
    assert result.exit_code == 0
    assert "Live: myapp 1.0 → staging (rollback)" in result.stdout


def test_promote_ships_what_is_live(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1")
    shop.before_work = _bob("approve")
    result = shop.run("promote myapp staging prod --json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["environment"], document["version"]) == ("prod", "1.1")


# -- decisions and locks ---------------------------------------------------------------------------


def test_approve_counts(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    result = shop.run("approve d1001", actor=BOB)
    assert result.exit_code == 0
    assert "D-1001 is approved and waits in the queue (by bob)." in result.stdout


def test_a_vote_that_is_not_the_last_says_how_many_are_missing(shop: Shop) -> None:
    shop.catalog = make_catalog(make_target(approval=ApprovalRule(required=2)))
    shop.run("deploy myapp prod 1.1 --no-wait")
    result = shop.run("approve D-1001", actor=BOB)
    assert result.stdout == "Your vote for D-1001 counts. It needs 1 more.\n"


def test_the_vote_of_a_login_that_is_nobody_in_slack_is_refused(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    result = shop.run("approve D-1001", actor=NOBODY)
    assert result.exit_code == 3
    assert "not mapped to a Slack user" in result.stderr


def test_reject_ends_it_with_the_reason(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    result = shop.run("reject D-1001 not before the migration --json", actor=BOB)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["state"] == "rejected"
    assert document["outcome"] == "Rejected by U02BOB: not before the migration"


def test_cancel_withdraws(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    result = shop.run("cancel D-1001")
    assert result.exit_code == 0
    assert "D-1001 was cancelled." in result.stdout


def test_a_decision_on_what_has_ended_is_refused(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")
    shop.run("cancel D-1001")
    result = shop.run("approve D-1001", actor=BOB)
    assert result.exit_code == 3
    assert "D-1001 was cancelled" in result.stderr


def test_lock_and_unlock(shop: Shop) -> None:
    locked = shop.run("lock myapp prod moving the database --for 2h")
    assert locked.exit_code == 0
    assert "myapp/prod is locked until" in locked.stdout
    unlocked = shop.run("unlock myapp prod --json")
    assert json.loads(unlocked.stdout)["reason"] == "moving the database"
    assert shop.run("unlock myapp prod").exit_code == 3


# -- questions -------------------------------------------------------------------------------------


def test_status_is_a_table_of_the_fleet(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1")
    result = shop.run("status")
    assert result.exit_code == 0
    header, prod, staging = result.stdout.splitlines()
    assert header.split() == ["Target", "On", "Serves", "Healthy", "State", "Lock", "Last"]
    assert prod.startswith("myapp/prod")
    assert "2 of 2" in staging
    assert "D-1001 Live" in staging


def test_status_json_has_the_promised_keys(shop: Shop) -> None:
    (target,) = json.loads(shop.run("status myapp prod --json").stdout)["targets"]
    assert {
        "project",
        "environment",
        "provider",
        "version",
        "desired",
        "healthy",
        "state",
        "lock",
        "last_rollout",
    } <= set(target)


def test_status_with_the_wrong_provider_names_the_right_one(shop: Shop) -> None:
    result = shop.run("status aws myapp prod")
    assert result.exit_code == 2
    assert "myapp/prod is deployed by k8s, not aws." in result.stderr


class _SilentProvider(ScriptedProvider):
    async def status(self, target: Target) -> TargetHealth:
        raise ProviderUnavailable("The cluster does not answer.")


def test_status_of_platforms_that_do_not_answer_is_unreachable(shop: Shop) -> None:
    shop.provider = _SilentProvider()
    result = shop.run("status")
    assert result.exit_code == 4
    assert "unknown: The cluster does not answer." in result.stdout


def test_history_is_a_table_newest_first(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1 --reason [bold]fix")
    shop.run("deploy myapp staging 1.0")
    result = shop.run("history myapp staging")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Id", "D-1002", "D-1001"]
    assert "[bold]fix" in lines[2]
    assert "alice" in lines[2]


def test_history_calls_live_what_serves_now_and_names_rollbacks(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1")
    shop.run("deploy myapp staging 1.0")
    shop.run("rollback myapp staging")
    lines = shop.run("history myapp staging").stdout.splitlines()
    assert "Live, rollback" in lines[1]
    assert ["Went live  " in line for line in lines[2:]] == [True, True]
    assert shop.run("show D-1001").stdout.startswith("Went live: myapp 1.1 → staging (D-1001)")


@pytest.mark.parametrize("words", ["--json", "--format json", "format=JSON"])
def test_history_as_json(shop: Shop, words: str) -> None:
    shop.run("deploy myapp staging 1.1")
    document = json.loads(shop.run(f"history {words}").stdout)
    assert [r["id"] for r in document["rollouts"]] == ["D-1001"]
    assert document["next"] is None


def test_history_as_csv_defuses_formulas(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1 --reason '=HYPERLINK(1)'")
    rows = list(csv.DictReader(io.StringIO(shop.run("history --format csv").stdout)))
    assert rows[0]["id"] == "D-1001"
    assert rows[0]["reason"] == "'=HYPERLINK(1)"


def test_history_in_an_unknown_format_is_bad_usage(shop: Shop) -> None:
    assert shop.run("history --format yaml").exit_code == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("MYAPP STAGING", ["D-1002", "D-1001"]),
        ("--by alice", ["D-1001"]),
        ("--by me", ["D-1001"]),
        ("--by U02BOB", ["D-1002"]),
        ("--by mallory", []),
        ("--limit 1", ["D-1002"]),
        ("--since 1h", ["D-1002", "D-1001"]),
    ],
)
def test_history_is_filtered(shop: Shop, words: str, found: list[str]) -> None:
    shop.run("deploy myapp staging 1.1")
    shop.run("deploy myapp staging 1.0", actor=BOB)
    document = json.loads(shop.run(f"history {words} --json").stdout)
    assert [r["id"] for r in document["rollouts"]] == found


def test_show_tells_all_that_happened(shop: Shop) -> None:
    shop.before_work = _bob("approve")
    shop.run("deploy myapp prod 1.1")
    text = shop.run("show D-1001").stdout
    assert text.startswith("Live: myapp 1.1 → prod (D-1001)")
    assert "approved" in text
    assert "bob" in text
    timeline = json.loads(shop.run("show D-1001 --json").stdout)["timeline"]
    assert timeline[0]["action"] == "rollout.requested"


def test_why_names_what_stands_in_the_way(shop: Shop) -> None:
    shop.run("lock myapp prod migration", actor=BOB)
    result = shop.run("why myapp prod")
    assert result.exit_code == 0
    assert "myapp/prod is locked by bob: migration." in result.stdout
    assert "It needs 1 approval of anyone who may deploy there." in result.stdout
    document = json.loads(shop.run("why myapp prod --json").stdout)
    assert len(document["obstacles"]) == 1


def test_logs_are_printed_as_they_are(shop: Shop) -> None:
    assert shop.run("logs myapp prod").stdout == "GET / 200\n"
    assert json.loads(shop.run("logs myapp prod --json").stdout)["lines"] == ["GET / 200"]


class _TalkingProvider(ScriptedProvider):
    """Three lines at first, one more at each look."""

    said = 2

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        self.said += 1
        return [f"`show` line {n}" for n in range(self.said)][-lines:]


class _InterruptingClock(LateClock):
    """Ctrl-C at the third wait."""

    waits = 0

    async def sleep(self, seconds: float) -> None:
        self.waits += 1
        if self.waits == 3:
            signal.raise_signal(signal.SIGINT)
        await super().sleep(0)


def test_a_log_is_followed_until_ctrl_c(shop: Shop) -> None:
    shop.provider = _TalkingProvider()
    shop.clock = _InterruptingClock(timedelta(0))
    result = shop.run("logs myapp prod --lines 2 --follow")
    assert result.exit_code == 130
    assert result.stdout.splitlines() == [f"`show` line {n}" for n in (1, 2, 3, 4)]
    assert result.stderr == ""


def test_a_log_that_is_followed_is_no_document(shop: Shop) -> None:
    assert shop.run("logs myapp prod --follow --json").exit_code == 2


# -- bad usage, trouble, programs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("deplyo myapp prod", "Did you mean `hms-sys deploy myapp prod`?"),
        ("deploy myapp", "Say `hms-sys deploy myapp ENVIRONMENT`"),
        ("deploy", "`hms-sys deploy` needs a project."),
        ("deploy myapp nowhere", "Known: prod, staging."),
        ("deploy myap prod", "Did you mean “myapp”?"),
        ("deploy myapp prod 9.9", "There is no version 9.9."),
        ("errors E-77", "There is no error E-77."),
        ("show D-77", "There is no rollout D-77."),
        ("unlock myapp prod --json=perhaps", "--json is said alone"),
        ("--frobnicate", "No such option"),
    ],
)
def test_bad_usage_says_what_to_say_instead(shop: Shop, words: str, said: str) -> None:
    result = shop.run(words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_what_cannot_be_understood_opens_nothing(shop: Shop) -> None:
    shop.run("deplyo myapp prod")
    assert shop.opened == 0


def test_a_provider_that_cannot_be_reached_is_exit_4(shop: Shop) -> None:
    provider = ScriptedProvider()
    provider.resolve_troubles.append(ProviderUnavailable("No answer.", hint="Try again."))
    shop.provider = provider
    result = shop.run("deploy myapp staging 1.1")
    assert result.exit_code == 4
    assert result.stderr.splitlines() == ["No answer.", "Try again."]


@pytest.mark.parametrize(
    ("error", "code"),
    [(StorageUnavailable("No database."), 4), (InvalidRequest("hms.yaml:1:1 no."), 2)],
    ids=["database", "configuration"],
)
def test_services_that_do_not_open_end_the_command(shop: Shop, error: Exception, code: int) -> None:
    def closed(reading: bool) -> AbstractAsyncContextManager[CliServices]:
        raise error

    hooks = replace(shop.hooks(), open_services=closed)
    result = CliRunner().invoke(build_app(hooks), ["status"])
    assert result.exit_code == code
    assert str(error) in result.stderr


def test_a_bug_shows_its_reference_only(shop: Shop) -> None:
    async def stumble(deployments: Deployments, rollout_id: int) -> None:
        raise ZeroDivisionError

    shop.before_work = stumble
    shop.guard = Supervisor(SystemClock())
    result = shop.run("deploy myapp staging 1.1")
    assert result.exit_code == 1
    assert "Something inside HMS-SYS went wrong. Reference: " in result.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("serve", "serve"),
        ("sandbox", "sandbox"),
        ("config check", "config_check"),
        ("config schema", "config_schema"),
        ("db upgrade", "db_upgrade"),
        ("audit verify", "audit_verify"),
        ("CONFIG check", "config_check"),
    ],
)
def test_a_program_runs_and_its_exit_code_is_kept(shop: Shop, words: str, name: str) -> None:
    shop.programs = {name: lambda: 7}
    assert shop.run(words).exit_code == 7


def test_a_program_may_be_a_coroutine(shop: Shop) -> None:
    async def upgrade() -> int:
        return 5

    hooks = replace(shop.hooks(), db_upgrade=upgrade)
    assert CliRunner().invoke(build_app(hooks), ["db", "upgrade"]).exit_code == 5


def test_a_program_that_is_refused_says_why(shop: Shop) -> None:
    def check() -> int:
        raise InvalidRequest("hms.yaml:3:1 projects: missing.")

    shop.programs = {"config_check": check}
    result = shop.run("config check")
    assert result.exit_code == 2
    assert result.stderr == "hms.yaml:3:1 projects: missing.\n"


# -- help ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "help", "--help", "-h"])
def test_help_lists_every_command(shop: Shop, words: str) -> None:
    result = shop.run(words)
    assert result.exit_code == 0
    for name in ("deploy", "history", "logs", "serve", "config", "audit"):
        assert f"\n  {name} " in result.stdout
    assert "\n  any " not in result.stdout
    assert shop.opened == 0


@pytest.mark.parametrize("words", ["help deploy", "deploy --help", "deploy myapp -h"])
def test_help_on_a_verb_shows_what_the_command_line_adds(shop: Shop, words: str) -> None:
    result = shop.run(words)
    assert result.exit_code == 0
    assert result.stdout.startswith("hms-sys deploy [forge|aws|k8s] PROJECT ENVIRONMENT")
    assert "--no-wait" in result.stdout
    assert "hms-sys deploy myapp prod 1.1" in result.stdout


def test_help_on_a_command_of_the_command_line(shop: Shop) -> None:
    result = shop.run("help config")
    assert result.exit_code == 0
    assert "schema" in result.stdout


def test_the_same_person_asks_everywhere(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1", actor=ALICE)
    document = json.loads(shop.run("show D-1001 --json").stdout)
    assert document["requested_by"] == "U01ALICE"


@pytest.mark.parametrize(
    ("line", "told", "next_step"),
    [
        ("history", "Nothing was shipped yet.", "`hms-sys deploy PROJECT ENVIRONMENT VERSION`"),
        ("history --by bob", "No rollouts that", "`hms-sys history`"),
        ("stats", "nothing was shipped in the last 30 d.", "`hms-sys stats --since 90d`"),
        ("errors", "No open errors in the last 24 h.", "`hms-sys errors --since 7d`"),
    ],
)
def test_nothing_to_show_leaves_stdout_empty_and_says_what_next(
    tmp_path: Path, line: str, told: str, next_step: str
) -> None:
    result = Shop(path=tmp_path).run(line)

    assert (result.exit_code, result.stdout) == (0, "")
    assert told in result.stderr
    assert next_step in result.stderr
