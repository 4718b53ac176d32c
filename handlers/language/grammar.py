"""The shape of a verb: its arguments, its options, and how their values are read.

`verbs` fills these in; parsing, help, typo hints and the command line are driven by the table there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from handlers.language.commands import Command, DigestAction, MonitorAction
from handlers.language.kinds import kind_of
from handlers.language.numbers import in_digits, in_short, is_number
from handlers.language.words import DASHES, as_person, as_text
from operations.deployment.rollout import parse_rollout_id
from operations.deployment.start_time import StartTime, parse_start
from operations.durations import parse_duration
from operations.errors import InvalidRequest
from operations.monitoring.alert import parse_alert_id
from operations.monitoring.errors.group import parse_group_id
from operations.redaction import clean

PROVIDERS = {"forge": "forge", "aws": "aws", "k8s": "k8s", "ecs": "aws", "kubernetes": "k8s"}
"""The provider words as written, and the provider that each means."""

_YES = {"", "true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}
_NAME_LENGTH = 100
_TO_DASH = str.maketrans(dict.fromkeys(DASHES, "-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A word by its place. `field` is the command's attribute; `rest` takes all words that are left.

    `choices` are the only words it can be, when there are but a few; `example` is one, for hints.
    With `fits`, an optional one takes
    the next word only if that fits and was not quoted.
    """

    name: str
    field: str
    required: bool = True
    rest: bool = False
    choices: tuple[str, ...] = ()
    example: str = ""
    fits: Callable[[str], bool] | None = None

    @property
    def shown(self) -> str:
        """As usage shows it."""
        if self.field == "provider":
            return "[forge|aws|k8s]"
        return self.placeholder if self.required else f"[{self.placeholder}]"

    @property
    def placeholder(self) -> str:
        """What stands for the word: `PROJECT`, `start|stop|list`, `E-12`."""
        return "|".join(self.choices) or self.name.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A word by its name. `metavar` "": a flag."""

    name: str
    field: str
    help: str
    metavar: str = ""
    cli_only: bool = False

    @property
    def shown(self) -> str:
        """As usage shows it."""
        return f"[--{self.name}{' ' + self.metavar if self.metavar else ''}]"


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one command by field, as they were written, with readers for each kind."""

    given: Mapping[str, str]

    def word(self, field: str) -> str:
        """A name or a version; "" when it was not given."""
        value = as_text(self.given.get(field, ""))
        if len(value) > _NAME_LENGTH and field != "version":
            raise InvalidRequest(f"“{value[:30]}…” is too long to be a name.")
        return value

    def text(self, field: str) -> str:
        """Free text."""
        return as_text(self.given.get(field, ""))

    def person(self, field: str) -> str:
        """A Slack user's id or a name."""
        return as_person(self.given.get(field, ""))

    def flag(self, field: str) -> bool:
        """Present, or `=true`."""
        if field not in self.given:
            return False
        value = self.given[field].strip().lower()
        if value in _YES | _NO:
            return value in _YES
        raise InvalidRequest(f"--{field.replace('_', '-')} is said alone, without a value.")

    def count(self, field: str, default: int, *, most: int, example: str = "") -> int:
        """A whole number from 1 to `most`. `example` is how one is said, when not as an option."""
        written = self.given.get(field)
        if written is None:
            return default
        digits = in_digits(written.strip())
        if digits.isdecimal() and len(digits) <= 9 and 1 <= int(digits) <= most:
            return int(digits)
        raise InvalidRequest(
            f"“{_short(written)}” is no number from 1 to {most}.",
            hint=f"Say `{example or f'--{field} {default}'}`.",
        )

    def span(self, field: str, example: str) -> timedelta | None:
        """A duration; None when it was not given. `example` is how one is said: `--for 2h`."""
        return self.duration(field, example) if field in self.given else None

    def duration(self, field: str, example: str) -> timedelta:
        """A duration that was given."""
        written = self.given[field]
        try:
            span = parse_duration(in_short(written))
        except ValueError:
            span = timedelta(0)
        if span > timedelta(0):
            return span
        raise InvalidRequest(
            f"“{_short(written)}” is not a duration.",
            hint=f"Write 30s, 10m, 2h or 7d: `{example}`.",
        )

    def start(self) -> StartTime | None:
        """When to start; None when it was not said."""
        written = self.given.get("at")
        return None if written is None else parse_start(as_text(written).translate(_TO_DASH))

    def rollout(self) -> int:
        """A rollout's id."""
        written = self.given["rollout_id"]
        rollout_id = parse_rollout_id(written.translate(_TO_DASH))
        if rollout_id is not None:
            return rollout_id
        raise InvalidRequest(
            f"“{_short(written)}” is no rollout's id.",
            hint=_say_kind(written) or "Ids look like D-1042: see `history`.",
        )

    def alert(self) -> int:
        """An alert's id."""
        written = self.given["alert_id"]
        alert_id = parse_alert_id(written.translate(_TO_DASH))
        if alert_id is not None:
            return alert_id
        raise InvalidRequest(
            f"“{_short(written)}” is no alert's id.",
            hint=_say_kind(written) or "Ids look like A-17: see `status`.",
        )

    def group(self) -> int | None:
        """An error group's id; None when it was left out."""
        return parse_group_id(self.given.get("group_id", "").translate(_TO_DASH))

    def monitor_action(self) -> MonitorAction:
        """What to do with checks."""
        written = self.given["action"]
        word = written.strip().lower()
        if word in set(MonitorAction):
            return MonitorAction(word)
        raise InvalidRequest(
            f"“{_short(written)}” is not start, stop or list.",
            hint="Say `monitor list`, `monitor stop PROJECT ENVIRONMENT` or `monitor start …`.",
        )

    def digest_action(self) -> DigestAction:
        """Whether to read a digest or to have one posted."""
        written = self.given.get("action", "")
        word = written.strip().lower()
        if word in set(DigestAction):
            return DigestAction(word)
        raise InvalidRequest(
            f"`digest` does not know “{_short(written)}”.",
            hint="Say `digest` to read it, or `digest now` to post it.",
        )

    def provider(self) -> str:
        """The provider that the word means; "" when it was left out."""
        written = self.given.get("provider", "").strip().lower()
        if not written or written in PROVIDERS:
            return PROVIDERS.get(written, "")
        raise InvalidRequest(
            f"There is no provider “{_short(written)}”.", hint="Providers: forge, aws, k8s."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One command. `build` makes the value; it is told what was given and raises InvalidRequest.

    `slack_only`: the command line has a program of its own by that name.
    """

    name: str
    summary: str
    help: str
    examples: tuple[str, ...]
    build: Callable[[Values], Command]
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    slack_only: bool = False

    @property
    def usage(self) -> str:
        """`deploy [forge|aws|k8s] PROJECT ENVIRONMENT [VERSION] [--reason TEXT]`."""
        return self.usage_with(self.options)

    def usage_with(self, options: Iterable[Option]) -> str:
        """The same with these options only."""
        places = {a.field for a in self.arguments}
        named = [o.shown for o in options if o.field not in places]
        return " ".join([self.name, *(a.shown for a in self.arguments), *named])

    def option(self, name: str) -> Option | None:
        """The option of this name."""
        return next((o for o in self.options if o.name == name), None)


def is_provider(word: str) -> bool:
    """`aws`, or a word that means the same."""
    return word.lower() in PROVIDERS


def is_count(word: str) -> bool:
    """A number, or what usage shows in its place; how many may be asked for is for the reader to say."""
    return is_number(word) or word.lower() == "count"


def is_group(word: str) -> bool:
    """`E-12` or `e12`: a number alone says how many."""
    plain = word.translate(_TO_DASH)
    return not plain.strip().isdecimal() and parse_group_id(plain) is not None


def _short(text: str) -> str:
    return clean(as_text(text), limit=40)


def _say_kind(written: str) -> str:
    kind = kind_of(as_text(written))
    return f"It is {kind.noun}: say `{kind.command}`." if kind else ""
