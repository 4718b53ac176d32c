"""Which platform a target is on: by the word for it, else by the keys that only one platform has."""

from __future__ import annotations

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.lookup import INNER, Lookup
from operations.integration.legacy.spelling import Found, Reading, plain_key
from operations.integration.legacy.spots import Spot
from operations.redaction import clean


def find_platform(lookup: Lookup, spot: Spot) -> tuple[str, str]:
    """`forge`, `aws` or `k8s`; with "" why it is not known."""
    strange = _named(lookup, spot, words.PROVIDER_WORDS)
    if strange in words.PROVIDERS.values():
        return strange, ""
    loose = _named(lookup, spot, words.LOOSE_PROVIDER_WORDS)
    if not strange and loose in words.PROVIDERS.values():
        return loose, ""
    found = "" if strange else spot.provider or _told(lookup.reading, spot)
    if found:
        return found, ""
    if strange or loose:
        return (
            "",
            f"“{clean(strange or loose, limit=40)}” is no platform of HMS-SYS: forge, aws or k8s",
        )
    return "", "nothing says which platform it is on: forge, aws or k8s"


def _named(lookup: Lookup, spot: Spot, spellings: tuple[str, ...]) -> str:
    """The provider's word, else what was written, else ""."""
    written = ""
    for layer in spot.layers:
        value = lookup.reading.value(layer)
        if isinstance(value, str) and plain_key(value) in words.PROVIDERS:
            lookup.reading.used.add(layer)
            return words.PROVIDERS[plain_key(value)]
        for found in lookup.reading.every(layer, *spellings):
            leaf = lookup.leaf(found, spot, INNER)
            text = _loose_text(lookup.reading, leaf, spellings) if leaf else ""
            if plain_key(text) in words.PROVIDERS:
                return words.PROVIDERS[plain_key(text)]
            written = written or text
    return written


def _loose_text(reading: Reading, found: Found, spellings: tuple[str, ...]) -> str:
    """What may say something else as well is understood only when it names a platform."""
    if spellings == words.PROVIDER_WORDS or plain_key(str(found.value)) in words.PROVIDERS:
        return reading.as_text(found)
    return str(found.value) if isinstance(found.value, str) else ""


def _told(reading: Reading, spot: Spot) -> str:
    """By the keys that only one platform has, of the innermost layer that has any."""
    for layer in spot.layers:
        counts = {
            provider: sum(True for key in keys for _ in reading.every(layer, key))
            + sum(
                isinstance(found.value, dict)
                for found in reading.every(layer, *words.SECTIONS[provider])
                if layer != ()
            )
            for provider, keys in words.TELLTALES.items()
        }
        best = max(counts, key=lambda provider: counts[provider])
        if counts[best] and (layer != () or list(counts.values()).count(0) == 2):
            return best
    return _only_section(reading)


def _only_section(reading: Reading) -> str:
    """The one platform that the file says anything about."""
    named = [
        provider
        for provider, sections in words.SECTIONS.items()
        if any(reading.has((), s) or reading.has_prefix(s) for s in sections)
    ]
    return named[0] if len(named) == 1 else ""
