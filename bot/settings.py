"""What the environment says: where to listen, what to log, and every secret. The only reader of `os.environ`.

A secret comes from the variable or from the file that `NAME_FILE` names, never from both. Not the place for
what may be seen by everyone: that is `hms.yaml`. AWS and Kubernetes read their own variables themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from bot.faults import Fault, SettingsError

LogFormat: TypeAlias = Literal["", "json", "console"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

_USUAL_DATABASE = SecretStr("sqlite:///hms.db")
_LARGEST_SECRET = 64 * 1024  # bytes
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable for the reference: its name, what it is for, and the default as people read it."""

    name: str
    meaning: str
    default: str = "none"
    secret: bool = False


VARIABLES = (
    Variable("HMS_CONFIG", "the configuration file", "`./hms.yaml`"),
    Variable(
        "HMS_DATABASE_URL",
        "`sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`",
        "`sqlite:///hms.db`",
        secret=True,
    ),
    Variable("HMS_HOST", "the address that the HTTP server listens on", "`127.0.0.1`"),
    Variable("HMS_PORT", "the port that it listens on; 0: any free one", "`3000`"),
    Variable(
        "SLACK_BOT_TOKEN", "`xoxb-…`, the bot's token", "required by `hms-sys serve`", secret=True
    ),
    Variable("SLACK_APP_TOKEN", "`xapp-…`: when set, Socket Mode", secret=True),
    Variable(
        "SLACK_SIGNING_SECRET",
        "for HTTP mode at `/slack/events`; required by `hms-sys serve` without SLACK_APP_TOKEN",
        secret=True,
    ),
    Variable("SLACK_API_URL", "base of Slack's Web API", "`https://slack.com/api/`"),
    Variable("FORGE_API_TOKEN", "Laravel Forge's token", secret=True),
    Variable("FORGE_API_URL", "base of Forge's API", "`https://forge.laravel.com/api`"),
    Variable("GITHUB_TOKEN", "for comparing what ships", secret=True),
    Variable("GITHUB_API_URL", "base of GitHub's API", "`https://api.github.com`"),
    Variable("HMS_SMTP_PASSWORD", "the password of `email.smtp` in hms.yaml", secret=True),
    Variable("KUBECONFIG", "the usual chain of Kubernetes", "in-cluster when absent"),
    Variable("HMS_LOG_LEVEL", "`debug`, `info`, `warning` or `error`", "`info`"),
    Variable("HMS_LOG_FORMAT", "`json` or `console`", "`json` unless stderr is a terminal"),
)
SECRETS = tuple(variable.name for variable in VARIABLES if variable.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment, read. Secrets hide themselves in `repr`; addresses are as they are used."""

    config_path: Path = Path("hms.yaml")
    database_url: SecretStr = _USUAL_DATABASE
    host: str = "127.0.0.1"
    port: int = 3000
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    """Set: Socket Mode."""
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    """Ends with a slash, as slack_sdk wants it."""
    forge_api_token: SecretStr | None = None
    forge_api_url: str = "https://forge.laravel.com/api"
    """Without a slash at the end, as is `github_api_url`."""
    github_token: SecretStr | None = None
    github_api_url: str = "https://api.github.com"
    smtp_password: SecretStr | None = None
    kubeconfig: str = ""
    log_level: LogLevel = "info"
    log_format: LogFormat = ""
    """"": console on a terminal, JSON elsewhere."""

    def secrets(self) -> tuple[str, ...]:
        """Every secret's text, for masking it wherever it turns up in a log."""
        values = (getattr(self, each.name) for each in fields(self))
        texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        database = self.database_url.get_secret_value()
        password = urlsplit(database).password or ""
        given = (*(text for text in texts if text != database), password, unquote(password))
        return tuple(text for text in dict.fromkeys(given) if text)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment (None: the process's own); raises SettingsError with every fault."""
    reading = _Reading(os.environ if environ is None else environ)
    usual = Settings()
    secrets = {name: reading.secret(name) for name in SECRETS}
    settings = Settings(
        config_path=Path(reading.text("HMS_CONFIG") or usual.config_path),
        database_url=secrets["HMS_DATABASE_URL"] or usual.database_url,
        host=reading.text("HMS_HOST") or usual.host,
        port=reading.checked("HMS_PORT", usual.port, _port),
        slack_bot_token=secrets["SLACK_BOT_TOKEN"],
        slack_app_token=secrets["SLACK_APP_TOKEN"],
        slack_signing_secret=secrets["SLACK_SIGNING_SECRET"],
        slack_api_url=reading.checked("SLACK_API_URL", usual.slack_api_url, _base),
        forge_api_token=secrets["FORGE_API_TOKEN"],
        forge_api_url=reading.checked("FORGE_API_URL", usual.forge_api_url, _address),
        github_token=secrets["GITHUB_TOKEN"],
        github_api_url=reading.checked("GITHUB_API_URL", usual.github_api_url, _address),
        smtp_password=secrets["HMS_SMTP_PASSWORD"],
        kubeconfig=reading.text("KUBECONFIG"),
        log_level=reading.checked("HMS_LOG_LEVEL", usual.log_level, _level),
        log_format=reading.checked("HMS_LOG_FORMAT", usual.log_format, _format),
    )
    reading.check("HMS_DATABASE_URL", _database_fault(settings.database_url.get_secret_value()))
    if reading.faults:
        raise SettingsError(reading.faults)
    return settings


def load_environment() -> Mapping[str, str]:
    """All of it, for whoever starts other programs and chooses what they may see."""
    return dict(os.environ)


def load_secrets(
    names: Iterable[str], environ: Mapping[str, str] | None = None
) -> dict[str, SecretStr]:
    """Secrets that the configuration names (`secret_env`); raises SettingsError for those not there."""
    reading = _Reading(os.environ if environ is None else environ)
    found: dict[str, SecretStr] = {}
    for name in dict.fromkeys(names):
        before = len(reading.faults)
        secret = reading.secret(name)
        if secret is not None:
            found[name] = secret
        elif len(reading.faults) == before:
            reading.check(name, f"is not set, and hms.yaml asks for it; {name}_FILE would do too")
    if reading.faults:
        raise SettingsError(reading.faults)
    return found


def check_serve(settings: Settings) -> list[Fault]:
    """What `serve` needs beyond what every command needs: a way to Slack."""
    faults = [_token_fault("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-")]
    if settings.slack_app_token is not None:
        faults.append(_token_fault("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-"))
    elif settings.slack_signing_secret is None:
        sentence = (
            "is not set, nor is SLACK_SIGNING_SECRET: set this for Socket Mode, that for HTTP"
        )
        faults.append(("SLACK_APP_TOKEN", sentence))
    return [Fault(name, 0, 0, sentence) for name, sentence in faults if sentence]


def _token_fault(name: str, token: SecretStr | None, prefix: str) -> tuple[str, str]:
    """Never the token itself: a wrong one is a secret of something else."""
    if token is None:
        return name, f"is not set: `hms-sys serve` needs the token that starts with {prefix}"
    if re.fullmatch(re.escape(prefix) + r"[A-Za-z0-9-]+", token.get_secret_value()):
        return name, ""
    return name, f"is not such a token: it starts with {prefix} and holds letters, digits and “-”"


@dataclass(slots=True)
class _Reading:
    """Reads variables one by one and keeps what is wrong with each."""

    environ: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The value, trimmed; "" when it is not set, or set to nothing."""
        return self.environ.get(name, "").strip()

    def checked(self, name: str, usual: _T, read: Callable[[str], _T]) -> _T:
        """The value as `read` makes it, which raises ValueError with a sentence."""
        text = self.text(name)
        if not text:
            return usual
        try:
            return read(text)
        except ValueError as exc:
            self.check(name, str(exc))
            return usual

    def secret(self, name: str) -> SecretStr | None:
        """From the variable or its file."""
        text, file = self.text(name), self.text(f"{name}_FILE")
        if text and file:
            self.check(name, f"is set twice: {name} and {name}_FILE; keep one")
        elif file:
            text = self._from_file(f"{name}_FILE", file)
        return SecretStr(text) if text else None

    def check(self, name: str, sentence: str) -> None:
        """Keep a fault; "" is none."""
        if sentence:
            self.faults.append(Fault(name, 0, 0, sentence))

    def _from_file(self, name: str, file: str) -> str:
        try:
            with Path(file).open("rb") as stream:
                raw = stream.read(_LARGEST_SECRET + 1)
            text = raw.decode("utf-8").strip()
        except OSError as exc:
            self.check(name, f"{file} cannot be read: {exc.strerror}")
            return ""
        except ValueError:
            self.check(name, f"{file} does not hold text")
            return ""
        if len(raw) > _LARGEST_SECRET or not text:
            self.check(name, f"{file} is {'empty' if not text else 'too large for a secret'}")
            return ""
        return text


def _port(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", text) and int(text) < 65536:
        return int(text)
    raise ValueError("must be a port: a number from 1 to 65535, or 0 for any free one")


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or "@" in text or re.search(r"[\s?#]", text):
        raise ValueError("must be an address: http://HOST/PATH or https://HOST/PATH, nothing after")
    return text.rstrip("/")


def _base(text: str) -> str:
    return _address(text) + "/"


def _database_fault(text: str) -> str:
    """Tells the scheme only: the rest may hold a password."""
    scheme, separator, rest = text.partition("://")
    if scheme == "postgresql" and rest and _can_be_split(text):
        return ""
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return ""
    shown = f" (it starts with {scheme}://)" if separator and scheme.isalnum() else ""
    return f"must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME{shown}"


def _can_be_split(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def _level(text: str) -> LogLevel:
    return _one_of(text, _LEVELS)


def _format(text: str) -> LogFormat:
    return _one_of(text, _FORMATS)


_W = TypeVar("_W", bound=str)
_LEVELS: tuple[LogLevel, ...] = ("debug", "info", "warning", "error")
_FORMATS: tuple[LogFormat, ...] = ("json", "console")


def _one_of(text: str, words: tuple[_W, ...]) -> _W:
    for word in words:
        if word == text.lower():
            return word
    raise ValueError(f"must be one of {', '.join(words)}")
