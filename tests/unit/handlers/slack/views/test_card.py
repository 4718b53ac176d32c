from __future__ import annotations

from handlers.slack.views.card import shorten_digests


def test_a_whole_digest_is_shortened_wherever_it_stands() -> None:
    digest = "sha256:" + "d800fc" + "a" * 58

    assert shorten_digests(f'pull "acme/web@{digest}": {digest}: not found') == (
        'pull "acme/web@sha256:d800fc…": sha256:d800fc…: not found'
    )


def test_other_text_stays() -> None:
    assert shorten_digests("sha256:abc is short") == "sha256:abc is short"
