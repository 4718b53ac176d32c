"""A digest by mail: the same as in Slack, with its chart in it or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from handlers.mail.digest import DigestLetters, draw
from handlers.mail.rendering import render_html, render_text, render_title
from handlers.subjects import UnknownSubject
from operations.errors import ProviderUnavailable
from operations.letters import Picture, Tone
from operations.monitoring.digest.digest import Digest
from operations.monitoring.digest.digests import Digests
from operations.outbox import NoticeKind
from tests.contract.databases import open_sqlite
from tests.digests import BUSY, LATE, QUIET, STORM, store
from tests.workshops import ShiftedClock


class Painter:
    """Paints, or says why not."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works

    async def paint(self, digest: Digest) -> bytes:
        """Made up."""
        if not self.works:
            raise ProviderUnavailable("no time")
        return b"PNG"


@pytest.mark.parametrize("digest", [BUSY, LATE], ids=["busy", "late"])
def test_text(digest: Digest, snapshot: SnapshotAssertion) -> None:
    """What people read; a change of these snapshots is a change of the product."""
    assert render_text(draw(store(digest), b"PNG")) == snapshot


def test_its_title_says_what_came_out() -> None:
    title = render_title(draw(store(BUSY)))

    assert (
        title
        == "Digest: Mon 23 Nov → 1 alert open, 1 rollout failed, 7 new errors, 1 emergency to review (G-3)"
    )


def test_the_chart_is_in_the_html_by_its_name() -> None:
    page = draw(store(BUSY), b"PNG")

    assert page.pictures == (Picture("chart", b"PNG"),)
    assert '<img src="cid:chart" alt="Errors per hour: 20 to 310' in render_html(page)


def test_without_a_chart_there_is_no_picture() -> None:
    page = draw(store(BUSY))

    assert page.pictures == ()
    assert "<img" not in render_html(page)


def test_what_others_wrote_is_text() -> None:
    html = render_html(draw(store(STORM)))

    assert "<!channel>" not in html
    assert "&lt;!channel&gt; &amp; *x*" in html


@pytest.mark.parametrize(("digest", "tone"), [(BUSY, Tone.BAD), (QUIET, Tone.GOOD)])
def test_its_tone_is_that_of_what_came_out(digest: Digest, tone: Tone) -> None:
    assert draw(store(digest)).tone is tone


@pytest.mark.parametrize("works", [True, False])
async def test_it_is_mailed_whether_or_not_its_chart_can_be_drawn(
    tmp_path: Path, works: bool
) -> None:
    clock = ShiftedClock()
    async with await open_sqlite(tmp_path, clock=clock) as database:
        digests = Digests(plan=None, checks=(), store=database.store, clock=clock)
        async with database.store.transaction() as tx:
            stored = await tx.digests.add(store(BUSY))
        assert stored is not None
        subject = DigestLetters(digests, Painter(works=works)).subject(stored.id)

        page = await subject.page(NoticeKind.CARD)

        assert page is not None
        assert bool(page.pictures) is works
        assert await subject.page(NoticeKind.ENDED) is None
        with pytest.raises(UnknownSubject):
            await DigestLetters(digests, Painter()).page(99)
