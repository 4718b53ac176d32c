"""The numbers of a target's server and site on Forge: written as such, or by names that the file lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.forge_directory import ForgeDirectory, Site, read_directory
from operations.integration.legacy.lookup import INNER, Lookup
from operations.integration.legacy.spelling import Found, plain_key, whole_number
from operations.integration.legacy.spots import Spot
from operations.integration.legacy.vocabulary import Word

_INNER_NUMBER = ("id", "number", "value", "server_id", "site_id")


@dataclass(slots=True)
class ForgeNumbers:
    """Looks through the whole file once for the names of servers and sites."""

    lookup: Lookup
    _directory: ForgeDirectory = field(init=False)

    def __post_init__(self) -> None:
        self._directory = read_directory(self.lookup.reading)

    def server_and_site(self, spot: Spot) -> tuple[int | None, int | None]:
        """None for what the file does not say. Raises Unreadable for a number that is none."""
        site = self._site(spot)
        server = self._number(spot, "server", words.SERVER)
        entry = self._entry(spot)
        if site is None and entry and entry.number:
            site = self.lookup.take_number(spot, "site", entry.number)
        if server is None and entry and entry.server:
            server = self.lookup.take_number(spot, "server", entry.server)
        return server, site

    def _site(self, spot: Spot) -> int | None:
        for layer in spot.layers[:1]:  # `sites: {marketing: 2001}`
            value = Found(layer, self.lookup.reading.value(layer))
            if layer and whole_number(value.value) is not None:
                return self.lookup.take_number(spot, "site", value)
        return self._number(spot, "site", words.SITE)

    def _number(self, spot: Spot, key: str, word: Word) -> int | None:
        """None also for a name, which the directory may know the number of."""
        found = self.lookup.found(spot, word, _INNER_NUMBER)
        if found is None:
            return None
        if whole_number(found.value) is not None:
            return self.lookup.take_number(spot, key, found)
        if not isinstance(found.value, str) or plain_key(str(found.path[-1])).endswith("_id"):
            raise self.lookup.reading.wrong_type(found, "a whole number")
        known = self._directory.server(found.value) if key == "server" else None
        return self.lookup.take_number(spot, key, known) if known else None

    def _entry(self, spot: Spot) -> Site | None:
        """The directory's site of that name, else of the project's."""
        server = self._name_of(spot, words.SERVER)
        for name in (self._name_of(spot, words.SITE), spot.project):
            site = self._directory.site(name, server) if name else None
            if site is not None:
                return site
        return None

    def _name_of(self, spot: Spot, word: Word) -> str:
        found = self.lookup.found(spot, word, INNER)
        if found is None or whole_number(found.value) is not None:
            return ""
        return self.lookup.reading.as_text(found)
