"""A stand-in of GitHub's REST API: repositories in memory, and the three routes HMS-SYS reads.

The repositories are also what the stand-in of Forge deploys from, as Forge itself deploys from GitHub.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from sandbox.loopback import Loopback, message

_BEGAN = datetime(2026, 11, 1, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of a linear history."""

    sha: str
    message: str
    author: str
    parent: str | None
    at: datetime


class Repository:
    """Branches, tags and commits. A commit's sha depends on its content only: runs are alike."""

    def __init__(self, name: str, *, default_branch: str = "main", private: bool = False) -> None:
        """One commit an hour, from the same day on."""
        self.name = name
        self.default_branch = default_branch
        self.private = private
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self._commits: dict[str, Commit] = {}

    def commit(
        self, text: str, *, branch: str = "", author: str = "Alice", tag: str = ""
    ) -> Commit:
        """Add a commit on top of the branch, which is made from the default branch when new."""
        branch = branch or self.default_branch
        parent = self.branches.get(branch) or self.branches.get(self.default_branch)
        content = f"{self.name}\0{parent}\0{author}\0{text}"
        sha = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
        at = _BEGAN + timedelta(hours=len(self._commits))
        made = Commit(sha=sha, message=text, author=author, parent=parent, at=at)
        self._commits[sha] = made
        self.branches[branch] = sha
        if tag:
            self.tags[tag] = sha
        return made

    def find(self, ref: str) -> Commit | None:
        """The commit of a branch, a tag, a sha or an unambiguous beginning of a sha."""
        named = self.branches.get(ref) or self.tags.get(ref)
        if named:
            return self._commits[named]
        if len(ref) < 4:
            return None
        found = [c for sha, c in self._commits.items() if sha.startswith(ref.lower())]
        return found[0] if len(found) == 1 else None

    def history(self, commit: Commit) -> list[Commit]:
        """The commit and its ancestors, newest first."""
        line = [commit]
        while (parent := line[-1].parent) is not None:
            line.append(self._commits[parent])
        return line

    def names(self, commit: Commit) -> list[str]:
        """The commit's message, tags and branches: what Forge's stand-in reads `bad` and `slow` from."""
        refs = {**self.tags, **self.branches}
        return [commit.message, *(ref for ref, sha in refs.items() if sha == commit.sha)]


GOOD_TAGS = ("1.4", "1.1", "1.0")


def demo_repository() -> Repository:
    """`acme/site`: tags 1.0, 1.1, 1.2-bad, 1.3-slow and 1.4, which is the head of main."""
    site = Repository("acme/site")
    site.commit("Open the shop", author="Alice", tag="1.0")
    site.commit("Show prices with tax", author="Bob", tag="1.1")
    site.commit("Rename the totals column", author="Carol", tag="1.2-bad")
    site.commit("Rebuild the search index", author="Alice", tag="1.3-slow")
    site.commit("Bring the totals column back", author="Bob", tag="1.4")
    return site


class GitHubStandIn(Loopback):
    """A wrong `token` is answered 401; without one, private repositories are hidden."""

    def __init__(self, *, repositories: Iterable[Repository]) -> None:
        super().__init__()
        self.token = "gh-sandbox"
        self.repositories = {r.name.lower(): r for r in repositories}

    @property
    def url(self) -> str:
        """What GITHUB_API_URL is set to."""
        return self.origin

    def routes(self) -> list[web.RouteDef]:
        """The repository itself, one commit, and a comparison."""
        repository = "/repos/{owner}/{name}"
        return [
            web.get(repository, self._show),
            web.get(repository + "/commits/{ref:.+}", self._commit),
            web.get(repository + "/compare/{base}...{head}", self._compare),
        ]

    def refuse(self, request: web.Request) -> web.Response | None:
        """Throttling and credentials."""
        if self.throttled:
            refused = message(429, "You have exceeded a secondary rate limit.")
            refused.headers["Retry-After"] = "60"
            return refused
        given = request.headers.get("Authorization")
        if given is not None and given != f"Bearer {self.token}":
            return message(401, "Bad credentials")
        return None

    def _visible(self, request: web.Request) -> Repository:
        name = f"{request.match_info['owner']}/{request.match_info['name']}".lower()
        found = self.repositories.get(name)
        if found is None or (found.private and "Authorization" not in request.headers):
            raise web.HTTPNotFound(text='{"message": "Not Found"}', content_type="application/json")
        return found

    async def _show(self, request: web.Request) -> web.Response:
        found = self._visible(request)
        return web.json_response(
            {
                "full_name": found.name,
                "private": found.private,
                "default_branch": found.default_branch,
            }
        )

    async def _commit(self, request: web.Request) -> web.Response:
        repository = self._visible(request)
        ref = request.match_info["ref"]
        found = repository.find(ref)
        if found is None:
            return message(422, f"No commit found for SHA: {ref}")
        return web.json_response(_commit(found))

    async def _compare(self, request: web.Request) -> web.Response:
        repository = self._visible(request)
        base = repository.find(request.match_info["base"])
        head = repository.find(request.match_info["head"])
        if base is None or head is None:
            return message(404, "Not Found")
        ahead = _without(repository.history(head), repository.history(base))
        behind = _without(repository.history(base), repository.history(head))
        return web.json_response(
            {
                "status": _relation(len(ahead), len(behind)),
                "ahead_by": len(ahead),
                "behind_by": len(behind),
                "total_commits": len(ahead),
                "commits": [_commit(c) for c in reversed(ahead)],
            }
        )


def _commit(commit: Commit) -> dict[str, object]:
    return {
        "sha": commit.sha,
        "commit": {
            "message": commit.message,
            "author": {"name": commit.author, "date": _stamp(commit.at - timedelta(days=1))},
            "committer": {"name": commit.author, "date": _stamp(commit.at)},
        },
        "author": {"login": commit.author.lower()},
        "parents": [{"sha": commit.parent}] if commit.parent else [],
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _without(line: list[Commit], other: list[Commit]) -> list[Commit]:
    known = {c.sha for c in other}
    return [c for c in line if c.sha not in known]


def _relation(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"
