"""The image's and compose's files, as far as they can be tried without an engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from bot.settings import SECRETS, VARIABLES

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def _instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = (line for line in joined.splitlines() if line.strip() and not line.startswith("#"))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines]


def _last(name: str) -> str:
    return [argument for instruction, argument in _instructions() if instruction == name][-1]


def test_the_dockerfile_holds_known_instructions_only() -> None:
    known = {"ARG", "FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE",
             "HEALTHCHECK", "ENTRYPOINT", "CMD"}  # fmt: skip
    assert {instruction for instruction, _ in _instructions()} <= known


def test_the_image_runs_the_bot_without_rights() -> None:
    assert json.loads(_last("ENTRYPOINT")) == ["hms-sys"]
    assert json.loads(_last("CMD")) == ["serve"]
    user = _last("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user), user


def test_the_image_listens_to_the_outside_and_leaves_the_database_to_choose() -> None:
    environment = dict(re.findall(r"(\w+)=(\S+)", _last("ENV")))
    assert environment["HMS_HOST"] == "0.0.0.0"  # noqa: S104 - a container's own network
    assert {name for name in environment if name.startswith("HMS_")} <= {v.name for v in VARIABLES}
    # Set here, HMS_DATABASE_URL_FILE would be a second value and a fault.
    assert not set(environment) & set(SECRETS)


def test_dependencies_are_installed_by_hash_and_from_nowhere_in_particular() -> None:
    assert "--require-hashes" in DOCKERFILE
    for name in ("Dockerfile", "compose.yaml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"index-url|trusted-host|https?://(?!127\.0\.0\.1)", text)


def test_what_the_image_copies_is_not_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    allowed = {line[1:].rstrip("/") for line in lines if line.startswith("!")}
    assert allowed == {
        "pyproject.toml", "README.md", "requirements.txt",
        "bot", "handlers", "operations", "providers", "storage",
    }  # fmt: skip


@contextmanager
def _server(status: int) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "is_healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_asks_healthz(status: int, is_healthy: bool) -> None:
    command = json.loads(_last("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    with _server(status) as port:
        # A proxy of the surroundings must not be asked for our own address.
        environ = {**os.environ, "HMS_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
        done = subprocess.run([sys.executable, *command[1:]], env=environ, capture_output=True)
    assert (done.returncode == 0) is is_healthy


def test_compose_waits_for_the_database() -> None:
    bot, database = COMPOSE["services"]["bot"], COMPOSE["services"]["database"]
    assert bot["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert database["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]


def test_compose_gives_secrets_as_files_that_it_declares() -> None:
    for service in COMPOSE["services"].values():
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
        files = {k: v for k, v in service["environment"].items() if k.endswith("_FILE")}
        assert {Path(file).name for file in files.values()} == set(service["secrets"])
        assert all(file.startswith("/run/secrets/") for file in files.values())
        assert not re.search(r"xox|xapp-|PASSWORD\b(?!_FILE)", str(service["environment"]))


def test_compose_sets_variables_that_exist() -> None:
    known = {variable.name for variable in VARIABLES} | {f"{name}_FILE" for name in SECRETS}
    assert set(COMPOSE["services"]["bot"]["environment"]) <= known


def test_compose_gives_the_configuration_where_the_image_looks_for_it() -> None:
    assert "./hms.yaml:/etc/hms/hms.yaml:ro" in COMPOSE["services"]["bot"]["volumes"]
    assert "HMS_CONFIG=/etc/hms/hms.yaml" in _last("ENV")


def test_compose_shows_the_bot_to_this_machine_only() -> None:
    assert COMPOSE["services"]["bot"]["ports"] == ["127.0.0.1:3000:3000"]
