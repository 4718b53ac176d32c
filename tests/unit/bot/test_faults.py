"""How faults are written, one line each, so that an editor can jump to them."""

from __future__ import annotations

from bot.faults import ConfigError, Fault, SettingsError, format_faults
from operations.errors import InvalidRequest

DEEP = Fault("projects.myapp.environments.prod.cluster", 12, 7, "“cluster” is missing")


def test_a_fault_in_a_file_has_its_place_first() -> None:
    expected = "hms.yaml:12:7 projects.myapp.environments.prod.cluster: “cluster” is missing"
    assert format_faults("hms.yaml", [DEEP]) == expected


def test_a_fault_of_the_whole_file_has_no_key() -> None:
    assert format_faults("hms.yaml", [Fault("", 3, 1, "is no YAML")]) == "hms.yaml:3:1: is no YAML"
    assert format_faults("hms.yaml", [Fault("", 0, 0, "is missing")]) == "hms.yaml: is missing"


def test_a_fault_of_the_environment_has_a_name_only() -> None:
    assert (
        format_faults("", [Fault("HMS_PORT", 0, 0, "must be a port")]) == "HMS_PORT: must be a port"
    )


def test_faults_of_a_file_come_in_its_order() -> None:
    first, second = Fault("a", 1, 9, "x"), Fault("b", 2, 1, "y")
    assert ConfigError([DEEP, second, first]).faults == (first, second, DEEP)


def test_both_errors_are_bad_usage() -> None:
    assert isinstance(ConfigError([DEEP]), InvalidRequest)
    assert isinstance(SettingsError([DEEP]), InvalidRequest)
