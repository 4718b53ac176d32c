from __future__ import annotations

import asyncio
from collections.abc import Sequence

from operations.diagnosis import Condition, Examination, Finding, diagnose, is_well
from operations.errors import ProviderUnauthorized


def finding(condition: Condition) -> Finding:
    return Finding(area="a", subject="s", condition=condition, detail="d")


async def well() -> Sequence[Finding]:
    return [finding(Condition.WELL)]


async def refused() -> Sequence[Finding]:
    raise ProviderUnauthorized("No.", hint="Ask.")


async def stuck() -> Sequence[Finding]:
    await asyncio.Event().wait()
    return []


async def test_what_is_refused_is_a_finding_with_its_advice() -> None:
    found = await diagnose([Examination("x", "token", refused)], seconds=1)

    assert found == [
        Finding(area="x", subject="token", condition=Condition.FAILING, detail="No.", advice="Ask.")
    ]


async def test_what_does_not_answer_is_a_finding_and_holds_nothing_up() -> None:
    examinations = [Examination("x", "slow", stuck), Examination("x", "quick", well)]

    found = await diagnose(examinations, seconds=0.05)

    assert [each.detail for each in found] == ["no answer within 0.05 s", "d"]


def test_doubts_do_not_count() -> None:
    assert is_well([finding(Condition.WELL), finding(Condition.DOUBTFUL)])
    assert not is_well([finding(Condition.WELL), finding(Condition.FAILING)])
