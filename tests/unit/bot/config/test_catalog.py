"""The configuration as operations see it."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.config import load_config
from operations.deployment.target import (
    ApprovalRule,
    HealthRule,
    OnFailure,
    Target,
    Window,
)
from providers.specs import EcsSpec, ForgeSpec, KubernetesSpec
from tests.unit.bot.config.files import EXAMPLE, SOUND, read, spoiled


def test_the_example_becomes_the_targets_that_it_describes() -> None:
    catalog = load_config(EXAMPLE).catalog()
    window = Window(
        days=frozenset(range(5)),
        start=time(9),
        end=time(17, 30),
        timezone=ZoneInfo("Europe/London"),
        text="mon-fri 09:00-17:30 Europe/London",
    )
    approval = ApprovalRule(
        required=1,
        voters=frozenset({"U02BOB", "S01OPS"}),
        self_approval=False,
        expires=timedelta(minutes=30),
    )
    people = {
        "deployers": frozenset({"S01OPS", "U01ALICE"}),
        "admins": frozenset({"U02BOB"}),
    }
    assert catalog.targets == (
        Target(
            project="myapp",
            environment="staging",
            spec=KubernetesSpec(
                provider="k8s",
                context="lab",
                namespace="default",
                workload="deployment/web",
                container="web",
                image="acme/myapp",
            ),
            channel="C01GEN",
            repository="acme/myapp",
            timeout=timedelta(minutes=10),
            on_failure=OnFailure.ROLLBACK,
            health=HealthRule(url="http://web.staging/healthz", expect=200),
            deployers=None,
            admins=people["admins"],
        ),
        Target(
            project="myapp",
            environment="prod",
            spec=EcsSpec(
                provider="aws",
                region="eu-west-1",
                cluster="main",
                service="myapp",
                container="app",
                image="acme/myapp",
            ),
            channel="C01GEN",
            repository="acme/myapp",
            approval=approval,
            windows=(window,),
            deployers=people["deployers"],
            admins=people["admins"],
        ),
        Target(
            project="site",
            environment="prod",
            spec=ForgeSpec(provider="forge", organization="acme", server=123, site=456),
            channel="C01GEN",
            approval=approval,
            windows=(window,),
            deployers=people["deployers"],
            admins=people["admins"],
        ),
    )


def test_a_target_holds_its_providers_own_model_and_nothing_of_the_files() -> None:
    catalog = load_config(EXAMPLE).catalog()
    assert [type(target.spec) for target in catalog.targets] == [KubernetesSpec, EcsSpec, ForgeSpec]


def test_the_example_maps_logins_and_the_rest() -> None:
    config = load_config(EXAMPLE)
    assert config.access.cli == {"alice": "U01ALICE"}
    assert config.slack.alerts_channel == "C02OPS"
    assert [check.label for check in config.checks] == [
        "target",
        "web",
        "shop",
        "database",
        "errors",
    ]
    assert config.components["hms-dev"].secret_env == "HMS_DEV_WEBHOOK_SECRET"


def test_a_project_speaks_in_its_own_channel() -> None:
    config = read(spoiled("  myapp:\n", "  myapp:\n    channel: C09OWN\n"))
    assert config.catalog().find("myapp", "prod").channel == "C09OWN"


def test_without_access_everybody_may_deploy() -> None:
    target = read(SOUND).catalog().find("myapp", "prod")
    assert target.deployers is None
    assert target.admins == frozenset()


def test_approvals_have_their_defaults() -> None:
    config = read(spoiled("{required: 1, from: [U02BOB, S01OPS]}", "{}"))
    assert config.catalog().find("myapp", "prod").approval == ApprovalRule(required=1)


def test_what_a_failure_leaves_is_left() -> None:
    config = read(spoiled("service: myapp", "service: myapp, on_failure: leave, timeout: 1h30m"))
    target = config.catalog().find("myapp", "prod")
    assert (target.on_failure, target.timeout) == (OnFailure.LEAVE, timedelta(minutes=90))


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("mon,wed", {0, 2}),
        ("[Mon, Wed]", {0, 2}),
        ("weekdays", {0, 1, 2, 3, 4}),
        ("weekends", {5, 6}),
        ("daily", {0, 1, 2, 3, 4, 5, 6}),
        ("sat", {5}),
        ("Monday - Thursday", {0, 1, 2, 3}),
        ("fri-mon", {4, 5, 6, 0}),
        ("mon–tue, sun", {0, 1, 6}),
    ],
)
def test_days_are_read_as_people_write_them(days: str, expected: set[int]) -> None:
    quoted = days if days.startswith("[") else f"'{days}'"
    rule = f"staging: {{windows: [{{days: {quoted}, hours: '09:00-17:00', timezone: UTC}}]}}"
    target = read(spoiled("staging: {}", rule)).catalog().find("myapp", "staging")
    assert target.windows[0].days == expected


@pytest.mark.parametrize(
    ("hours", "start", "end"),
    [
        ("09:00-17:30", time(9), time(17, 30)),
        ("9:00 – 17:30", time(9), time(17, 30)),
        ("22:00-06:00", time(22), time(6)),
        ("00:00-24:00", time(0), time.max),
    ],
)
def test_hours_are_read_as_people_write_them(hours: str, start: time, end: time) -> None:
    rule = f"staging: {{windows: [{{days: daily, hours: '{hours}', timezone: UTC}}]}}"
    window = read(spoiled("staging: {}", rule)).catalog().find("myapp", "staging").windows[0]
    assert (window.start, window.end) == (start, end)
