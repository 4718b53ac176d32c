"""Help and hints in plain text, written from the table of verbs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from handlers.language.grammar import Option, Verb
from handlers.language.verbs import VERBS, verb_named


def help_text(topic: str = "", *, program: str = "") -> str:
    """The overview, or one verb in full. `topic` is a verb's name as `parse` lets it through.

    `program` is what is said before a verb: `/hms`, `hms-sys` or nothing.
    """
    verb = verb_named(topic) if topic else None
    return explain(verb, program=program) if verb else overview()


def overview() -> str:
    """One line per verb."""
    width = max(len(verb.name) for verb in VERBS)
    lines = [f"{verb.name:<{width}}  {verb.summary}" for verb in VERBS]
    return "\n".join([*lines, "", "Say `help COMMAND` for one in full."])


def explain(verb: Verb, *, program: str = "", switches: Sequence[Option] = ()) -> str:
    """Usage, what it does, options and examples of one verb; `switches` are the command line's own."""
    before = f"{program} " if program else ""
    lines = [f"{before}{verb.usage}", "", verb.summary, verb.help]
    options = [*verb.options, *switches]
    if options:
        shown = {o.name: f"--{o.name} {o.metavar}".strip() for o in options}
        width = max(len(text) for text in shown.values())
        lines += ["", *(f"  {shown[o.name]:<{width}}  {o.help}" for o in options)]
    examples = [f"  {before}{example}" for example in verb.examples]
    return "\n".join([*lines, "", "For example:", *examples])


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant; "" when none is near."""
    close = difflib.get_close_matches(word.lower()[:40], list(known), n=1, cutoff=0.65)
    return close[0] if close else ""
