from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.integration.legacy.references import find_references, replace_all, replace_calls


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("./hms-ops.sh deploy forge site prod", "hms-sys deploy forge site prod"),
        ("bash /opt/hms-ops/hms-ops.sh status | tee x", "hms-sys status | tee x"),
        (
            "*/5 * * * * root /usr/local/bin/hms-ops monitor start >/dev/null",
            "*/5 * * * * root hms-sys monitor start >/dev/null",
        ),
        ('  run: "${HMS_HOME}/hms-ops.sh" deploy myapp prod', '  run: "hms-sys" deploy myapp prod'),
        ('"$DIR/hms-ops.sh" errors 20', '"hms-sys" errors 20'),
        ("OUT=$(hms-ops status myapp)", "OUT=$(hms-sys status myapp)"),
        ("\t@hms-ops deploy myapp prod", "\t@hms-sys deploy myapp prod"),
        ("say `hms-ops logs`", "say `hms-sys history`"),
        ("./hms-ops.sh logs 2>&1 | tail", "hms-sys history 2>&1 | tail"),
        ("./hms-ops.sh logs myapp prod", "hms-sys logs myapp prod"),
        ("ssh h 'cd /x && ./hms-ops.sh deploy a b'", "ssh h 'cd /x && hms-sys deploy a b'"),
        ("hms-ops status; hms-ops errors", "hms-sys status; hms-sys errors"),
    ],
)
def test_a_call_is_changed(before: str, after: str) -> None:
    assert replace_calls(before) == after


@pytest.mark.parametrize(
    "line",
    [
        "HMS-OPS is our tool",
        "hms-ops.sh frobnicate",
        "cp hms-ops.sh deploy/",
        "chmod +x hms-ops.sh status",
        "my-hms-ops deploy",
        "source ./hms-ops.sh",
        "echo \"hms-ops' deploy",
    ],
)
def test_what_is_no_call_stays(line: str) -> None:
    assert replace_calls(line) == line


def test_mentions_that_are_no_calls_are_for_a_person() -> None:
    text = "#!/bin/sh\n# uses HMS-OPS\n./hms-ops.sh status\nphp forge-api.php\n"

    found = [(each.line, each.after) for each in find_references(text)]

    assert found == [(2, None), (3, "hms-sys status"), (4, None)]


def test_line_ends_stay_as_they_were() -> None:
    assert replace_all("a\r\n./hms-ops.sh status\r\nb") == "a\r\nhms-sys status\r\nb"


@given(st.text(alphabet=" \t\n\r'\"`./$hms-op.shdeploy", max_size=80))
def test_changing_twice_is_changing_once(text: str) -> None:
    once = replace_all(text)

    assert replace_all(once) == once
