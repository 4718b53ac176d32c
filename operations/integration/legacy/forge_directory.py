"""Forge's servers and sites that a legacy configuration lists: `forge.servers.web1.sites.shop`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operations.integration.legacy.document import Path
from operations.integration.legacy.spelling import Found, Reading, plain_key, whole_number
from operations.integration.legacy.vocabulary import SECTIONS


@dataclass(frozen=True, slots=True)
class Site:
    """Its name, where its number and its server's stand (None: nowhere), and where it stands itself."""

    name: str
    path: Path
    server_name: str = ""
    number: Found | None = None
    server: Found | None = None


@dataclass(frozen=True, slots=True)
class ForgeDirectory:
    """By name. Names are compared as plain keys."""

    sites: tuple[Site, ...]
    servers: tuple[tuple[str, Found], ...]

    def server(self, name: str) -> Found | None:
        """Where the number of a server stands."""
        wanted = plain_key(name)
        return next((found for each, found in self.servers if plain_key(each) == wanted), None)

    def site(self, name: str, server: str = "") -> Site | None:
        """A site, on the server of that name when it says one."""
        wanted, on = plain_key(name), plain_key(server)
        named = [site for site in self.sites if plain_key(site.name) == wanted]
        return next(
            (s for s in named if plain_key(s.server_name) == on), named[0] if named else None
        )


def read_directory(reading: Reading) -> ForgeDirectory:
    """Of the whole file; looking does not make anything understood."""
    servers: list[tuple[str, Found]] = []
    sites: list[Site] = []
    for found in reading.every((), *SECTIONS["forge"]):
        for name, at in _entries(reading, found.path, "servers"):
            number = _number(reading, at, "id", "server_id")
            if number is not None:
                servers.append((name, number))
            for site, path in _entries(reading, at, "sites"):
                own = _number(reading, path, "id", "site_id")
                sites.append(Site(site, path, name, own, number))
        for site, path in _entries(reading, found.path, "sites"):
            own = _number(reading, path, "id", "site_id")
            sites.append(Site(site, path, "", own, _number(reading, path, "server_id")))
    return ForgeDirectory(tuple(sites), tuple(servers))


def _entries(reading: Reading, at: Path, word: str) -> Iterator[tuple[str, Path]]:
    """Of an object by their keys, of a list by their names; what has none is no entry."""
    for found in reading.every(at, word):
        match found.value:
            case dict(children):
                yield from ((name, (*found.path, name)) for name in children)
            case list(items):
                for index, item in enumerate(items):
                    path = (*found.path, index)
                    name = next(reading.every(path, "name", "domain"), None)
                    if isinstance(item, dict) and name and isinstance(name.value, str):
                        yield name.value.strip(), path


def _number(reading: Reading, at: Path, *keys: str) -> Found | None:
    """Where the number of an entry stands: the entry itself, or a key of it."""
    value = reading.value(at)
    if whole_number(value) is not None:
        return None if keys == ("server_id",) else Found(at, value)
    found = reading.every(at, *keys)
    return next((each for each in found if whole_number(each.value) is not None), None)
