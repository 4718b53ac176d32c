"""Checks as configured become checks as asked."""

from __future__ import annotations

from datetime import timedelta

from bot.checks import build_checks
from operations.monitoring.check import Check, CheckKind
from tests.unit.bot.config.files import EXAMPLE, SOUND, read

SECOND = timedelta(seconds=1)


def built(*checks: str) -> tuple[Check, ...]:
    """From lines under `checks:`."""
    return build_checks(read(SOUND + "checks:\n" + "".join(f"  - {check}\n" for check in checks)))


def test_without_checks_nothing_is_asked() -> None:
    assert build_checks(read(SOUND)) == ()


def test_every_key_arrives() -> None:
    (check,) = built(
        '{name: web, target: myapp/prod, url: "https://example.com/healthz", expect: 204, every: 1m,'
        " timeout: 7s, failures: 5, recoveries: 4}"
    )

    assert check == Check(
        id="myapp/prod:web",
        name="web",
        project="myapp",
        environment="prod",
        kind=CheckKind.HTTP,
        url="https://example.com/healthz",
        expect=204,
        every=60 * SECOND,
        timeout=7 * SECOND,
        failures=5,
        recoveries=4,
    )


def test_without_a_url_the_platform_is_asked() -> None:
    (check,) = built("{target: myapp/prod}")

    assert (check.id, check.kind, check.url) == ("myapp/prod:target", CheckKind.TARGET, "")
    assert (check.every, check.timeout) == (30 * SECOND, 15 * SECOND)
    assert (check.failures, check.recoveries) == (3, 2)


def test_a_question_to_the_platform_does_not_overtake_the_next() -> None:
    (check,) = built("{target: myapp/prod, every: 10s}")

    assert check.timeout == 10 * SECOND


def test_a_rate_of_errors_is_asked_of_the_central_log() -> None:
    (check,) = built("{target: myapp/prod, error_rate: 50/5m}")

    assert (check.id, check.kind) == ("myapp/prod:errors", CheckKind.ERROR_RATE)
    assert (check.limit, check.span) == (50, 300 * SECOND)


def test_the_example_s_checks_have_ids_of_their_own() -> None:
    checks = build_checks(read(EXAMPLE.read_text()))

    assert checks
    assert len({check.id for check in checks}) == len(checks)
