"""`hms-sys components …`: registering is a change of hms.yaml, made here, with the token shown once.

The running bot reads its configuration at its start; so what is registered counts from its next one.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.component_advice import (
    overlap_advice,
    private_advice,
    secret_advice,
    secret_stays,
)
from bot.component_calls import list_components, print_json, replay_calls, try_component
from bot.config import Config, load_config
from bot.config.document import parse_document, read_document
from bot.config.editing import NotEditable, add_entry, remove_entry, replace_value
from bot.config.reading import check_document
from bot.config.sections.programs import Component
from bot.faults import ConfigError, Fault
from bot.settings import Settings, load_settings
from bot.whole_files import editing_alone, replace_file
from handlers.cli.orders import ComponentsAction, ComponentsOrder
from operations.errors import InvalidRequest

_SECTION = "components"
_BACKUP = ".before"
_RESTART = "It counts from the bot's next start."
_ONCE = "What is secret here is shown only now."


async def run_components(order: ComponentsOrder) -> int:
    """The exit code; raises InvalidRequest and what the database raises."""
    settings = load_settings()
    config = load_config(settings.config_path)
    _check_name(order, config)
    match order.action:
        case ComponentsAction.LIST:
            return await list_components(order, settings, config)
        case ComponentsAction.ADD:
            return await _add(order, settings)
        case ComponentsAction.ROTATE:
            return _rotate(order, settings, config.components[order.name])
        case ComponentsAction.REMOVE:
            return _remove(order, settings)
        case ComponentsAction.TEST:
            return await try_component(order, config)
        case ComponentsAction.REPLAY:
            return await replay_calls(order, settings)


def _check_name(order: ComponentsOrder, config: Config) -> None:
    is_new = order.action is ComponentsAction.ADD
    if is_new and order.name in config.components:
        raise InvalidRequest(
            f"There is a component {order.name} already.",
            hint=f"`hms-sys components rotate {order.name}` makes a new token for it.",
        )
    if order.name and not is_new and order.name not in config.components:
        known = ", ".join(config.components) or "none"
        raise InvalidRequest(f"There is no component {order.name}.", hint=f"Configured: {known}.")


@dataclass(frozen=True, slots=True)
class _Made:
    """What is shown once, by its name; `line` is what hms.yaml holds of it, in flow style.

    `advice` is what is left to do, a sentence each.
    """

    secrets: Mapping[str, str]
    line: str
    advice: Sequence[str] = ()


async def _add(order: ComponentsOrder, settings: Settings) -> int:
    token = secrets.token_urlsafe(32)
    entry: dict[str, object] = {"token_sha256": _digest(token), "may": _rights(order)}
    shown = {"token": token}
    advice: list[str] = []
    if order.ticket_url:
        entry["ticket_url"] = order.ticket_url
    if order.webhook:
        variable = f"{_variable(order.name)}_WEBHOOK_SECRET"
        entry |= {"webhook": order.webhook, "secret_env": variable}
        shown[variable] = _new_secret()
        advice.append(secret_advice(order.name, variable))
    if order.private:
        entry["private"] = True
    elif order.webhook:
        advice.append(await private_advice(order.name, order.webhook))
    line = f"{json.dumps(order.name)}: {json.dumps(entry)}"
    made = _Made(shown, line, [each for each in advice if each])
    lines = [f"{key}: {json.dumps(value)}" for key, value in entry.items()]
    try:
        _change(settings, lambda text: add_entry(text, _SECTION, order.name, lines))
    except NotEditable:
        _check_entry(settings, order.name, entry)
        _tell_unwritten(order, made, f"Write this line under `components:` in {_file(settings)}:")
        raise
    _tell_written(order, made, f"{order.name} is in {_file(settings)} now. {_RESTART}")
    return 0


def _rights(order: ComponentsOrder) -> list[str]:
    return [right.strip() for each in order.may for right in each.split(",") if right.strip()]


def _rotate(order: ComponentsOrder, settings: Settings, component: Component) -> int:
    if order.secret_only:
        return _rotate_secret(order, component)
    token = secrets.token_urlsafe(32)
    digest = _digest(token)
    advice = [secret_stays(order.name)] if component.webhook else []
    made = _Made({"token": token}, f"token_sha256: {json.dumps(digest)}", advice)
    path = (_SECTION, order.name, "token_sha256")
    try:
        _change(settings, lambda text: replace_value(text, path, digest))
    except NotEditable:
        _tell_unwritten(order, made, f"Write this as {'.'.join(path)} in {_file(settings)}:")
        raise
    _tell_written(order, made, "The old token ends with the bot's next start.")
    return 0


def _rotate_secret(order: ComponentsOrder, component: Component) -> int:
    """It stands in the bot's environment and not in hms.yaml, which stays as it is."""
    variable = component.secret_env
    if variable is None:
        raise InvalidRequest(f"{order.name} has no webhook, and so no secret.")
    made = _Made({variable: _new_secret()}, "", overlap_advice(order.name, variable))
    if order.as_json:
        print_json({"name": order.name, **made.secrets, "advice": list(made.advice)})
    else:
        _print_secrets(made)
        sys.stdout.write(f"{_ONCE}\n")
        _print_advice(made)
    return 0


def _remove(order: ComponentsOrder, settings: Settings) -> int:
    _change(settings, lambda text: remove_entry(text, _SECTION, order.name))
    if order.as_json:
        print_json({"name": order.name, "removed": True})
    else:
        sys.stdout.write(f"{order.name} is not in {_file(settings)} any more. {_RESTART}\n")
    return 0


def _tell_written(order: ComponentsOrder, made: _Made, said: str) -> None:
    """The only moment at which these secrets can be read."""
    if order.as_json:
        print_json(
            {"name": order.name, "written": True, **made.secrets, "advice": list(made.advice)}
        )
    else:
        _print_secrets(made)
        sys.stdout.write(f"{_ONCE} {said}\n")
        _print_advice(made)


def _tell_unwritten(order: ComponentsOrder, made: _Made, said: str) -> None:
    """The file is as it was; whoever can change it gets the line, and the secrets all the same."""
    if order.as_json:
        written = {"written": False, "line": made.line, **made.secrets}
        print_json({"name": order.name, **written, "advice": list(made.advice)})
    else:
        sys.stdout.write(f"{said}\n{made.line}\n")
        _print_secrets(made)
        sys.stdout.write(f"{_ONCE}\n")
        _print_advice(made)


def _print_advice(made: _Made) -> None:
    sys.stdout.write("".join(f"{each}\n" for each in made.advice))


def _print_secrets(made: _Made) -> None:
    for name, value in made.secrets.items():
        sys.stdout.write(f"token: {value}\n" if name == "token" else f"{name}={value}\n")


def _check_entry(settings: Settings, name: str, entry: Mapping[str, object]) -> None:
    """Raises ConfigError when hms.yaml would make no sense with the line in it, which stands nowhere yet."""
    content = read_document(Path(settings.config_path)).content
    held = content.get(_SECTION)
    others = held if isinstance(held, dict) else {}
    whole = json.dumps({**content, _SECTION: {**others, name: entry}})
    file = str(settings.config_path)
    try:
        check_document(parse_document(whole, file))
    except ConfigError as exc:
        raise ConfigError([Fault(f.path, 0, 0, f.message) for f in exc.faults], file) from None


def _change(settings: Settings, change: Callable[[str], str]) -> None:
    """Edit, check and replace the file; a copy of what it was stays beside it.

    A link stays one: what it leads to is changed. Raises NotEditable, and then nothing has changed.
    """
    path = _file(settings)
    try:
        with editing_alone(path.parent):
            raw = path.read_bytes()
            text = change(raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
            check_document(parse_document(text, str(path)))
            shutil.copy2(path, path.with_name(path.name + _BACKUP))
            mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
            replace_file(path, mark + text.encode())
    except OSError as exc:
        raise NotEditable(
            f"{path} cannot be written: {exc.strerror}.", hint="Change it yourself."
        ) from exc


def _file(settings: Settings) -> Path:
    return Path(settings.config_path).resolve()


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _variable(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.upper())
