"""What must hold between the keys: names, targets, approvals, checks, sources and components."""

# ruff: noqa: E501 - a table is read line by line

from __future__ import annotations

import pytest

from tests.unit.bot.config.files import SOUND, faults_of, read, spoiled

DIGEST_A, DIGEST_B = "a" * 64, "b" * 64


def _approvals(rule: str, access: str = "", components: str = "") -> str:
    changed = spoiled("{required: 1, from: [U02BOB, S01OPS]}", rule)
    changed += f"access: {{deploy: {access}}}\n" if access else ""
    return changed + components


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_approvals("{required: 2, from: [U02BOB]}"),
         "environments.prod.approvals.required: asks for 2 votes, and only U02BOB may vote"),
        (_approvals("{required: 2, from: [U02BOB, U02BOB]}"),
         "environments.prod.approvals.required: asks for 2 votes, and only U02BOB may vote"),
        (_approvals("{required: 3, self_approval: true}", "{prod: [U01ALICE, U02BOB]}"),
         "environments.prod.approvals.required: asks for 3 votes, and only U01ALICE and U02BOB may vote"),
        (_approvals("{from: [U02BOB]}", "{prod: [U02BOB]}"),
         "environments.prod.approvals.from: everyone who may deploy to prod lacks the one vote of others"),
        (_approvals("{}", "{prod: [U02BOB]}"),
         "environments.prod.approvals: everyone who may deploy to prod lacks the one vote of others"),
        (_approvals("{required: 2}", "{prod: [U01ALICE, U02BOB]}"),
         "environments.prod.approvals: everyone who may deploy to prod lacks the 2 votes of others"),
        (_approvals("{required: 2, from: [U01ALICE, U02BOB]}", "{prod: [U01ALICE, U02BOB]}"),
         "environments.prod.approvals.from: everyone who may deploy to prod lacks the 2 votes of others"),
    ],
    ids=[
        "fewer voters than votes", "the same voter twice", "fewer deployers than votes",
        "the only approver is the only deployer", "the only deployer approves too",
        "two deployers who each need two others", "two voters who each need two others",
    ],
)  # fmt: skip
def test_approvals_that_nobody_can_give_are_refused(text: str, expected: str) -> None:
    found = faults_of(text)
    assert len(found) == 1, found
    assert expected in found[0]


_COMPONENT = f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [deploy:prod]}}}}\n"


@pytest.mark.parametrize(
    "text",
    [
        _approvals("{from: [U02BOB]}"),
        _approvals("{from: [U02BOB]}", "{prod: [U01ALICE, U02BOB]}"),
        _approvals("{from: [U02BOB]}", "{prod: [S01OPS]}"),
        _approvals("{from: [S01OPS]}", "{prod: [U02BOB]}"),
        _approvals("{required: 5, from: [S01OPS, U02BOB]}"),
        _approvals("{from: [U02BOB], self_approval: true}", "{prod: [U02BOB]}"),
        _approvals("{from: [U02BOB]}", "{prod: [U02BOB]}", _COMPONENT),
        _approvals("{from: [U02BOB]}", "{staging: [U02BOB]}"),
        _approvals("{required: 2}"),
        _approvals("{required: 2, from: [U02BOB, U03EVE]}", "{prod: [U01ALICE, U02BOB]}"),
    ],
    ids=[
        "everybody may ask", "somebody else may ask", "a group may ask", "a group may vote",
        "a group may hold five", "own votes count", "a component asks", "another environment's list",
        "everybody may vote", "one deployer has two others",
    ],
)  # fmt: skip
def test_approvals_that_somebody_can_give_are_accepted(text: str) -> None:
    assert faults_of(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (spoiled("      staging: {provider", "      stagging: {provider"),
         "9:7 projects.myapp.environments.stagging: unknown environment “stagging”: did you mean “staging”?"),
        (spoiled("      staging: {provider", "      qa: {provider"),
         "9:7 projects.myapp.environments.qa: unknown environment “qa”; configured: staging and prod"),
        (SOUND + "access: {deploy: {live: [U02BOB]}}\n",
         "11:19 access.deploy.live: unknown environment “live”; configured: staging and prod"),
        (SOUND + "  other: {environments: {prod: {provider: aws, region: eu-west-1, cluster: main, service: myapp}}}\n",
         "11:26 projects.other.environments.prod: deploys to the same object as myapp/prod (AWS ECS main/myapp)"),
        (SOUND + "  MyApp: {environments: {staging: {provider: k8s, workload: deployment/b}}}\n",
         "11:3 projects.MyApp: “MyApp” and “myapp” differ in case only"),
        (spoiled("  staging: {}\n", "  staging: {}\n  PROD: {}\n"),
         "5:3 environments.prod: “prod” and “PROD” differ in case only"),
        (spoiled("  myapp:", "  k8s:"), "7:3 projects.k8s: a project cannot be called “k8s”"),
        (SOUND + "checks: [{target: myapp/live}]\n",
         "11:19 checks[0].target: myapp: unknown environment “live”; configured: staging and prod"),
        (SOUND + "checks: [{target: myap/prod}]\n",
         "11:19 checks[0].target: unknown target “myap/prod”: did you mean “myapp/prod”?"),
        (SOUND + "checks: [{target: myapp}]\n", "11:19 checks[0].target: “myapp” is not a target: write"),
        (SOUND + "checks: [{target: myapp/prod, url: 'http://h/', error_rate: 1/1m}]\n",
         "11:61 checks[0].error_rate: a check asks either “url” or “error_rate”"),
        (SOUND + "checks: [{target: myapp/prod, expect: 200}]\n",
         "11:31 checks[0].expect: “expect” goes with “url” only"),
        (SOUND + "checks: [{target: myapp/prod, url: 'http://h/', every: 5s, timeout: 10s}]\n",
         "11:69 checks[0].timeout: is longer than “every”"),
        (SOUND + "checks: [{target: myapp/prod}, {target: myapp/prod, every: 1m}]\n",
         "11:32 checks[1]: is called “target” like checks[0] of the same target"),
        (SOUND + "errors: {sources: [{target: myapp/prd, cloudwatch: /x}]}\n",
         "11:29 errors.sources[0].target: myapp: unknown environment “prd”: did you mean “prod”?"),
        (SOUND + "errors: {sources: [{target: myapp/prod}]}\n",
         "11:20 errors.sources[0]: needs one of “cloudwatch”, “pods” and “site”"),
        (SOUND + "errors: {sources: [{target: myapp/staging, cloudwatch: /x, pods: true}]}\n",
         "11:20 errors.sources[0]: needs one of “cloudwatch”, “pods” and “site”"),
        (SOUND + "errors: {sources: [{target: myapp/staging, cloudwatch: /x}]}\n",
         "11:44 errors.sources[0].cloudwatch: “cloudwatch” goes with targets of aws; myapp/staging is of k8s"),
        (SOUND + "errors: {sources: [{target: myapp/prod, pods: true}]}\n",
         "11:41 errors.sources[0].pods: “pods” goes with targets of k8s; myapp/prod is of aws"),
        (SOUND + "errors: {sources: [{target: myapp/staging, pods: false}]}\n",
         "11:50 errors.sources[0].pods: must be true; leave the key out where it is not"),
        (SOUND + "checks: [{target: myapp/prod, url: 'tcp://h:5432', body: up}]\n",
         "11:52 checks[0].body: “body” is nothing that a port answers"),
        (SOUND + "checks: [{target: myapp/prod, url: 'tcp://h'}]\n",
         "11:36 checks[0].url: “tcp://h” is not a port: write tcp://HOST:PORT"),
        (SOUND + "alerts: {escalation: {after: 10m}}\n",
         "11:10 alerts.escalation: needs a “channel”, “people”, or both"),
        (SOUND + "notify: [{name: pager, url_env: A}, {name: pager, url_env: B}]\n",
         "11:44 notify[1].name: is called “pager” like notify[0]: each needs its own name"),
        (SOUND + f"hooks: {{sentry: {{token_sha256: {DIGEST_A}, targets: {{web: myapp/live}}}}}}\n",
         "11:113 hooks.sentry.targets.web: myapp: unknown environment “live”"),
        (SOUND + f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [deploy:live]}}}}\n",
         "11:106 components.dev.may[0]: unknown environment “live”"),
        (SOUND + f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [write]}}}}\n",
         "11:106 components.dev.may[0]: “write” is no right: write read, events or deploy:ENVIRONMENT"),
        (SOUND + f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [read], webhook: 'http://h/'}}}}\n",
         "11:14 components.dev: needs both “webhook” and “secret_env”"),
        (SOUND + f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [read], ticket_url: 'https://t/1'}}}}\n",
         "11:125 components.dev.ticket_url: “https://t/1” does not say where the ticket goes: write {external_id} in its place"),
        (SOUND + f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [read], ticket_url: 'https://{{external_id}}.t/'}}}}\n",
         "11:125 components.dev.ticket_url: a ticket may stand behind the host only: whoever names it must not choose the host"),
        (SOUND + f"components: {{dev: {{token_sha256: {DIGEST_A}, may: [read], ticket_url: 'ftp://t/{{external_id}}'}}}}\n",
         "11:125 components.dev.ticket_url: “ftp://t/{external_id}” is not an address: write http://HOST/PATH or https://HOST/PATH"),
        (SOUND + f"components:\n  a: {{token_sha256: {DIGEST_A}, may: [read]}}\n  b: {{token_sha256: {DIGEST_A}, may: [read]}}\n",
         "13:21 components.b.token_sha256: is the token of “a” too"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_a_fault(text: str, expected: str) -> None:
    found = faults_of(text)
    assert len(found) == 1, found
    assert found[0][: len(expected)] == expected


def test_the_same_service_in_another_region_is_another_target() -> None:
    text = SOUND + (
        "  other: {environments: {prod: {provider: aws, region: us-east-1, cluster: main, service: myapp}}}\n"
    )
    assert faults_of(text) == []


def test_components_with_their_own_tokens_are_accepted() -> None:
    config = read(
        SOUND
        + f"components:\n  a: {{token_sha256: {DIGEST_A}, may: [read]}}\n"
        + f"  b: {{token_sha256: {DIGEST_B}, may: [events, deploy:prod], webhook: 'https://h/x', secret_env: B}}\n"
    )
    assert list(config.components) == ["a", "b"]


def test_an_unsound_access_section_hides_no_approval_behind_a_wrong_fault() -> None:
    """With one id misspelt, who may deploy is not known: only the id is the fault."""
    found = faults_of(_approvals("{from: [U02BOB]}", "{prod: [U02BOB, alice]}"))
    assert [line.split(" ")[1] for line in found] == ["access.deploy.prod[1]:"]


@pytest.mark.parametrize("container", ["", ", container: app", ", container: sidecar"])
def test_two_targets_on_one_workload_are_refused_whatever_their_containers(container: str) -> None:
    """Each rollout and each rollback there is one of the whole workload."""
    other = "{provider: k8s, workload: deployment/web" + container + "}"

    (found,) = faults_of(
        spoiled("deployment/web}", "deployment/web, container: app}")
        + f"  other: {{environments: {{staging: {other}}}}}\n"
    )

    assert "deploys to the same object as myapp/staging (Kubernetes default/web)" in found
