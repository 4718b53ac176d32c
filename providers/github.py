"""Reads commits from GitHub: what a branch or a tag is, and what lies between two commits.

It changes nothing and is never in the way: where GitHub cannot be asked, `commit` answers None and the
release is told to be mutable.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import httpx
from pydantic import AwareDatetime, BaseModel, ValidationError

from operations.errors import InvalidRequest, ProviderUnavailable
from providers.http import build_client

_REF = re.compile(
    r"(?!.*(?:\.\.|@\{|//))[^\s\x00-\x20\x7f~^:?*\[\\/.-][^\s\x00-\x20\x7f~^:?*\[\\]*"
)
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit: full `sha`, the first line of its message, and its author's name.

    `at` is when it was committed, not when it was first written: a rebase keeps the author's date.
    """

    sha: str
    subject: str
    author: str
    at: datetime | None = None

    @property
    def short(self) -> str:
        """The first seven digits, as people say it."""
        return self.sha[:7]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What `head` has and `base` has not, newest first. `ahead` and `behind` count beyond what is listed."""

    commits: tuple[Commit, ...]
    ahead: int
    behind: int


class _Author(BaseModel):
    name: str = ""


class _Committer(BaseModel):
    date: AwareDatetime | None = None


class _Details(BaseModel):
    message: str = ""
    author: _Author | None = None
    committer: _Committer | None = None


class _CommitAnswer(BaseModel):
    sha: str
    commit: _Details

    def read(self) -> Commit:
        author = self.commit.author.name if self.commit.author else ""
        committer = self.commit.committer
        return Commit(
            sha=self.sha.lower(),
            subject=self.commit.message.partition("\n")[0],
            author=author,
            at=committer.date if committer else None,
        )


class _CompareAnswer(BaseModel):
    ahead_by: int
    behind_by: int
    commits: list[_CommitAnswer]


class GitHub:
    """`token` may be empty for public repositories; `deadline` is seconds for each request."""

    def __init__(
        self,
        *,
        token: str = "",
        base_url: str = "https://api.github.com",
        deadline: float = 4.0,
    ) -> None:
        self._deadline = deadline
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = build_client(base_url=base_url, headers=headers, deadline=deadline)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def commit(self, repository: str, ref: str) -> Commit | None:
        """What a branch, tag or (short) sha is now; None when GitHub cannot tell.

        Raises InvalidRequest when the repository can be read and has no such ref.
        """
        if not _REF.fullmatch(ref) or len(ref) > 250:
            raise InvalidRequest(f"“{ref[:60]}” is no branch, tag or commit.")
        response = await self._get(repository, f"/commits/{quote(ref, safe='')}")
        if response is None:
            return None
        if response.status_code == 422 or (
            response.status_code == 404 and await self._can_read(repository)
        ):
            raise InvalidRequest(
                f"{repository} has no branch, tag or commit “{ref}”.",
                hint="Give a tag, a branch or at least seven digits of a commit.",
            )
        try:
            return _CommitAnswer.model_validate_json(response.content).read()
        except ValidationError:
            return None

    async def compare(self, repository: str, base: str, head: str) -> Comparison:
        """What ships when `head` takes the place of `base`. Raises ProviderUnavailable."""
        path = f"/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        response = await self._get(repository, path)
        unknown = f"GitHub cannot tell what lies between {base[:12]} and {head[:12]}."
        if response is None:
            raise ProviderUnavailable(unknown)
        try:
            answer = _CompareAnswer.model_validate_json(response.content)
        except ValidationError as exc:
            raise ProviderUnavailable(unknown) from exc
        return Comparison(
            commits=tuple(item.read() for item in reversed(answer.commits)),
            ahead=answer.ahead_by,
            behind=answer.behind_by,
        )

    async def _can_read(self, repository: str) -> bool:
        response = await self._get(repository, "")
        return response is not None and response.status_code == 200

    async def _get(self, repository: str, path: str) -> httpx.Response | None:
        """The answer when it says something about the question; None when it does not."""
        if not _REPOSITORY.fullmatch(repository):
            return None
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._client.get(f"/repos/{repository}{path}")
        except (httpx.HTTPError, TimeoutError):
            return None
        return response if response.status_code in (200, 404, 422) else None
