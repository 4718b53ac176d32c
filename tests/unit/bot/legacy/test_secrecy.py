"""Whatever the shape of a legacy configuration: no secret in hms.yaml, in the report, or in its JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.legacy.migrating import migrate_config
from bot.legacy.reporting import say_report
from handlers.cli.orders import MigrateOrder
from operations.errors import InvalidRequest
from operations.integration.legacy.document import read_document
from operations.integration.legacy.translation import Hints, translate

MARK = "zq9x7"
"""In every secret: it stands nowhere else, so that not even a part of one can be told by chance."""

SECRETS = st.text("abcXYZ019", min_size=3, max_size=20).map(
    lambda text: f"{text}{MARK}{text}{MARK}"
)
Joint = Callable[[list[str]], str]
JOINTS: list[Joint] = [
    "_".join,
    "-".join,
    ".".join,
    lambda parts: "_".join(parts).upper(),
    lambda parts: parts[0] + "".join(part.title() for part in parts[1:]),
    lambda parts: "".join(part.title() for part in parts),
]
KEYS = st.sampled_from(
    [
        ["forge", "api", "token"], ["smtp", "password"], ["github", "token"],
        ["aws", "secret", "access", "key"],
        ["slack", "webhook", "url"], ["db", "password"], ["api", "key"], ["staging", "forge", "token"],
        ["private", "key"], ["tokens"], ["webhook"], ["deploy", "secret"], ["mail", "pass"], ["passwords"],
    ]
)  # fmt: skip
ADDRESSES = st.sampled_from(
    [
        ["smtp", "url"], ["mail", "url"], ["repo"], ["repository"], ["health", "url"], ["image"], ["url"],
        ["database"], ["endpoint"], ["channel"], ["provider"], ["context"], ["region"], ["server"],
        ["branch"],
    ]
)  # fmt: skip
FORMS = st.sampled_from(
    [
        "smtp://mailer:{}@mail.example.com:587", "https://bot:{}@github.com/acme/shop.git",
        "https://{}@github.com/acme/shop", "https://u:{}@web.example.com/up", "https://{}:@web.example.com/",
        "postgres://hms:{}@db/hms", "smtps://a%40b:{}@mail", "https://x:p/{}@host/up", "https://x:p@{}@host/up",
        "https://example.com/up?token={}", "redis://:{}@cache:6379", "xoxb-{}", "ghp_00000000000000000000{}",
        "Bearer {}", "password={}",
    ]
)  # fmt: skip


@st.composite
def secret_entries(draw: st.DrawFn) -> dict[str, object]:
    """One key whose value is a secret, or holds one."""
    join = draw(st.sampled_from(JOINTS))
    secret = draw(SECRETS)
    if draw(st.booleans()):
        key, value = draw(KEYS), secret
    else:
        key, value = draw(ADDRESSES), draw(FORMS).format(secret)
    wrapped = draw(st.sampled_from(["plain", "list", "object", "nested"]))
    if wrapped == "nested" and len(key) > 1:
        return {key[0]: {join(key[1:]): value}}
    return {join(key): {"list": [value], "object": {"production": value}}.get(wrapped, value)}


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, object]:
    """Of many shapes, with secrets at the top, in a project, in an environment, and in sections."""
    target: dict[str, object] = {"provider": "k8s", "deployment": "web", **draw(secret_entries())}
    project: dict[str, object] = draw(
        st.sampled_from(
            [{"production": target}, {"environments": {"prod": target}}, {"env": "prod", **target}]
        )
    )
    word = draw(st.sampled_from(["projects", "apps", "services", "APPLICATIONS", "sites"]))
    projects: object = draw(st.sampled_from([{"shop": project}, [{"name": "shop", **project}]]))
    content: dict[str, object] = {word: projects, "emails": ["a@example.com"]}
    for entry in draw(st.lists(secret_entries(), max_size=3)):
        place = draw(
            st.sampled_from(
                ["", "smtp", "forge", "monitoring", "notifications", "slack", "k8s", "aws"]
            )
        )
        if place and place not in content:
            content[place] = entry
        else:
            content = {**entry, **content}
    return content


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings(child)
    else:
        yield str(value)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configurations())
def test_no_secret_is_told_or_written_whatever_the_shape(content: dict[str, object]) -> None:
    assert any(MARK in text for text in strings(content))

    assert MARK not in _told(json.dumps(content))


@pytest.mark.parametrize("key", ["image", "namespace", "context", "container"])
def test_a_secret_that_stands_by_environment_is_told_to_nobody(key: str) -> None:
    project = {"provider": "k8s", "deployment": "web", "env": "prod"}
    address = f"https://x:p/{MARK}@host/up"

    assert MARK not in _told(json.dumps({key: {"prod": address}, "projects": {"shop": project}}))


def _told(text: str) -> str:
    """All that a person, a program, or the next reader of the file gets to see."""
    try:
        translation = translate(read_document(text.encode()), Hints())
        with tempfile.TemporaryDirectory() as name:
            source, target = Path(name, "old.json"), Path(name, "hms.yaml")
            source.write_text(text)
            with redirect_stdout(StringIO()) as printed:
                migrate_config(_order(source, target))
            return printed.getvalue() + target.read_text() + say_report(translation)
    except InvalidRequest as refusal:
        return f"{refusal.message} {refusal.hint}"


def _order(source: Path, target: Path) -> MigrateOrder:
    return MigrateOrder(
        source=str(source), target=str(target), secrets_file="", force=False, as_json=True,
        deploys_channel="", alerts_channel="", organization="",
    )  # fmt: skip
