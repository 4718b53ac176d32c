"""Which programs a script calls: found by a shallow reading, on the shapes that people write."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.integration.legacy.programs import find_looks
from operations.integration.legacy.shell import find_calls

SHELL = PurePath("hms-ops.sh")


def called(text: str, file: str = "hms-ops.sh", own: frozenset[str] = frozenset()) -> list[str]:
    return [f"{each.function}:{each.program}" for each in find_looks(PurePath(file), text, own)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deploy() { php artisan migrate --force; }", ["deploy:php artisan migrate"]),
        ("function deploy {\n  rsync -a . x:/\n}", ["deploy:rsync"]),
        ("deploy ()\n{\n  make build\n}\nmake other", ["deploy:make build", ":make other"]),
        ("deploy() ( terraform apply )", ["deploy:terraform apply"]),
        ("deploy() { if true; then make a; else make b; fi; }", ["deploy:make a", "deploy:make b"]),
        ("deploy() { inner() { make a; }; make b; }", ["inner:make a", "deploy:make b"]),
        ("x=$(pg_dump live)", [":pg_dump live"]),
        ("echo \"at `pg_dump live`\"", [":pg_dump live"]),
        ("echo \"$(php artisan \"key:generate\")\"", [":php artisan key:generate"]),
        ("true && make a || make b | make c & make d", [":make a", ":make b", ":make c", ":make d"]),
        ("A=1 B='x y' make a", [":make a"]),
        ("sudo -u www env A=1 nohup make a", [":make a"]),
        ("timeout 60 make a", [":make a"]),
        ("/usr/local/bin/make a", [":make a"]),
        ("case $1 in\n rsync|'make a') make b ;;\n (scp) make c;;\nesac; make d",
         [":make b", ":make c", ":make d"]),
        ("for make in rsync scp; do make a; done", [":make a"]),
        ("while make a; do :; done < <(make b)", [":make a", ":make b"]),
        ("make a > rsync 2>&1 < scp", [":make a"]),
        ("kubectl apply -f x; $KUBECTL -n a get pods; kubectl -n a rollout status d", [":kubectl apply"]),
        ("aws ecs update-service; aws s3 sync a b", [":aws s3 sync"]),
        ("\"$DEPLOYER\" now", [":$DEPLOYER now"]),
        ("make a\nmake a", [":make a"]),
        ("mysqldump -pS3cret live", [":mysqldump"]),
        ("make \\\n  a", [":make a"]),
        ("kubectl --context \"$1\" -n b exec deploy/c -- php artisan migrate", [":kubectl exec"]),
        ("kubectl -n a rollout restart deploy/b; kubectl -n a scale deploy/b", [":kubectl rollout restart",
         ":kubectl scale"]),
        ("aws ecs run-task --cluster a; aws --region b ecs update-service", [":aws ecs run-task"]),
        ("git tag 1.0; git tag -l", [":git tag"]),
        ("used=$(df -h /); find a -name b -delete; find a -name b", [":df", ":find -delete"]),
    ],
)  # fmt: skip
def test_what_stands_where_a_command_stands_is_called(text: str, expected: list[str]) -> None:
    assert called(text) == [each.lstrip() if each[0] != ":" else each for each in expected]


@pytest.mark.parametrize(
    "text",
    [
        "# rsync a b",
        "echo rsync; echo 'make a; make b' \"make c\"",
        "x=rsync; y=(make rsync)",
        "[[ $x == a && make || rsync ]]",
        "((make++)); x=$((make + 1))",
        "cat <<EOF\nrsync a b\nEOF\ntrue",
        "cat <<-'END'\n\trsync a b\n\tEND\ntrue",
        "curl -s https://example.com | jq . | tee out",
        "retry \"$@\"",
        "\"$@\"",
        "echo ${x:-make a}",
        "php \"$HERE/forge-api.php\" deploy",
        "\"$(dirname \"$0\")/../hms-ops.sh\" deploy k8s a b",
        "source ./lib.sh",
    ],
)  # fmt: skip
def test_what_is_no_call_or_its_own_or_done_by_hms_sys_is_not(text: str) -> None:
    assert called(text, own=frozenset({"retry", "forge-api.php", "hms-ops.sh", "lib.sh"})) == []


def test_php_calls_programs_too() -> None:
    text = (
        "<?php\nfunction ship() {\n  exec('php artisan migrate', $out);\n  shell_exec($what);\n}\n"
    )

    assert called(text, "forge-api.php") == ["ship:php artisan migrate", "ship:$program"]


def test_a_line_is_where_the_command_begins() -> None:
    text = "a() {\n  echo 'two\n  lines'\n  cat <<E\nx\nE\n  make \\\n    b\n}\n"

    (found,) = find_looks(SHELL, text, [])

    assert found.line == 7


@given(st.text(alphabet="ab $(){}`'\"\\|&;<>#\n[]=!caseindo", max_size=80))
def test_whatever_it_reads_it_comes_to_an_end(text: str) -> None:
    assert all(call.words for call in find_calls(text))


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["$(", "(", "{ ", "case a in (", '"$(', "`", "<<E\n", "[[ ", "a() "]
)
def test_a_long_script_made_to_be_slow_is_not(piece: str) -> None:
    list(find_calls(piece * 20_000))
