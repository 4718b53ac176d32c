"""What a legacy configuration watches, as `checks:` of `hms.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.document import Path
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.lookup import Lookup, filled
from operations.integration.legacy.spelling import Found, Reading, plain_key, whole_number
from operations.integration.legacy.spots import Spot
from operations.integration.legacy.targets import is_name
from operations.integration.legacy.vocabulary import environment_kind

Check = dict[str, object]
_URL = ("url", "uri", "address", "endpoint", "href", "health_url")


@dataclass(slots=True)
class CheckReader:
    """Reads the checks of targets, and those that a list of addresses names; `findings` says what is open."""

    reading: Reading
    lookup: Lookup
    findings: list[Finding] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def of_target(self, spot: Spot) -> list[Check]:
        """The platform's own view, and the address that tells the target's health."""
        common = self._common(spot)
        checks: list[Check] = [{"target": spot.name, **common}]
        found = self._health(spot)
        if found is not None:
            self.reading.used.add(found.path)
            url = str(found.value)
            if url not in self._asked:  # one address for the whole file tells of one target
                self._asked.add(url)
                checks.append({"name": "web", "target": spot.name, "url": url, **common})
        return checks

    def of_endpoints(self, spots: Sequence[Spot], known: Sequence[Check]) -> list[Check]:
        """A check for each address of a list, on the target that its name or its host tells."""
        urls = {str(check.get("url", "")) for check in known}
        taken = {(str(check["target"]), str(check.get("name", ""))) for check in known}
        checks: list[Check] = []
        for name, at, url in self._endpoints():
            if url in urls:
                self.reading.used.add(at)
                continue
            check = self._of_endpoint(name, at, url, spots)
            if check and (str(check["target"]), str(check["name"])) not in taken:
                taken.add((str(check["target"]), str(check["name"])))
                checks.append(check)
        return checks

    def _of_endpoint(self, name: str, at: Path, url: str, spots: Sequence[Spot]) -> Check | None:
        spot = _watched(name, url, spots)
        for found in (
            Found(at, self.reading.value(at)),
            *self.reading.every(at, *_URL, "name", "id"),
        ):
            if not isinstance(found.value, dict):
                self.reading.used.add(found.path)
        if spot is None:
            text = "nothing says which target this address tells the health of: add a check with `target:`"
            self._say(at, text)
            return None
        own = Spot(spot.project, spot.environment, (at, *spot.layers))
        status = self.reading.number(at, *words.EXPECT)
        expected = {"expect": status} if status and 100 <= status <= 599 else {}
        label = name if is_name(name) else "web"
        return {"name": label, "target": spot.name, "url": url, **expected, **self._common(own)}

    def _endpoints(self) -> Iterator[tuple[str, Path, str]]:
        for found in self.reading.every((), *words.ENDPOINTS):
            match found.value:
                case dict(children):
                    named = [(key, (*found.path, key)) for key in children]
                case list(items):
                    named = [(self._name(found, i), (*found.path, i)) for i in range(len(items))]
                case _:
                    continue
            for name, at in named:
                if url := self._url(at):
                    yield name, at, url

    def _name(self, found: Found, index: int) -> str:
        named = next(
            self.reading.every((*found.path, index), "name", "target", "project", "id"), None
        )
        return named.value.strip() if named and isinstance(named.value, str) else ""

    def _url(self, at: Path) -> str:
        own = Found(at, self.reading.value(at))
        found = next((each for each in (own, *self.reading.every(at, *_URL))
                      if isinstance(each.value, str)), None)  # fmt: skip
        if found is None or found.path in self.reading.hidden:
            return ""
        return _address(str(found.value))

    def _health(self, spot: Spot) -> Found | None:
        for layer in spot.layers:
            for found in self.reading.every(layer, *words.HEALTH_URL):
                value = found.value
                if isinstance(value, dict):
                    key = next(
                        (k for k in value if words.same_environment(k, spot.environment)), ""
                    )
                    found, value = Found((*found.path, key), value), value.get(key)
                url = _address(filled(value, spot)) if isinstance(value, str) else ""
                if url:
                    return Found(found.path, url)
        return None

    def _common(self, spot: Spot) -> Check:
        seconds = self.lookup.seconds(spot, words.INTERVAL)
        every = f"{min(max(seconds, 5), 86400)}s" if seconds else "60s"
        return {"every": every, **self._failures(spot)}

    def _failures(self, spot: Spot) -> Check:
        for layer in spot.layers:
            for found in self.reading.every(layer, *words.FAILURES):
                number = whole_number(found.value)
                if number is not None and 1 <= number <= 100:
                    self.reading.used.add(found.path)
                    return {"failures": number}
        return {}

    def _say(self, at: Path, text: str) -> None:
        place = self.reading.place(at)
        path = self.reading.say(at)
        self.findings.append(Finding(kind=FindingKind.DECISION, path=path, text=text, place=place))


def _address(text: str) -> str:
    return text.strip() if re.fullmatch(r"https?://[^\s@]+", text.strip()) else ""


def _watched(name: str, url: str, spots: Sequence[Spot]) -> Spot | None:
    """By the project in the name, else in the host; of several environments the one told, else production."""
    host = urlsplit(url).hostname or ""
    there = [spot for spot in spots if words.same_environment(spot.environment, name)]
    if len(there) == 1:
        return there[0]
    for told in (plain_key(name), plain_key(host)):
        matching = [spot for spot in spots if _holds(told, plain_key(spot.project))]
        longest = max((len(spot.project) for spot in matching), default=0)
        matching = [spot for spot in matching if len(spot.project) == longest]
        if matching:
            return _of_kind(matching, environment_kind(name) or environment_kind(host))
    return spots[0] if len(spots) == 1 else None


def _of_kind(spots: Sequence[Spot], kind: str) -> Spot | None:
    wanted = kind or "production"
    found = [spot for spot in spots if environment_kind(spot.environment) == wanted]
    return found[0] if found else spots[0] if len(spots) == 1 and not kind else None


def _holds(text: str, project: str) -> bool:
    return bool(project) and f"_{project}_" in f"_{text}_"
