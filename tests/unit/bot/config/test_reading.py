"""Faulty configurations, one by one: where each fault is said to stand, and in which words."""

# ruff: noqa: E501 - a table is read line by line

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import load_config
from bot.faults import ConfigError
from tests.unit.bot.config.files import SOUND, faults_of, read, spoiled

WEB = "{provider: k8s, workload: deployment/web}"
APPROVALS = "{required: 1, from: [U02BOB, S01OPS]}"


def _with(section: str) -> str:
    return SOUND + section


def test_the_sound_configuration_has_no_fault() -> None:
    assert faults_of(SOUND) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the file itself
        ("", "1:1 : is empty"),
        ("# nothing\n", "1:1 : is empty"),
        ("- a\n- b\n", "1:1 : must hold keys and values"),
        ("slack:\n\tdeploys_channel: C01GEN\n", "2:1 : a tab stands here"),
        ("slack: {deploys_channel: C01GEN\nprojects: {}\n", "2:9 : a “,” or the closing bracket"),
        ("slack: {}\n  projects: {}\n", "2:3 : the indentation does not fit"),
        ("slack: a: b\n", "1:9 : a “:” makes no sense here"),
        ("slack: *nobody\n", "1:8 : this alias (*name) has no anchor"),
        ("slack: {}\n---\nslack: {}\n", "2:1 : a second document starts here"),
        ('slack: "open\n', "2:1 : the file ends within a quoted text"),
        ("slack: \x07\n", "1:8 : has a character that no text may hold here (U+0007)"),
        (SOUND + "slack: {deploys_channel: C02GEN}\n", "11:1 slack: the key is here twice; first in line 1"),
        (spoiled("  staging: {}\n", "  staging: {}\n  ? [a, b]\n  : {}\n"), "4:5 environments: a key must be one word"),
        (spoiled("C01GEN", "!!python/name:os.system x"), "1:26 slack.deploys_channel: the tag “tag:yaml.org,2002:python"),
        (spoiled("  staging: {}\n", "  staging: &me {approvals: *me}\n"), "3:12 environments.staging.approvals: this alias stands within"),
        # shape
        (spoiled("approvals", "aprovals"), "5:5 environments.prod.aprovals: unknown key “aprovals”: did you mean “approvals”?"),
        (_with("colour: red\n"), "11:1 colour: unknown key “colour”; known here: slack, environments, access"),
        (spoiled("service: myapp", "service: myapp, contaner: x"), "10:79 projects.myapp.environments.prod.contaner: unknown key “contaner”: did you mean “container”?"),
        (spoiled("cluster: main, ", ""), "10:7 projects.myapp.environments.prod.cluster: “cluster” is missing"),
        (spoiled("slack: {deploys_channel: C01GEN}\n", ""), "1:1 slack: “slack” is missing"),
        (spoiled("provider: aws, ", ""), "10:7 projects.myapp.environments.prod.provider: “provider” is missing"),
        (spoiled("provider: aws", "provider: azure"), "10:24 projects.myapp.environments.prod.provider: unknown provider “azure”: write k8s, aws or forge"),
        (spoiled("provider: aws", "provider: k8"), "10:24 projects.myapp.environments.prod.provider: unknown provider “k8”: did you mean “k8s”?"),
        (spoiled("provider: aws", "provider: [aws]"), "10:24 projects.myapp.environments.prod.provider: must be k8s, aws or forge"),
        (spoiled("staging: {}", "staging:"), "3:3 environments.staging: is empty"),
        (spoiled("approvals: " + APPROVALS, "approvals:"), "5:5 environments.prod.approvals: is empty"),
        (spoiled("staging: {}", "staging: [x]"), "3:12 environments.staging: must hold keys and values, not a list"),
        (spoiled("[U02BOB, S01OPS]", "U02BOB"), "5:36 environments.prod.approvals.from: must be a list in brackets, not “U02BOB”"),
        (spoiled("[U02BOB, S01OPS]", "[]"), "5:36 environments.prod.approvals.from: is empty: name at least one"),
        (spoiled("required: 1", "required: 0"), "5:27 environments.prod.approvals.required: must be at least 1"),
        (spoiled("required: 1", "required: 21"), "5:27 environments.prod.approvals.required: must be at most 20"),
        (spoiled("required: 1", 'required: "1"'), "5:27 environments.prod.approvals.required: must be a number: write 1 without quotes"),
        (spoiled("required: 1", "required: true"), "5:27 environments.prod.approvals.required: must be a whole number, not “true”"),
        (spoiled("required: 1", "self_approval: yes"), "5:32 environments.prod.approvals.self_approval: must be true or false, not “yes”"),
        (spoiled("required: 1", "expires: 30"), "5:26 environments.prod.approvals.expires: 30 has no unit: write 30s, 30m, 30h or 30d"),
        (spoiled("required: 1", "expires: soon"), "5:26 environments.prod.approvals.expires: “soon” is not a duration"),
        (spoiled("required: 1", "expires: 0s"), "5:26 environments.prod.approvals.expires: “0s” is no time at all"),
        (spoiled("service: myapp", "service: 12"), "10:72 projects.myapp.environments.prod.service: must be a text: put “12” in quotes"),
        (spoiled("service: myapp", "service: my app"), "10:72 projects.myapp.environments.prod.service: “my app” does not fit here: write a name"),
        (spoiled("deployment/web", "web"), "9:42 projects.myapp.environments.staging.workload: “web” does not fit here: write deployment/NAME"),
        (spoiled(WEB, WEB[:-1] + ", on_failure: rollbak}"), "9:70 projects.myapp.environments.staging.on_failure: “rollbak” is not known here: did you mean “rollback”?"),
        (spoiled(WEB, WEB[:-1] + ", image: 'acme/app:'}"), "9:65 projects.myapp.environments.staging.image: “acme/app:” does not fit here: write the repository without a tag"),
        (spoiled("  myapp:\n", "  my app:\n"), "7:3 projects.my app: “my app” cannot be a name here"),
        # values
        (spoiled("C01GEN", '"#general"'), "1:26 slack.deploys_channel: “#general” is not a channel's id"),
        (spoiled("S01OPS", '"@ops"'), "5:45 environments.prod.approvals.from[1]: “@ops” is neither a user's id"),
        (_with("access: {cli: {alice: S01OPS}}\n"), "11:23 access.cli.alice: “S01OPS” is not a user's id"),
        (spoiled(WEB, WEB[:-1] + ", health: {url: web}}"), "9:72 projects.myapp.environments.staging.health.url: “web” is not an address"),
        (spoiled(WEB, WEB[:-1] + ", health: {url: 'http://[oops'}}"), "9:72 projects.myapp.environments.staging.health.url: “http://[oops” is not an address"),
        (spoiled(WEB, WEB[:-1] + ", health: {url: 'http://me:it@h/'}}"), "9:72 projects.myapp.environments.staging.health.url: an address here may not hold a user"),
        (spoiled(WEB, WEB[:-1] + ", health: {url: 'http://h/', expect: 42}}"), "9:93 projects.myapp.environments.staging.health.expect: must be at least 100"),
        (spoiled("  myapp:\n", "  myapp:\n    repository: acme\n"), "8:17 projects.myapp.repository: “acme” is not a repository: write OWNER/NAME"),
        (_with("digest: {channel: C02OPS, at: 25:00, timezone: UTC}\n"), "11:31 digest.at: is not a time of day"),
        (_with("digest: {channel: C02OPS, at: '09:00', timezone: europe/london}\n"), "11:50 digest.timezone: “europe/london” is not a time zone: did you mean “Europe/London”?"),
        (_with("digest: {channel: C02OPS, at: '09:00', timezone: ../etc/passwd}\n"), "11:50 digest.timezone: “../etc/passwd” is not a time zone"),
        (_with("email: {smtp: 'smtp://a:pw@h', from: a@b.c, to: [a@b.c]}\n"), "11:15 email.smtp: the password does not belong here: put it into HMS_SMTP_PASSWORD"),
        (_with("email: {smtp: mail, from: a@b.c, to: [a@b.c]}\n"), "11:15 email.smtp: “mail” is not a mail server"),
        (_with("email: {smtp: 'smtp://h', from: a@b.c, to: [Ops]}\n"), "11:45 email.to[0]: “Ops” is not an e-mail address"),
        (_with("email: {smtp: 'smtp://h', from: a@b.c, to: [a@b.c], on: [alerts]}\n"), "11:58 email.on[0]: “alerts” is not known here: did you mean “alert”?"),
        (_with("checks: [{target: myapp/prod, error_rate: many}]\n"), "11:43 checks[0].error_rate: is no rate of errors"),
        (_with("errors: {sources: [{target: myapp/prod, cloudwatch: /x, pattern: '('}]}\n"), "11:66 errors.sources[0].pattern: “(” is not a regular expression"),
        (_with("components: {dev: {token_sha256: abc, may: [read]}}\n"), "11:34 components.dev.token_sha256: is not a SHA-256"),
    ],
)  # fmt: skip
def test_a_fault_is_said_where_it_stands(text: str, expected: str) -> None:
    found = faults_of(text)
    assert len(found) == 1, found
    assert found[0][: len(expected)] == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("days: mon-fryday, hours: '09:00-17:00', timezone: UTC", "days: “fryday” is no day"),
        ("days: [1], hours: '09:00-17:00', timezone: UTC", "days: are not days"),
        ("days: '', hours: '09:00-17:00', timezone: UTC", "days: “” is no day"),
        ("days: mon, hours: 9-17, timezone: UTC", "hours: are not hours"),
        ("days: mon, hours: '09:00', timezone: UTC", "hours: are not hours"),
        ("days: mon, hours: '09:00-25:00', timezone: UTC", "hours: are not hours"),
        ("days: mon, hours: '24:00-08:00', timezone: UTC", "hours: are not hours"),
        ("days: mon, hours: '09:00-09:00', timezone: UTC", "hours: begin and end at the same time"),
        ("days: mon, hours: '09:00-17:00'", "timezone: “timezone” is missing"),
        ("days: mon, hours: '09:00-17:00', timezone: Europe", "timezone: “Europe” is not a time zone"),
        ("days: mon, hours: '09:00-17:00', timezone: 1", "timezone: this is not a time zone"),
    ],
)  # fmt: skip
def test_windows_that_cannot_be_understood_are_faults(window: str, expected: str) -> None:
    found = faults_of(spoiled("staging: {}", f"staging: {{windows: [{{{window}}}]}}"))
    assert len(found) == 1, found
    assert f"environments.staging.windows[0].{expected}" in found[0]


def test_all_faults_of_a_file_are_told_at_once_in_the_files_order() -> None:
    text = """\
slack: {deploys_channel: general}
environments: {prod: {approvals: {required: 2, from: [U02BOB]}}, dev: {windows: []}}
projects:
  a: {environments: {prod: {provider: awz, timeout: 5}, production: {provider: forge}}}
  b: {environments: {prod: {provider: aws, region: r, cluster: c, service: s, timeout: x}}}
  c: {environments: {prod: {provider: aws, region: r, cluster: c, service: s}}}
checks: [{target: b/prd, every: never}]
components: {dev: {token_sha256: x, may: ["deploy:prd"]}}
"""
    paths = [line.split(" ")[1].rstrip(":") for line in faults_of(text)]
    production = "projects.a.environments.production"
    assert paths == [
        "slack.deploys_channel",
        "environments.prod.approvals.required",
        "environments.dev.windows",
        "projects.a.environments.prod.provider",
        "projects.a.environments.prod.timeout",
        f"{production}.organization",
        f"{production}.server",
        f"{production}.site",
        production,
        "projects.b.environments.prod.timeout",
        "projects.c.environments.prod",
        "checks[0].target",
        "checks[0].every",
        "components.dev.token_sha256",
        "components.dev.may[0]",
    ]


def test_no_fault_repeats_a_token_that_stands_in_the_wrong_place() -> None:
    token = "xoxb-123456789012-abcdefghijkl"
    told = "\n".join(faults_of(spoiled("C01GEN", token) + f"{token}: 1\n"))
    assert "slack.deploys_channel" in told
    assert token not in told


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "hms.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode())
    assert load_config(file).slack.deploys_channel == "C01GEN"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"slack: {}\nproj\xffects: {}\n", "hms.yaml:2:5: is not UTF-8 text here"),
        (b"# " + b"x" * (1 << 20), "hms.yaml: is larger than 1 MiB"),
        (b"[" * 5000, "hms.yaml: is nested too deeply"),
        (b"a: " + b"[" * 100 + b"]" * 100, "is nested too deeply"),
        (b'a: "\\UFFFFFFFF"', "hms.yaml: is not YAML: it has an impossible escape"),
    ],
    ids=["not UTF-8", "too large", "too deep to compose", "too deep to read", "no such character"],
)
def test_a_file_that_cannot_be_read_is_a_fault(raw: bytes, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "hms.yaml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert expected in caught.value.message


@pytest.mark.parametrize("name", ["missing.yaml", ".", "nul\0.yaml"])
def test_a_file_that_is_not_there_is_a_fault(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / name)
    assert len(caught.value.faults) == 1


def test_aliases_that_unfold_to_billions_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert faults_of("\n".join(lines))[0].endswith("unfolds to too many values")


def test_merges_that_unfold_to_billions_are_refused() -> None:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 12)]
    assert "unfolds to too many values" in faults_of("\n".join(lines))[0]


def test_a_mapping_that_merges_itself_is_refused() -> None:
    assert "merges (<<) itself" in faults_of("a: &a {<<: *a}\n")[0]


def test_a_merge_takes_keys_that_are_not_given() -> None:
    config = read(
        spoiled(
            "prod: {provider: aws, region: eu-west-1, cluster: main, service: myapp}",
            "prod: &app {provider: aws, region: eu-west-1, cluster: main, service: myapp}\n"
            "  other:\n    environments:\n      prod: {service: other, <<: *app}",
        )
    )
    assert config.catalog().find("other", "prod").spec.title == "AWS ECS main/other"


def test_words_that_older_yaml_took_for_truth_values_are_words() -> None:
    config = read(
        _with("email: {smtp: 'smtp://h', from: a@b.c, to: [a@b.c], on: [alert]}\n")
        .replace("  staging: {}", "  staging: {}\n  no: {}\n  off: {}")
    )  # fmt: skip
    assert list(config.environments) == ["staging", "no", "off", "prod"]
    assert config.email is not None
    assert config.email.on == ["alert"]


def test_an_unquoted_time_of_day_is_no_number_of_seconds() -> None:
    config = read(_with("digest: {channel: C02OPS, at: 10:30, timezone: UTC}\n"))
    assert config.digest is not None
    assert (config.digest.at.hour, config.digest.at.minute) == (10, 30)


def test_the_error_says_every_fault_in_its_message() -> None:
    with pytest.raises(ConfigError) as caught:
        read(spoiled("C01GEN", "general") + "colour: red\n")
    first, second = caught.value.message.splitlines()
    assert first.startswith("hms.yaml:1:26 slack.deploys_channel: ")
    assert second.startswith("hms.yaml:11:1 colour: ")
