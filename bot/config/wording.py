"""Small pieces of sentences about configuration: quoting what was written, and guessing what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from operations.redaction import clean


def quote(text: str) -> str:
    """What was written, fit to show: one line, short, and without the secrets it may be by mistake."""
    sayable = text.encode("utf-8", "replace").decode("utf-8")
    shown = clean(sayable, limit=4000).replace("\n", " ").replace("\t", " ")
    return f"“{shown[:59]}…”" if len(shown) > 60 else f"“{shown}”"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "" when none is near."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower()[:100], by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else ""


def hint(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: `: did you mean “approvals”?`, or ""."""
    guess = nearest(word, known)
    return f": did you mean “{guess}”?" if guess else ""


def listing(words: Iterable[str], *, last: str = "and") -> str:
    """`k8s, aws and forge`; twelve at most."""
    names = list(words)
    if len(names) > 12:
        return ", ".join(names[:12]) + " …"
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
