"""Which commands HMS-OPS has, on the shapes that people write dispatchers in."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.integration.legacy.dispatchers import find_commands
from operations.integration.legacy.shell import read_script


def names(text: str, **others: str) -> list[str]:
    found, troubles = read(text, **others)
    assert troubles == []
    return found


def read(text: str, **others: str) -> tuple[list[str], list[str]]:
    files = {"hms-ops.sh": text, **{f"lib/{name}.sh": each for name, each in others.items()}}
    commands = find_commands({file: read_script(each) for file, each in files.items()})
    return (
        [each.name for each in commands.found],
        [f"{each.file}:{each.line}: {each.text}" for each in commands.troubles],
    )


def dispatcher(arms: str) -> str:
    return f'case "$1" in\n{arms}\nesac\n'


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        ("  a) x ;;\n  b) y ;;", ["a", "b"]),
        ("  a) x\n  ;;\n  (b)\n    y", ["a", "b"]),
        ("a|'b' | \"c\") x ;; d) y ;;", ["a", "b", "c", "d"]),
        ("a) x ;& b) y ;;& c) z;;", ["a", "b", "c"]),
        ("a) case \"$x\" in m) n ;; *) o ;; esac ;; b) y ;;", ["a", "b"]),
        ("a)\n case $x in m) n;; esac;;\n b) y ;;", ["a", "b"]),
        ("a)\n case $x in\n  m) case $y in q) r;; esac ;;\n  n) o\n esac\n ;;\n b) y ;;", ["a", "b"]),
        ("a) echo 'esac'; echo \"b) esac ;;\" ;;\nc) y ;;", ["a", "c"]),
        ("a) x # esac ;; b)\n ;;\n# esac\n# q) z ;;\nc) y ;;", ["a", "c"]),
        ("a) cat <<EOF ;;\nesac\nq) z ;;\nEOF\nc) y ;;", ["a", "c"]),
        ("a) cat <<-'EOF'\n\tcase $1 in\n\tq) z ;;\n\tEOF\n;;\nc) y ;;", ["a", "c"]),
        ("a) f() { case $1 in q) z;; esac; } ;;\nc) y ;;", ["a", "c"]),
        ("a) x=$(case $y in m) n;; esac) ;;\nc) y ;;", ["a", "c"]),
        ("a) IFS=$'\\'' read -r b ;;\nc) y ;;", ["a", "c"]),
        ("a) echo ${b:-${c:-esac}} $# ${#d} ;;\nc) y ;;", ["a", "c"]),
        ("a) if [[ $b == c ]]; then d; else e; fi ;;\nc) y ;;", ["a", "c"]),
        ("--version|-v) x ;;\n''|help) y ;;\n-*) z ;;\n*) w ;;", ["--version", "-v", "help"]),
        ("sync-env) x ;;\nwarm:cache) y ;;\nde*) z ;;", ["sync-env", "warm:cache", "de*"]),
        ("a) x\r\n;;\r\nb) cat <<E\r\nq) ;;\r\nE\r\n;;\r\nc) y ;;\r", ["a", "b", "c"]),
        ("'a b') x ;; \"$b\") y ;; [0-9]*) z ;;", ["a b", "$b", "[0-9]*"]),
        ("@(a|b)) x ;; [Cc]) y ;; \\d) z ;;", ["@(a|b)", "[Cc]", "d"]),
    ],
)  # fmt: skip
def test_every_label_of_the_outer_case_is_a_command(arms: str, expected: list[str]) -> None:
    assert names(dispatcher(arms)) == expected


@pytest.mark.parametrize(
    "text",
    [
        'main() { local cmd="${1:-}"; shift; case "$cmd" in a) x ;; esac; }\nmain "$@"',
        "function main {\n  case ${1:-help} in a) x ;; esac\n}\nmain $*",
        "function main() (\n  case ${1,,} in a) x ;; esac\n)\nmain \"$@\"",
        'what=$1\ncase "$what" in\na) x ;;\nesac',
        'declare what="${1:-help}"\nrun() { case $1 in a) x ;; esac; }\nrun "${args[@]}"',
        'case "$1"\nin\n# first\na) x ;;\nesac',
        'if [ "$#" -gt 0 ]; then\n  case $1 in a) x;; esac\nfi',
        'while (( $# )); do case "$1" in a) x;; esac; shift; done',
        '[ "$1" = "a" ] && x',
        'if [[ "$1" == "a" ]]; then x; fi',
        'cmd_a() { :; }\ncmd="$1"; shift\n"cmd_$cmd" "$@"',
        "a_command() { :; }\n${1}_command",
        "a_command() { :; }\n\"$1\"_command",
    ],
)  # fmt: skip
def test_the_dispatcher_is_found_wherever_the_first_argument_goes(text: str) -> None:
    assert names(text) == ["a"]


def test_it_is_found_in_another_file() -> None:
    library = "main() { case $1 in a) x ;; esac; }"

    assert names('source "$HERE/lib/more.sh"\nmain "$@"', more=library) == ["a"]
    assert names('exec bash "$HERE/lib/more.sh" "$@"', more="case $1 in a) x ;; esac") == ["a"]


def test_what_a_command_takes_is_named_with_it() -> None:
    text = dispatcher(
        'deploy)\n  how="$2"\n  case "$how" in k8s) x ;; all) y ;; *) z ;; esac ;;\nb) y ;;'
    )

    assert names(text) == ["deploy", "b", "deploy k8s", "deploy all"]


@pytest.mark.parametrize(
    "function",
    [
        'log() { local level="$1"; case $level in ERROR) x ;; esac; }\nlog ERROR "started"',
        'tail_logs() { case "$1" in forge) x ;; esac; }',
        'pick() { case "$env" in prod) x ;; esac; }\npick "$@"',
    ],
)
def test_a_case_of_another_function_is_none(function: str) -> None:
    assert names(f"{function}\n{dispatcher('a) tail_logs $@ ;;')}") == ["a"]


def test_names_of_the_same_know_of_each_other() -> None:
    commands = find_commands({"x.sh": read_script(dispatcher("deploy|d) x ;;"))})

    assert [(each.name, each.aliases) for each in commands.found] == [
        ("deploy", ("d",)),
        ("d", ("deploy",)),
    ]


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("perl -e '...' \"$@\"", "hms-ops.sh:0: which commands it has was not found"),
        ("deploy() { :; }\n\"$@\"", "hms-ops.sh:0: which commands it has was not found"),
        ("deploy() { :; }\n\"$1\" $2", "hms-ops.sh:2: it calls commands by their name, $1"),
        (dispatcher("-v|--verbose) x ;;") + '"${ALL[$1]}" "$@"',
         "hms-ops.sh:0: which commands it has was not found"),
        (dispatcher("a) x ;;") + "echo 'oh", "hms-ops.sh:4: what opens here is never closed"),
        (dispatcher("a) x ;;") + "cat <<E\n", "hms-ops.sh:4: what opens here is never closed"),
        ("f() {\n" + dispatcher("a) x ;;"), "hms-ops.sh:1: what opens here is never closed"),
        ("case $1 in\na) x ;;\n", "hms-ops.sh:1: what opens here is never closed"),
    ],
)  # fmt: skip
def test_where_commands_may_be_missing_it_says_so(text: str, trouble: str) -> None:
    _, troubles = read(text)

    assert any(each.startswith(trouble) for each in troubles), troubles


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["case $1 in a|b|", '"$1"x "$@"\n', "f() { case $x in a) b;; esac; }\n"]
)
def test_a_long_script_made_to_be_slow_is_not(piece: str) -> None:
    read(piece * 8000)


def test_a_library_without_commands_is_no_trouble() -> None:
    assert names(dispatcher("a) x ;;"), more="warm() { :; }") == ["a"]


def test_the_example_has_its_commands() -> None:
    script = PurePath(__file__).parents[4] / "examples/hms-ops/hms-ops.sh"
    with open(script, encoding="utf-8") as stream:
        found = names(stream.read())

    assert [name for name in found if " " not in name] == [
        "deploy", "status", "monitor", "errors", "logs", "help",
    ]  # fmt: skip


@given(st.text(alphabet="ab $(){}`'\"\\|&;<>#\n[]=!12*@caseindof", max_size=80))
def test_whatever_it_reads_it_comes_to_an_end(text: str) -> None:
    read(text)
