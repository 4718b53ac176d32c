from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.legacy.auditing import migrate_audit
from handlers.cli.orders import AuditOrder
from operations.errors import InvalidRequest

SCRIPT = """\
#!/usr/bin/env bash
load_config() { TOKEN=$(jq -r '.forge.api_token' "$CONFIG"); }
function deploy_forge { php forge-api.php deploy "$1"; }
deploy_ecs() {
  aws ecs update-service
}
send_slack_notification() { curl "$WEBHOOK"; }
show_status() { tail -n 20 logs/deployments.log; }
monitor() { nohup sleep 60 & }
usage() { echo "usage: ..."; }
case "$1" in
  deploy)
    case "$2" in
      forge) deploy_forge ;;
      ecs) deploy_ecs ;;
    esac ;;
  status|"errors") show_status ;;
  monitor) monitor "$2" ;;
  *) usage ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """HMS-OPS as its background describes it."""
    (tmp_path / "hms-ops.sh").write_text(SCRIPT)
    (tmp_path / "forge-api.php").write_text("<?php\nfunction forgeDeploy($site) {}\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/deployments.log").write_text("")
    (tmp_path / ".hms-ops-config.json").write_text(
        '{"forge": {"api_token": "tok-0123456789"}, "projects": {"site":'
        ' {"provider": "forge", "server_id": 1, "site_id": 2, "environment": "prod"}}}'
    )
    return tmp_path


def audit(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str | None]]:
    code = migrate_audit(AuditOrder(path=str(path), as_json=True))
    parts = json.loads(capsys.readouterr().out)["parts"]
    return code, {f"{part['kind']} {part['name']}": part["covered_by"] for part in parts}


def test_a_plain_checkout_is_covered(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, parts = audit(checkout, capsys)

    assert code == 0
    assert parts["command deploy"] == "hms-sys deploy PROJECT ENVIRONMENT [VERSION]"
    assert parts["function deploy_ecs"] == "deploy and status, on targets with `provider: aws`"
    assert parts["function forgeDeploy"] == "deploy, on targets with `provider: forge`"
    assert parts["log file deployments.log"] == "hms-sys migrate logs, then hms-sys history"
    assert parts["configuration key forge.api_token"] is not None


def test_the_commands_are_those_of_the_outer_case(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, parts = audit(checkout, capsys)

    commands = {name for name in parts if name.startswith("command")}
    assert commands == {"command deploy", "command status", "command errors", "command monitor"}


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("extra.sh", "rotate_tape() { :; }\n", "function rotate_tape"),
        ("more.sh", 'case "$1" in\n  karaoke) sing ;;\nesac\n', "command karaoke"),
        ("logs/weather.log", "", "log file weather.log"),
        (".hms-ops-config.json", '{"colour": "blue"}', "configuration key colour"),
        (".hms-ops-config.json", "{,}", "configuration key 1:2: a key in double quotes must stand here"),
    ],
)  # fmt: skip
def test_what_nobody_covers_is_named_and_ends_with_one(
    checkout: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, name: str
) -> None:
    (checkout / file).write_text(text)

    code, parts = audit(checkout, capsys)

    assert code == 1
    assert parts[name] is None


def test_people_read_a_line_for_each_part(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "extra.sh").write_text("rotate_tape() { :; }\n")

    migrate_audit(AuditOrder(path=str(checkout), as_json=False))

    told = capsys.readouterr().out
    assert "LOOK AT    function rotate_tape (extra.sh:1)\n" in told
    assert "covered    command deploy (hms-ops.sh:12) → hms-sys deploy" in told


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds nothing of HMS-OPS"):
        migrate_audit(AuditOrder(path=str(tmp_path), as_json=False))


def test_a_script_of_another_encoding_is_read_all_the_same(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = SCRIPT.replace("#!/usr/bin/env bash", "#!/usr/bin/env bash\n# f\u00fcr alle")
    (checkout / "hms-ops.sh").write_bytes(f"{script}frobnicate() {{ :; }}\n".encode("latin-1"))

    code, parts = audit(checkout, capsys)

    assert code == 1
    assert parts["function frobnicate"] is None


def test_a_configuration_that_cannot_be_read_is_uncovered(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / ".hms-ops-config.json").unlink()
    (checkout / ".hms-ops-config.json").symlink_to("/proc/self/mem")

    code, parts = audit(checkout, capsys)

    assert code == 1
    assert parts["configuration key cannot be read: Input/output error"] is None


def looks(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = migrate_audit(AuditOrder(path=str(path), as_json=True))
    found = json.loads(capsys.readouterr().out)["look_at"]
    return code, [
        f"{each['file']}:{each['line']} {each['function']}: {each['program']}" for each in found
    ]


def test_what_a_covered_function_does_besides_is_to_be_looked_at(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "more.sh").write_text(
        "deploy() {\n  load_config\n  php artisan migrate --force\n  rsync -a . live:/srv\n}\n"
    )

    code, found = looks(checkout, capsys)

    assert code == 1
    assert found == ["more.sh:3 deploy: php artisan migrate", "more.sh:4 deploy: rsync"]


def test_a_plain_checkout_calls_nothing_to_be_looked_at(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert looks(checkout, capsys) == (0, [])


def test_the_example_calls_nothing_to_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert looks(Path(__file__).parents[4] / "examples/hms-ops", capsys) == (0, [])


def test_people_read_what_to_look_at(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "more.sh").write_text("deploy() { mysqldump live | gzip > dump; }\n")

    migrate_audit(AuditOrder(path=str(checkout), as_json=False))

    assert "LOOK AT    mysqldump live (more.sh:1, in deploy)\n" in capsys.readouterr().out


def verdicts(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """What people are told of each part, by its kind and name."""
    code = migrate_audit(AuditOrder(path=str(path), as_json=True))
    parts = json.loads(capsys.readouterr().out)["parts"]
    return code, {
        f"{each['kind']} {each['name']}": " ".join(filter(None, [each["verdict"], each["note"]]))
        for each in parts
    }


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        ('sync_env() { scp "/srv/$1.env" "forge@web1:/home/$1/.env"; }', "look_at calls scp"),
        ("tag_release() { git tag 1; }", "look_at calls git tag"),
        ("monitor_disk() { df / | tail -1; }", "look_at calls df"),
        ("cleanup_logs() { find . -name '*.log' -delete; }", "look_at calls find -delete"),
        ("warm_cache() { curl -s https://x/warm; }", "look_at calls curl"),
        ("rotate_tape() { :; }", "look_at"),
        ("bring_out() { deploy_ecs \"$1\"; }", "covered"),
        ("push_image() { kubectl set image deployment/a a=b; }", "covered"),
        ("push_all() { kubectl set image deployment/a a=b; kubectl apply -f c; }",
         "look_at calls kubectl apply"),
        ("hmsDeployToK8s() { :; }", "covered"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_known_is_judged_by_its_body_or_by_a_person(
    checkout: Path, capsys: pytest.CaptureFixture[str], function: str, verdict: str
) -> None:
    (checkout / "more.sh").write_text(function)

    _, found = verdicts(checkout, capsys)

    assert found[f"function {function.partition('(')[0]}"] == verdict


def test_each_method_of_a_line_of_php_is_a_part(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "api.php").write_text(
        "<?php\nclass Forge { function deploySite($s) {} static function restartDaemon($s) {} }\n"
        "// function oldThing() {}\n"
    )

    _, found = verdicts(checkout, capsys)

    assert found["function deploySite"] == "covered"
    assert found["function restartDaemon"] == "look_at"
    assert "function oldThing" not in found


def test_commands_behind_a_nested_case_are_named(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "hms-ops.sh").write_text(
        'case "$1" in\n'
        '  monitor) case "$2" in start) a ;; disk) b ;; esac ;;\n'
        "  errors|e) c ;;\n  ssl) d ;;\n  report) f ;;\n  --version|-v) g ;;\n  *) h ;;\nesac\n"
    )

    code, found = verdicts(checkout, capsys)

    assert code == 1
    assert {name: told.split()[0] for name, told in found.items() if name.startswith("command")} == {
        "command monitor": "covered",
        "command monitor disk": "uncovered",
        "command errors": "covered",
        "command e": "covered",
        "command ssl": "uncovered",
        "command report": "look_at",
        "command --version": "covered",
        "command -v": "covered",
    }  # fmt: skip


def test_a_dispatcher_that_is_not_found_is_said_to_be_so(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "hms-ops.sh").write_text("deploy() { :; }\nperl -e 'dispatch(@ARGV)' \"$@\"\n")

    code = migrate_audit(AuditOrder(path=str(checkout), as_json=False))

    assert code == 1
    told = (
        "LOOK AT    script (hms-ops.sh): which commands it has was not found: list them yourself\n"
    )
    assert told in capsys.readouterr().out


def test_an_hms_ops_in_another_language_is_said_not_to_be_read(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "hms-ops.sh").unlink()
    (checkout / "hms-ops").write_text("#!/usr/bin/env python3\n")

    code, found = verdicts(checkout, capsys)

    assert code == 1
    assert found["script hms-ops"] == "look_at it is no shell script: list its commands yourself"


def test_a_configuration_with_a_name_like_it_is_no_script(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "hms-ops.json").write_text("{}")

    assert not any(name.startswith("script") for name in verdicts(checkout, capsys)[1])


CONFIGURATION = (
    '{"forge": {"api_token": "tok-0123456789"}, "monitoring": {"diskThreshold": 85, "interval": 60},'
    ' "projects": {"site": {"provider": "forge", "server_id": 1, "site_id": 2, "environment": "prod",'
    ' "karaoke": 1}}}'
)


def test_a_key_is_told_once_and_as_config_migrate_finds_it(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / ".hms-ops-config.json").write_text(CONFIGURATION)
    (checkout / "more.sh").write_text(
        "a=$(jq -r '.monitoring.diskThreshold' c)\nb=$(jq -r '.projects.site.karaoke' c)\n"
        "c=$(jq -r '.monitoring.interval' c)\nd=$(jq -r '.forge.api_token' c)\n"
        'e=$(jq -r ".projects.\\"$project\\".env" c)\nf=$(jq -r \'.never.set\' c)\n'
    )

    migrate_audit(AuditOrder(path=str(checkout), as_json=True))
    parts = json.loads(capsys.readouterr().out)["parts"]

    keys = [part for part in parts if part["kind"] == "configuration key"]
    found = {part["name"]: part["verdict"] for part in keys}
    assert len(found) == len(keys)
    assert found["monitoring.diskThreshold"] == "uncovered"
    assert found["projects.site.karaoke"] == "uncovered"
    assert found["forge.api_token"] == "covered"
    assert found["monitoring.interval"] == "covered"
    assert found["never.set"] == "covered"
    assert "projects" not in found


def test_keys_that_a_script_reads_are_judged_without_a_configuration_too(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / ".hms-ops-config.json").unlink()
    (checkout / "more.sh").write_text("a=$(jq -r '.karaoke.volume' c)\n")

    _, found = verdicts(checkout, capsys)

    assert found["configuration key forge.api_token"] == "covered"
    assert found["configuration key karaoke.volume"] == "uncovered"


def test_what_is_to_be_decided_is_not_covered_and_not_lost(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = verdicts(checkout, capsys)

    assert code == 0
    assert found["key of hms.yaml slack.deploys_channel"].startswith("decide ")


def test_a_target_that_is_left_out_is_lost_until_it_is_decided(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / ".hms-ops-config.json").write_text(
        '{"projects": {"site": {"provider": "forge", "environment": "prod"}}}'
    )

    code, found = verdicts(checkout, capsys)

    assert code == 1
    assert any(told.startswith("look_at site/prod: ") for told in found.values()), found
