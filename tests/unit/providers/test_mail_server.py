from __future__ import annotations

import pytest

from providers.mail import parse_server
from providers.mail.server import Guarding


@pytest.mark.parametrize(
    ("url", "host", "port", "guarding", "user"),
    [
        ("smtp://hms@mail.example.com:587", "mail.example.com", 587, Guarding.STARTTLS, "hms"),
        ("smtp://mail.example.com", "mail.example.com", 587, Guarding.STARTTLS, ""),
        ("smtps://a%40b.c@mail.example.com", "mail.example.com", 465, Guarding.TLS, "a@b.c"),
        ("smtp://localhost:25", "localhost", 25, Guarding.NONE, ""),
        ("smtp://127.0.0.9:25", "127.0.0.9", 25, Guarding.NONE, ""),
        ("smtp://[::1]:25", "::1", 25, Guarding.NONE, ""),
        ("smtps://localhost", "localhost", 465, Guarding.TLS, ""),
        ("smtp://10.0.0.1:25", "10.0.0.1", 25, Guarding.STARTTLS, ""),
        ("smtp://localhost.example.com", "localhost.example.com", 587, Guarding.STARTTLS, ""),
    ],
)
def test_where_to_and_how_guarded(
    url: str, host: str, port: int, guarding: Guarding, user: str
) -> None:
    server = parse_server(url, "secret")

    assert (server.host, server.port, server.guarding, server.user) == (host, port, guarding, user)


def test_the_password_does_not_show() -> None:
    assert "secret" not in repr(parse_server("smtp://u@h", "secret"))
