from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.legacy.grammar import refusals
from operations.integration.legacy.references import (
    NEEDS_PROGRAM,
    Reference,
    Rules,
    find_references,
    replace_all,
)

PROGRAM = "/opt/hms/bin/hms-sys"
GRAMMAR = refusals(None)


def references(text: str, *, program: str = PROGRAM, name: str = "x.sh") -> list[Reference]:
    return list(find_references(text, Rules(refuses=GRAMMAR, program=program), name=name))


def changed(text: str, *, program: str = PROGRAM, name: str = "x.sh") -> str:
    return replace_all(text, references(text, program=program, name=name))


def reason(line: str, *, program: str = PROGRAM, name: str = "x.sh") -> str:
    """Why the line is for a person; it must be left as it is."""
    assert changed(line, program=program, name=name) == line
    return references(line, program=program, name=name)[0].reason


def remarks(line: str) -> str:
    """On a line that is changed."""
    found = references(line)[0]
    assert found.after is not None, found.reason
    return " ".join(found.remarks)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("./hms-ops.sh deploy forge site prod", "hms-sys deploy forge site prod"),
        ("OUT=$(hms-ops deploy a b)", "OUT=$(hms-sys deploy a b)"),
        ("\t@hms-ops deploy myapp prod", "\t@hms-sys deploy myapp prod"),
        ("\t-@hms-ops deploy myapp prod $(TAG)", "\t-@hms-sys deploy myapp prod $(TAG)"),
        ("status: ; @hms-ops status", "status: ; @hms-sys status"),
        ("  - run: hms-ops.sh status", "  - run: hms-sys status"),
        ("run: hms-ops deploy a b ${{ github.sha }}", "run: hms-sys deploy a b ${{ github.sha }}"),
        ("hms-ops/hms-ops.sh status", "hms-sys status"),
        ("hms-ops status; hms-ops errors", "hms-sys status; hms-sys errors"),
        ("sh './hms-ops.sh deploy k8s a b ${TAG}' }", "sh 'hms-sys deploy k8s a b ${TAG}' }"),
        ('{"ship": "./hms-ops.sh deploy k8s a b"}', '{"ship": "hms-sys deploy k8s a b"}'),
        ('{"x": "bash -c \\"./hms-ops.sh deploy a b $v\\""}', '{"x": "bash -c \\"hms-sys deploy a b $v\\""}'),
        ('{"x": "./hms-ops.sh deploy a b \\"$v\\""}', '{"x": "hms-sys deploy a b \\"$v\\""}'),
        ('do ./hms-ops.sh deploy x $e "$TAG"; done', 'do hms-sys deploy x $e "$TAG"; done'),
        ("deploy && echo 'hms-ops.sh deploy a b'", "deploy && echo 'hms-ops.sh deploy a b'"),
        ("sudo -u deploy hms-ops.sh status", "sudo -u deploy hms-sys status"),
        ("trap 'hms-ops monitor stop' EXIT", "trap 'hms-sys monitor stop' EXIT"),
        ('x() { hms-ops deploy "$@"; }', 'x() { hms-sys deploy "$@"; }'),
        ('[ "$(hms-ops status)" = a ]', '[ "$(hms-sys status)" = a ]'),
        ("  entrypoint: hms-ops monitor start", "  entrypoint: hms-sys monitor start"),
        ('- {name: x, run: "hms-ops status"}', '- {name: x, run: "hms-sys status"}'),
        ('"logs": "hms-ops logs"', '"logs": "hms-sys history"'),
        ("test: hms-ops status", "test: hms-sys status"),
        ("  shell: hms-ops deploy k8s a b", "  shell: hms-sys deploy k8s a b"),
        ("docker run img hms-ops status", "docker run img hms-sys status"),
        ("call hms-ops.sh status", "call hms-sys status"),
        ('hms-ops status; echo "see hms-ops logs"', 'hms-sys status; echo "see hms-ops logs"'),
    ],
)  # fmt: skip
def test_a_call_is_changed_and_a_text_is_not(before: str, after: str) -> None:
    assert changed(before, program="") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/opt/hms-ops/hms-ops.sh status shop", f"{PROGRAM} status shop"),
        ("bash /opt/hms-ops/hms-ops.sh status | tee x", f"{PROGRAM} status | tee x"),
        ('"$DIR/hms-ops.sh" errors 20', f"{PROGRAM} errors 20"),
        ('  run: "${HMS_HOME}/hms-ops.sh" deploy a b', f"  run: {PROGRAM} deploy a b"),
        ("./hms-ops.sh deploy a b", f"{PROGRAM} deploy a b"),
        ("hms-ops deploy a b", "hms-sys deploy a b"),
        ("ExecStart=/opt/hms-ops/hms-ops.sh monitor start", f"ExecStart={PROGRAM} monitor start"),
        ('ssh h "/opt/hms-ops/hms-ops.sh deploy a b"', f'ssh h "{PROGRAM} deploy a b"'),
        (
            "*/5 * * * * root /usr/local/bin/hms-ops monitor start >/dev/null",
            f"*/5 * * * * root {PROGRAM} monitor start >/dev/null",
        ),
    ],
)
def test_the_named_program_is_written_where_a_path_stood_and_needless_quotes_go(
    before: str, after: str
) -> None:
    assert changed(before) == after


@pytest.mark.parametrize(
    "line",
    [
        "0 * * * * root /opt/hms-ops/hms-ops.sh status",
        "~/hms-ops/hms-ops.sh status",
        '"$DIR/hms-ops.sh" status',
    ],
)
def test_a_full_path_is_not_changed_to_a_bare_name_that_may_be_on_no_path(line: str) -> None:
    assert reason(line, program="") == NEEDS_PROGRAM


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hms-ops logs", "hms-sys history"),
        ("hms-ops logs 2>&1 | tail", "hms-sys history 2>&1 | tail"),
        ("hms-ops logs 200", "hms-sys history --limit 200"),
        ("hms-ops logs myapp prod", "hms-sys logs myapp prod"),
        ("hms-ops logs k8s myapp prod 200 >x", "hms-sys logs myapp prod --lines 200 >x"),
        ('hms-ops logs "$APP" "$ENV" 200', 'hms-sys logs "$APP" "$ENV" --lines 200'),
    ],
)
def test_logs_is_written_as_it_is_said_now(before: str, after: str) -> None:
    assert changed(before) == after


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hms-ops deploy all staging", "HMS-SYS deploys one target at a time"),
        ("hms-ops logs k8s shop 200", "`logs` needs an environment"),
        ("hms-ops deploy k8s a b \\\n   --force", "`deploy` has no option “--force”"),
        ("hms-ops deploy a b c d", "does not take “d” as well"),
        ("hms-ops rollback a b", "HMS-SYS has one: compare them"),
        ("hms-ops scale a b 5", "HMS-SYS has no `scale`"),
        ("HMS_OPS_CONFIG=x.json hms-ops deploy a b", "does not read HMS_OPS_CONFIG"),
        ("cd hms-ops && ./hms-ops.sh deploy a b", "goes to HMS-OPS's folder first"),
        ("ssh o \"cd /opt/hms-ops && ./hms-ops.sh deploy a b '$T'\"", "goes to HMS-OPS's folder"),
        ("HEALTHCHECK CMD hms-ops status || exit 1", "`hms-sys` is not in the image"),
        ("xargs -n1 hms-ops deploy k8s < projects", "`xargs` adds words"),
        ("# hms-ops.sh deploy is what we call", "in a comment"),
        ("#10 3 * * 0 root hms-ops.sh status", "in a comment"),
        ('echo "see hms-ops.sh logs"', "may be a text"),
        ("usage: hms-ops.sh status", "may be a text"),
        ('subprocess.run(["hms-ops.sh", "deploy"])', "words are a list"),
        ("alias ops=/opt/hms-ops/hms-ops.sh", "once all that uses ops"),
        (". /opt/hms-ops/hms-ops.sh", "reads HMS-OPS's functions in"),
        ("  - name: hms-ops status", "may be a text"),
        ('curl -d \'{"text": "hms-ops deploy a b"}\' x', "may be a text"),
        ("REM hms-ops status", "may be a text"),
        ('exec hms-ops "$@"', "no call"),
        ("cp hms-ops.sh deploy/", "no call"),
        ("chmod +x hms-ops.sh status", "used, not called"),
        ("pkill -f 'hms-ops.sh monitor'", "may be a text"),
        ("HMS-OPS is our tool", "no call"),
        ("call C:\\hms-ops\\hms-ops.sh status", "no call"),
        ("my-hms-ops deploy", "no call"),
        ("echo \"hms-ops' deploy", "no call"),
    ],
)
def test_what_is_for_a_person_is_left_with_the_reason(line: str, why: str) -> None:
    assert why in reason(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hms-ops status a | grep -q DOWN", "`hms-sys status --json`"),
        ("X=$(hms-ops errors 10)", "`hms-sys errors --json`"),
        ("if ! hms-ops status a; then", "ends with 0 once a platform answered"),
        ("hms-ops status >/dev/null 2>&1 || mail x", "ends with 0 once a platform answered"),
        ("hms-ops status; echo $?", "ends with 0 once a platform answered"),
        ("hms-ops monitor stop", "also across restarts"),
        ("hms-ops monitor start &", "only ends a `monitor stop`"),
        ("ssh host hms-ops deploy a b", "runs elsewhere"),
        ("sudo -u deploy hms-ops deploy a b", "another login"),
        ("RUN hms-ops deploy a b", "installed there"),
        ("cd /srv/x && ./hms-ops.sh deploy a b", "goes to /srv/x first"),
        ('hms-ops deploy "$@"', "words on that do not stand here"),
        ("hms-ops deploy a b >> /var/log/hms-ops.log", "names HMS-OPS still"),
    ],
)
def test_what_changes_its_meaning_carries_a_remark(line: str, said: str) -> None:
    assert said in remarks(line)


@pytest.mark.parametrize("line", ["hms-ops deploy a b", "hms-ops status", "hms-ops status | tee x"])
def test_what_means_the_same_carries_none(line: str) -> None:
    assert remarks(line) == ""


MARKDOWN = """Say `hms-ops.sh deploy a b`.

    $ hms-ops.sh status

```bash
hms-ops.sh deploy a b
```
or hms-ops.sh deploy a b
"""


def test_of_markdown_the_blocks_of_code_are_changed_and_sentences_are_listed() -> None:
    found = references(MARKDOWN, name="README.md")

    assert [(each.line, each.after) for each in found] == [
        (1, None), (3, "    $ hms-sys status"), (6, "hms-sys deploy a b"), (8, None)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["notes.rst", "README", "hms-ops.sh", "hms-dev-integration.sh"])
def test_documents_and_hms_ops_s_own_files_are_listed_only(name: str) -> None:
    assert reason("hms-ops deploy a b", name=name)


def test_what_cat_writes_is_a_text_and_what_a_shell_elsewhere_reads_is_not() -> None:
    text = "cat <<EOF\nhms-ops deploy a b\nEOF\nssh h <<EOF\nhms-ops deploy a b\nEOF\n"

    assert [each.after for each in references(text)] == [None, "hms-sys deploy a b"]


@pytest.mark.parametrize(
    ("setting", "use"),
    [
        ("OPS=/opt/hms-ops/hms-ops.sh", '"$OPS" deploy a b'),
        ("OPS := ./hms-ops.sh", "\t-$(OPS) deploy a b"),
        ("  OPS: ./hms-ops/hms-ops.sh", "run: ${OPS} deploy a b"),
    ],
)
def test_calls_by_a_variable_are_found_with_the_line_that_sets_it(setting: str, use: str) -> None:
    set_in, used = references(f"{setting}\nx\n{use}\necho $OPSX\n")

    assert "once all that uses OPS" in set_in.reason
    assert (used.line, used.reason) == (3, "it calls HMS-OPS by OPS, which line 1 sets")


def test_a_line_that_goes_on_is_one() -> None:
    text = 'hms-ops deploy k8s a b \\\n   "$TAG"\nhms-ops status\n'

    assert [(each.line, each.after) for each in references(text)] == [
        (1, 'hms-sys deploy k8s a b \\\n   "$TAG"'),
        (3, "hms-sys status"),
    ]


def test_line_ends_stay_as_they_were() -> None:
    assert changed("a\r\n./hms-ops.sh status\r\nb", program="") == "a\r\nhms-sys status\r\nb"


def test_every_written_command_was_taken_by_the_grammar_first() -> None:
    """Also what is translated: the words as they are written are the ones that are tried."""
    tried: list[Sequence[str]] = []

    def refuses(words: Sequence[str]) -> str:
        tried.append(list(words))
        return "no"

    list(find_references("hms-ops logs k8s a b 7", Rules(refuses=refuses)))

    assert tried == [["logs", "a", "b", "--lines", "7"]]


PIECES = (
    *(
        "hms-ops",
        "./hms-ops.sh",
        "deploy",
        "status",
        "a",
        "b",
        "$X",
        '"',
        "'",
        "&&",
        "|",
        "\n",
        ">x",
    ),
    *("\\\n", "logs", "7", "cd hms-ops", "X=/o/hms-ops.sh", "`", "$(", ")", "echo"),
)
SCRIPTS = st.text(alphabet=" \t\n\r'\"`./$\\&|;#{}()hms-op.shdeploy", max_size=80) | st.lists(
    st.sampled_from(PIECES), max_size=14
).map(" ".join)


@given(SCRIPTS)
def test_what_is_found_after_a_change_was_found_before(text: str) -> None:
    once = changed(text)
    before = {each.line for each in references(text) if each.is_left}

    assert {each.line for each in references(once)} <= before
    assert changed(once) == once
