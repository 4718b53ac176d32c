"""Every legacy configuration of the folder: taken over as a valid `hms.yaml`, or refused with a place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.config import load_config
from bot.legacy.migrating import migrate_config
from bot.undecided import undecided
from handlers.cli.orders import MigrateOrder
from operations.errors import InvalidRequest

FOLDER = Path(__file__).with_name("configurations")

TAKEN: dict[str, tuple[str, ...]] = {
    "apps_and_envs": ("shop/live on Forge acme/2",),
    "aws_keys": ("api/prod on AWS ECS main/api",),
    "camel_case": ("myApp/staging on Kubernetes default/web",),
    "daemonset_and_statefulset": (
        "agent/prod on Kubernetes kube-system/agent",
        "db/prod on Kubernetes default/db",
    ),
    "dashed_keys": ("web/qa on Kubernetes default/web",),
    "ecs_without_region": (),
    "email_over_tls": ("web/prod on Kubernetes default/web",),
    "email_without_server": ("web/prod on Kubernetes default/web",),
    "environments_as_names": (
        "web/staging on Kubernetes apps/web",
        "api/staging on Kubernetes apps/api",
    ),
    "environments_at_the_top": (
        "web/staging on Kubernetes apps/web",
        "web/prod on AWS ECS main/web",
    ),
    "environments_hold_projects_bare": (
        "web/prod on Kubernetes default/web",
        "api/prod on Kubernetes default/api",
    ),
    "flat_forge": ("site/prod on Forge acme/34",),
    "mixed_platforms": (
        "web/staging on Kubernetes default/web",
        "web/prod on AWS ECS main/web",
        "site/prod on Forge acme/2",
    ),
    "monitoring": ("web/prod on Kubernetes default/web",),
    "names_with_spaces": ("my-app/prod on Kubernetes default/web",),
    "nested_forge": ("site/prod on Forge acme/34",),
    "no_provider": (),
    "nothing_configured": (),
    "placeholders": (
        "api/staging on AWS ECS staging-cluster/api-staging",
        "api/prod on AWS ECS prod-cluster/api-prod",
    ),
    "projects_as_list": (
        "api/staging on AWS ECS main/api-staging",
        "api/prod on AWS ECS main/api-prod",
        "worker/prod on AWS ECS main/worker",
    ),
    "screaming_keys": ("site/prod on Forge acme/8",),
    "shared_environments": (
        "web/staging on Kubernetes staging/web",
        "web/prod on Kubernetes production/web",
        "api/staging on Kubernetes staging/api",
        "api/prod on Kubernetes production/api",
    ),
    "shell_characters": ("web/prod on Kubernetes default/web",),
    "slack_channel_id": ("web/prod on Kubernetes default/web",),
    "unicode": ("web/prod on Kubernetes default/web",),
    "variables_instead_of_secrets": ("site/prod on Forge acme/2",),
    "words_yaml_would_bend": ("on/off on Kubernetes yes/web",),
    "addresses_with_passwords": ("web/prod on Kubernetes default/web",),
    "bare_at_the_top": (
        "shop/production on Kubernetes default/shop",
        "shop/staging on Kubernetes stg/shop",
        "blog/production on Forge acme/12",
    ),
    "camel_applications": (
        "shop/staging on Kubernetes shop-stg/shop-web",
        "shop/production on Kubernetes shop/shop-web",
        "billing/production on AWS ECS acme-prod/billing",
        "marketing/production on Forge acme/2001",
        "blog/production on Forge acme/2002",
    ),
    "dotted_keys": ("site/production on Forge acme/6", "api/staging on Kubernetes default/api"),
    "environment_affixes": (
        "shop/staging on Kubernetes shop-stg/shop-web",
        "shop/production on Kubernetes shop/shop-web",
    ),
    "environment_objects_of_one_project": (
        "api/production on AWS ECS main/api",
        "api/staging on AWS ECS stg/api",
    ),
    "environments_hold_platform_words": (
        "web/staging on Kubernetes stg/web",
        "web/production on AWS ECS main/web",
    ),
    "flat_screaming_three_platforms": (
        "storefront-forge/production on Forge acme/990011",
        "storefront-aws/production on AWS ECS acme-prod/billing-svc",
        "storefront-k8s/production on Kubernetes shop/storefront",
    ),
    "list_of_many_kinds": (
        "shop-api/prod on Kubernetes shop/api",
        "shop-api/staging on Kubernetes shop/api",
        "worker/production on AWS ECS main/worker",
        "landing/prod on Forge acme/88",
    ),
    "names_end_with_environments": (
        "shop/production on AWS ECS prod/shop",
        "shop/staging on AWS ECS stg/shop",
        "blog/production on Forge acme/4",
    ),
    "records_of_targets": (
        "shop/prod on Kubernetes shop/web",
        "shop/qa on Kubernetes shop/web",
    ),
    "section_lists": (
        "blog/live on Forge acme/2",
        "shop/live on Forge acme/3",
        "billing/live on AWS ECS main/billing",
        "mailer/live on AWS ECS main/mailer",
        "api/live on Kubernetes apps/api",
        "worker/live on Kubernetes jobs/worker",
    ),
    "single_project_object": ("store-front/prod on AWS ECS main/store",),
    "defaults_for_all": (
        "api/production on AWS ECS main/api",
        "web/production on AWS ECS main/web",
    ),
    "keys_begin_with_projects": (
        "shop/production on Kubernetes default/shop",
        "blog/production on Forge acme/5",
    ),
    "platform_words_by_environment": (
        "shop/staging on Kubernetes default/shop",
        "shop/production on AWS ECS main/shop",
    ),
    "providers_hold_everything": (
        "shop/production on Forge acme/2",
        "api/staging on Kubernetes s/api",
        "api/production on Kubernetes p/api",
    ),
    "screaming_sections": ("web/PROD on Kubernetes y/web",),
    "wrapped_in_config": ("a/production on Forge acme/1",),
    "values_by_environment": (
        "shop/staging on Kubernetes shop-stg/web",
        "shop/production on Kubernetes shop/web",
    ),
}
DECIDED = {"deploys_channel": "C0123ABCD", "organization": "acme"}

REFUSED = {
    "broken_byte_order_mark": ":1:1: begins with a byte-order mark",
    "broken_comment": ":2:3: JSON has no comments",
    "broken_cut_short": ":2:1: a comma or “}” is missing here",
    "broken_empty": ":1:1: is empty",
    "broken_encoding": ":1:14: is not UTF-8 text here",
    "broken_list": ":1:1: must be an object",
    "broken_number": ":1:23: projects.web.server_id must be a whole number",
    "broken_single_quotes": ":1:2: a key in double quotes must stand here",
    "broken_trailing_comma": ":1:40: the comma before the end is one too many",
    "broken_twice": ":2:2: “projects” stands twice, first in line 1",
    "broken_type": ":1:23: projects.web.provider must be a text",
}


def order(name: str, folder: Path, **changes: object) -> MigrateOrder:
    plain: dict[str, object] = {
        "source": str(FOLDER / f"{name}.json"),
        "target": str(folder / "hms.yaml"),
        "secrets_file": "",
        "force": False,
        "as_json": True,
        "deploys_channel": "",
        "alerts_channel": "",
        "organization": "",
    }
    return MigrateOrder(**{**plain, **changes})  # type: ignore[arg-type]  # the dataclass checks


def secrets_in(name: str) -> list[str]:
    """By the corpus' own habit: what looks secret in these made-up files."""
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    marks = ("token-", "0123456789abc", "hooks.slack.com", "p4ssw0rd", "AKIA", "wJalr", "xoxb-",
             "abcdabcdabcd", "abcdef0123456789")  # fmt: skip
    return [mark for mark in marks if mark in text]


def test_the_tables_name_every_file_of_the_folder() -> None:
    files = {file.stem for file in FOLDER.glob("*.json")}

    assert files == {*TAKEN, *REFUSED}
    assert len(files) >= 25


@pytest.mark.parametrize("name", TAKEN)
def test_a_legacy_configuration_becomes_a_valid_one(name: str, tmp_path: Path) -> None:
    code = migrate_config(order(name, tmp_path, **DECIDED))

    assert code == (0 if TAKEN[name] else 1)
    targets = load_config(tmp_path / "hms.yaml").catalog().targets
    assert tuple(f"{target.name} on {target.spec.title}" for target in targets) == TAKEN[name]


@pytest.mark.parametrize("name", TAKEN)
def test_no_secret_gets_into_the_new_file_or_the_report(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate_config(order(name, tmp_path))

    told = (tmp_path / "hms.yaml").read_text(encoding="utf-8") + capsys.readouterr().out
    assert [mark for mark in secrets_in(name) if mark in told] == []


@pytest.mark.parametrize("name", TAKEN)
def test_every_value_is_accounted_for(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was left out or not understood is said with its path; nothing vanishes."""
    migrate_config(order(name, tmp_path))

    report = json.loads(capsys.readouterr().out)
    unknown = {f["path"] for f in report["findings"] if f["kind"] in ("unknown", "changed")}
    expected = {
        "monitoring": {"monitor.enabled"},
        "no_provider": {"projects.mystery.port"},
        "shell_characters": {"projects.web.environments.prod.pre_deploy"},
        "unicode": {"projects.web.environments.prod.beschreibung"},
        "variables_instead_of_secrets": {"forge_api_token"},
        "camel_case": {"slackWebhookUrl"},
        "email_over_tls": {"notifications.slack.webhook_url"},
        "names_with_spaces": {"projects.my app.environments[0]"},
        "addresses_with_passwords": {"projects.web.health_url"},
        "bare_at_the_top": {"notifications.slack.webhook"},
        "camel_applications": {
            "slackWebhooks.deploys",
            "slackWebhooks.errors",
            "slackWebhooks.monitoring",
            "version",
            "kubernetes.kubeconfig",
            "monitoring.enabled",
            "monitoring.diskThreshold",
            "applications.billing.production.taskDefinition",
        },
        "flat_screaming_three_platforms": {
            "DEBUG",
            "SLACK_WEBHOOK_URL",
            "SLACK_ERRORS_WEBHOOK_URL",
        },
        "list_of_many_kinds": {
            "slack.webhooks[0]",
            "slack.webhooks[1].url",
            "slack.webhooks[1].channel",
            "slack.enabled",
            "projects[0]",
            "projects[1]",
            "projects[3].deploy_hook",
            "projects[4].host",
            "projects[4].user",
            "projects[4].pass",
            "cron.monitor",
            "cron.report",
        },
        "names_end_with_environments": {
            "deployments.shop-production",
            "deployments.shop-staging",
            "deployments.blogProduction",
        },
        "records_of_targets": {"database", "targets[2].dyno"},
        "section_lists": {"forge.sites[1].domain"},
        "single_project_object": {"project"},
        "values_by_environment": {"image.tag"},
    }
    assert unknown == expected.get(name, set())


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_one_is_refused_with_its_place_and_nothing_is_written(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        migrate_config(order(name, tmp_path, secrets_file=str(tmp_path / ".env")))

    assert f"{name}.json{REFUSED[name]}" in refusal.value.message
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "hms.yaml").write_text("mine")

    with pytest.raises(InvalidRequest, match="is there already"):
        migrate_config(order("flat_forge", tmp_path, secrets_file=str(tmp_path / ".env")))

    assert (tmp_path / "hms.yaml").read_text() == "mine"
    assert not (tmp_path / ".env").exists()


def test_force_overwrites(tmp_path: Path) -> None:
    (tmp_path / "hms.yaml").write_text("mine")

    migrate_config(order("flat_forge", tmp_path, force=True, **DECIDED))

    assert load_config(tmp_path / "hms.yaml").projects.keys() == {"site"}


def test_secrets_are_written_when_asked_to_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / ".env"

    migrate_config(order("aws_keys", tmp_path, secrets_file=str(file)))

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().splitlines() == [
        "AWS_ACCESS_KEY_ID='AKIAIOSFODNN7EXAMPLE'",
        "AWS_SECRET_ACCESS_KEY='wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'",
    ]


def test_what_a_person_says_beforehand_leaves_nothing_to_decide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate_config(order("flat_forge", tmp_path, **DECIDED))

    assert json.loads(capsys.readouterr().out)["needs_decision"] is False
    config = load_config(tmp_path / "hms.yaml")
    assert config.slack.deploys_channel == "C0123ABCD"
    assert config.catalog().targets[0].spec.title == "Forge acme/34"


def test_a_secret_at_a_second_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(
        '{"forge_api_token": "tok-0123456789", "projects": {"web": {"provider": "k8s",'
        ' "deployment": "web", "environment": "prod", "container": "tok-0123456789"}}}'
    )

    with pytest.raises(InvalidRequest, match="stands at another key too"):
        migrate_config(order("", tmp_path, source=str(file)))

    assert not (tmp_path / "hms.yaml").exists()


def test_a_dash_prints_the_file_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate_config(order("flat_forge", tmp_path, target="-", as_json=False))

    told = capsys.readouterr()
    assert told.out.startswith("# Taken over from flat_forge.json")
    assert "Needs a decision:" in told.err
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_in_whole_is_not_written_in_part(tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / ".env"

    with pytest.raises(InvalidRequest, match="cannot be written"):
        migrate_config(order("aws_keys", tmp_path, secrets_file=str(nowhere)))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_never_overwritten_and_no_secret_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    with pytest.raises(InvalidRequest, match="is a folder"):
        migrate_config(order("aws_keys", tmp_path, secrets_file=str(tmp_path / ".env"), force=True))

    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_one_file_cannot_be_both(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="two files"):
        migrate_config(order("aws_keys", tmp_path, secrets_file=str(tmp_path / "." / "hms.yaml")))

    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_not_written_through_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InvalidRequest, match="is there already"):
        migrate_config(order("aws_keys", tmp_path, secrets_file=str(tmp_path / ".env")))


def migrated(content: object, folder: Path, **changes: object) -> int:
    """The exit code for a configuration that is written here."""
    file = folder / "old.json"
    file.write_text(json.dumps(content))
    return migrate_config(order("", folder, source=str(file), **{**DECIDED, **changes}))


def web(**keys: object) -> dict[str, object]:
    """A sound project on Kubernetes, with more keys."""
    return {"provider": "k8s", "deployment": "web", "env": "prod", **keys}


def test_no_target_at_all_is_said_before_anything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = migrated({"colour": "blue"}, tmp_path, as_json=False)

    assert code == 1
    assert capsys.readouterr().out.startswith("No target was found: nothing in the file says")


def test_what_is_taken_over_whole_ends_with_0(tmp_path: Path) -> None:
    assert migrated({"projects": {"web": web()}}, tmp_path) == 0


def test_what_is_not_understood_is_for_the_report_to_say(tmp_path: Path) -> None:
    assert migrated({"projects": {"web": web(colour="blue")}}, tmp_path) == 0


def test_what_is_to_be_decided_passes_config_check_and_not_serve(tmp_path: Path) -> None:
    site = {"provider": "forge", "server_id": 1, "site_id": 2, "env": "prod"}

    assert (
        migrated({"projects": {"site": site}}, tmp_path, deploys_channel="", organization="") == 0
    )

    assert [fault.path for fault in undecided(load_config(tmp_path / "hms.yaml"))] == [
        "slack.deploys_channel",
        "projects.site.environments.prod.organization",
    ]


def test_an_impossible_value_is_named_where_it_stands_in_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        migrated({"projects": {"web": web(namespace="a b")}}, tmp_path)

    place = str((tmp_path / "old.json").read_text().index('"namespace"') + 1)
    assert f"old.json:1:{place} projects.web.namespace: “a b” does not fit" in refusal.value.message
    assert "the new hms.yaml" not in refusal.value.message


def test_a_timeout_that_is_too_long_is_named_at_its_target_in_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        migrated({"projects": {"web": web(timeout=999_999_999)}}, tmp_path)

    assert "old.json:1:15 projects.web: " in refusal.value.message


def told(capsys: pytest.CaptureFixture[str], kind: str) -> list[str]:
    report = json.loads(capsys.readouterr().out)
    return [f"{f['path']}: {f['text']}" for f in report["findings"] if f["kind"] == kind]


def test_a_platform_that_is_none_of_ours_is_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrated({"projects": {"crm": web(provider="ftp")}}, tmp_path)

    (decision,) = told(capsys, "decision")
    assert "“ftp” is no platform of HMS-SYS: forge, aws or k8s" in decision


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"namspace": "x"}, "is it “namespace”?"),
        ({"region": "eu-west-1"}, "it is no part of this target's platform"),
        ({"colour": "blue"}, "HMS-SYS has nothing like it"),
    ],
)
def test_what_is_not_understood_is_told_with_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: dict[str, str], expected: str
) -> None:
    migrated({"projects": {"web": web(**keys)}}, tmp_path)

    (unknown,) = told(capsys, "unknown")
    assert expected in unknown


def test_names_that_differ_in_case_only_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrated({"projects": {"web": web(), "Web": web(deployment="other")}}, tmp_path)

    (decision,) = told(capsys, "decision")
    assert "Web/prod: has the same name as web/prod" in decision


def test_a_time_table_in_the_place_of_an_interval_is_told_and_refuses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monitoring = {"interval": "*/5 * * * *"}

    assert migrated({"projects": {"web": web()}, "monitoring": monitoring}, tmp_path) == 0

    (changed,) = told(capsys, "changed")
    assert changed.startswith("monitoring.interval: the bot checks by itself")


def test_two_projects_on_one_workload_are_told_and_one_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = {"web": web(container="app"), "sidecar": web(container="proxy")}

    migrated({"projects": both}, tmp_path)

    (decision,) = told(capsys, "decision")
    assert "sidecar/prod: would deploy to the same object as web/prod" in decision


def test_of_an_address_only_the_password_is_a_secret(tmp_path: Path) -> None:
    env = tmp_path / ".env"

    migrate_config(order("addresses_with_passwords", tmp_path, secrets_file=str(env), **DECIDED))

    config = load_config(tmp_path / "hms.yaml")
    assert config.email is not None
    assert config.email.smtp == "smtps://mailer%40example.com@mail.example.com:465"
    assert config.projects["web"].repository == "acme/web"
    assert env.read_text().splitlines() == [
        "HMS_SMTP_PASSWORD='p4ssw0rd/mail'",
        "GITHUB_TOKEN='p4ssw0rd-repo'",
    ]


def test_one_address_for_several_projects_is_asked_once(tmp_path: Path) -> None:
    shared = {
        "health_url": "https://example.com/up",
        "projects": {"web": web(), "api": web(deployment="api")},
    }

    migrated(shared, tmp_path)

    asked = [check.target for check in load_config(tmp_path / "hms.yaml").checks if check.url]
    assert asked == ["web/prod"]
