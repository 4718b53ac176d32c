"""The log: one form for our records and the libraries', with what is bound, and never with a secret."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable

import pytest
import structlog

from bot.logs import configure_logging, mask

BOT = "xoxb-111111111111-abcdefabcdef"
Configured = Callable[..., io.StringIO]


@pytest.fixture(name="configured")
def _configured() -> Configured:
    """`configure_logging` to a text."""

    def configured(
        level: str = "info",
        format: str = "json",
        terminal: bool = False,
        secrets: tuple[str, ...] = (),
    ) -> io.StringIO:
        stream = io.StringIO()
        configure_logging(level, format, terminal, stream=stream, secrets=secrets)
        return stream

    return configured


def _records(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_record_is_one_line_of_json(configured: Configured) -> None:
    stream = configured()
    structlog.get_logger("bot.runtime").info("Started", port=3000, targets=["a", "b"])
    (record,) = _records(stream)
    assert str(record.pop("timestamp")).endswith("Z")
    assert record == {
        "event": "Started",
        "port": 3000,
        "targets": ["a", "b"],
        "level": "info",
        "logger": "bot.runtime",
    }


def test_a_librarys_record_has_the_same_form(configured: Configured) -> None:
    stream = configured()
    logging.getLogger("slack_bolt.App").warning("Retrying %s in %d s", "auth.test", 3)
    (record,) = _records(stream)
    assert record["event"] == "Retrying auth.test in 3 s"
    assert (record["level"], record["logger"]) == ("warning", "slack_bolt.App")


def test_operations_records_carry_their_extras(configured: Configured) -> None:
    stream = configured()
    logging.getLogger("operations.deployment.worker").info("Claimed", extra={"lease": 7})
    assert _records(stream)[0]["lease"] == 7


@pytest.mark.parametrize("library", [True, False])
def test_every_record_says_which_rollout_it_is_about(configured: Configured, library: bool) -> None:
    stream = configured()
    with structlog.contextvars.bound_contextvars(rollout="D-1042", reference="7F3A"):
        if library:
            logging.getLogger("botocore.retries").warning("Throttled")
        else:
            structlog.get_logger("providers.aws").info("Throttled")
    record = _records(stream)[0]
    assert (record["rollout"], record["reference"]) == ("D-1042", "7F3A")


@pytest.mark.parametrize(
    ("level", "name", "at", "heard"),
    [
        ("info", "bot.x", logging.DEBUG, False),
        ("debug", "bot.x", logging.DEBUG, True),
        ("debug", "operations.deployment", logging.DEBUG, True),
        ("debug", "slack_sdk.web", logging.DEBUG, False),
        ("debug", "slack_sdk.web", logging.INFO, True),
        ("debug", "botocore.endpoint", logging.DEBUG, False),
        ("debug", "botocore.endpoint", logging.INFO, False),
        ("debug", "kubernetes.client.rest", logging.DEBUG, False),
        ("debug", "httpx", logging.INFO, False),
        ("debug", "aiohttp.access", logging.INFO, False),
        ("debug", "aiohttp.access", logging.WARNING, True),
        ("error", "slack_sdk.web", logging.WARNING, False),
        ("error", "urllib3.pool", logging.ERROR, True),
    ],
)
def test_libraries_are_never_heard_at_debug(
    configured: Configured, level: str, name: str, at: int, heard: bool
) -> None:
    stream = configured(level)
    logging.getLogger(name).log(at, "said")
    assert bool(stream.getvalue()) is heard


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_written(configured: Configured, form: str) -> None:
    stream = configured(format=form, secrets=("hunter22-plain",))
    log = structlog.get_logger("bot.x")
    log.info("Sent to %s", f"postgresql://hms:sesame99@db/hms with {BOT}")
    log.info(
        "Deep",
        headers={"X-Token": "sesame99", "Other": [f"Bearer {BOT}", {"password": "sesame99"}]},
    )
    log.info("Bytes", body=f'{{"token": "{BOT}"}}'.encode(), token=123456789)
    log.info("Known", url="https://forge/hunter22-plain/x", error=ValueError("hunter22-plain"))
    logging.getLogger("slack_sdk").warning("Body: %s", {"token": BOT})
    logging.getLogger("urllib3").error("Header Authorization: Bearer sesame99sesame99")
    written = stream.getvalue()
    assert len(written.splitlines()) == 6
    for secret in ("sesame99", BOT, "hunter22", "123456789"):
        assert secret not in written


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("library", [True, False])
def test_an_exception_is_written_without_secrets_or_variables(
    configured: Configured, form: str, library: bool
) -> None:
    stream = configured(format=form)

    def fail() -> None:
        local_password = "sesame99"
        raise ValueError(f"refused: password={local_password} for {BOT}")

    try:
        fail()
    except ValueError:
        if library:
            logging.getLogger("slack_bolt").exception("Failed")
        else:
            structlog.get_logger("bot.x").exception("Failed")
    written = stream.getvalue()
    assert "Traceback" in written
    assert "ValueError: refused: password=[redacted]" in written
    assert "sesame99" not in written
    assert BOT not in written


def test_what_outsiders_write_cannot_forge_a_line_of_json(configured: Configured) -> None:
    stream = configured()
    structlog.get_logger("bot.x").info("Reason", text='x"}\n{"event": "forged\x1b[2J"}')
    (record,) = _records(stream)
    assert record["text"] == 'x"}\n{"event": "forged"}'


def test_a_record_that_cannot_be_written_shows_none_of_its_arguments(
    configured: Configured,
) -> None:
    stream = configured()
    logging.getLogger("careless").warning("%d", BOT)
    assert stream.getvalue() == "A record of careless could not be written: TypeError\n"


@pytest.mark.parametrize(
    ("form", "terminal", "is_json", "is_coloured"),
    [
        ("", False, True, False),
        ("", True, False, True),
        ("json", True, True, False),
        ("console", False, False, False),
        ("console", True, False, True),
    ],
)
def test_the_form_suits_the_stream_unless_it_is_given(
    configured: Configured, form: str, terminal: bool, is_json: bool, is_coloured: bool
) -> None:
    stream = configured(format=form, terminal=terminal)
    structlog.get_logger("bot.x").info("Started")
    assert stream.getvalue().startswith("{") is is_json
    assert ("\x1b[" in stream.getvalue()) is is_coloured


def test_configuring_again_replaces_what_was(configured: Configured) -> None:
    first, second = configured(), configured()
    structlog.get_logger("bot.x").info("Once")
    assert first.getvalue() == ""
    assert len(_records(second)) == 1


def test_a_warning_of_python_is_a_record(configured: Configured) -> None:
    stream = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("Old way", DeprecationWarning, stacklevel=1)
    assert "Old way" in str(_records(stream)[0]["event"])


def test_the_log_goes_to_stderr(configured: Configured, capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    configure_logging("info", "json", False)
    structlog.get_logger("bot.x").info("Started")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "Started"


def test_what_is_masked_later_is_masked_from_then_on(configured: Configured) -> None:
    stream = configured(secrets=("first-secret",))
    mask(["second-secret"])
    structlog.get_logger("bot.x").info("Both", one="first-secret", two="second-secret")
    assert "secret" not in stream.getvalue().replace("[redacted]", "")
