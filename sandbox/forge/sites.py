"""Sites and their deployments. What a deployment has come to is computed from the time that has passed.

Nothing runs in the background: `Site.advance` brings the site to a given moment, and every request calls
it first. A commit is read from the repository when the deployment begins to run, as Forge's git pull does.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.github import Commit, Repository

PLAIN_SCRIPT = """cd /home/forge/site.example
git pull origin $FORGE_SITE_BRANCH
$FORGE_COMPOSER install --no-dev --no-interaction
$FORGE_PHP artisan migrate --force
"""
PINNING_SCRIPT = """cd /home/forge/site.example
git fetch origin
git reset --hard "${FORGE_VAR_REVISION:-origin/$FORGE_SITE_BRANCH}"
$FORGE_COMPOSER install --no-dev --no-interaction
$FORGE_PHP artisan migrate --force
"""
_QUIET = re.compile(r"^\s*git\b[^\n]*\s(?:-q|--quiet)\b", re.M)
_CHECKS_OUT = re.compile(r"^\s*git\b[^\n]*FORGE_VAR_REVISION", re.M)

_PENDING, _QUEUED, _RUN, _SLOW_RUN = 1, 1, 2, 40


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One deployment. `begins_at` is when the former one is out of the way; spans are in paces."""

    id: int
    created_at: datetime
    begins_at: datetime
    pace: timedelta
    revision: str = ""
    stated_commit: str = ""
    stated_author: str = ""
    stated_message: str = ""
    commit: Commit | None = None
    fault: str = ""
    prints: tuple[str, ...] = ()
    is_quiet: bool = False
    is_live: bool = False
    run: int = _RUN
    cancelled_at: datetime | None = None

    @property
    def known_commit(self) -> str:
        """The commit that Forge shows: what the hook stated, before what git says; "" as yet unknown."""
        return self.stated_commit or (self.commit.sha if self.commit else "")

    @property
    def runs_at(self) -> datetime:
        """When the script begins."""
        return self.begins_at + (_PENDING + _QUEUED) * self.pace

    @property
    def ends_at(self) -> datetime:
        """When it is over, by itself or because somebody cancelled it."""
        return self.cancelled_at or self.runs_at + self.run * self.pace

    def status(self, now: datetime) -> str:
        """Forge's word for how far it is."""
        if self.cancelled_at is not None:
            return "cancelled"
        if now >= self.ends_at:
            return "failed" if self.fault else "finished"
        if now >= self.runs_at:
            return "deploying"
        return "queued" if now >= self.begins_at + _PENDING * self.pace else "pending"

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended in any way."""
        return now >= self.ends_at

    def log(self, now: datetime) -> list[str]:
        """What the script has printed by now; all of it once it is over."""
        if now < self.runs_at:
            return []
        lines = self._lines()
        if self.is_over(now) and self.cancelled_at is None:
            return lines
        share = (now - self.runs_at) / max(self.run * self.pace, timedelta(microseconds=1))
        return lines[: max(1, int(len(lines) * share))]

    def _lines(self) -> list[str]:
        lines = ["Fetching origin"]
        if self.commit is not None and not self.is_quiet:
            subject = self.commit.message.partition("\n")[0]
            lines.append(f"HEAD is now at {self.commit.sha[:7]} {subject}")
        lines += ["Installing dependencies from lock file", *self.prints]
        if self.fault:
            return [*lines, self.fault, "Deployment script exited with status 1"]
        return [*lines, "INFO  Nothing to migrate.", "INFO  Application is live."]


@dataclass(slots=True, kw_only=True)
class Site:
    """A site of a server. `serving` is the sha that truly serves.

    Knobs: `prints` are lines of each deployment's output; with `shows_commits` off Forge tells no
    deployment's commit; `hook_origin` is where the deploy hook is said to be, when it is elsewhere.
    """

    organization: str = "acme"
    server: int = 123
    id: int = 456
    repository: Repository
    branch: str = "main"
    script: str = PINNING_SCRIPT
    zero_downtime: bool = False
    quick_deploy: bool = False
    maintenance: bool = False
    shows_commits: bool = True
    prints: tuple[str, ...] = ("Generating optimized autoload files",)
    pace: timedelta
    hook_token: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    hook_origin: str = ""
    serving: str = ""
    application_log: list[str] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    asked: int = 0
    """How many deployments were asked for, by API or by hook."""

    def seed(self, ref: str, at: datetime) -> None:
        """Let `ref` be live, deployed at `at`, without anyone having asked for it."""
        commit = self.repository.find(ref)
        if commit is None:
            raise ValueError(f"{self.repository.name} has no {ref}")
        former = self._add(at, pace=timedelta(0))
        former.commit = commit
        former.stated_commit = commit.sha
        self._activate(former)

    def _write_log(self, at: datetime, text: str) -> None:
        self.application_log.append(f"[{at:%Y-%m-%d %H:%M:%S}] production.INFO: {text}")

    def deploy(self, now: datetime, variables: dict[str, str] | None = None) -> Deployment:
        """Queue a deployment; `variables` are the query of the deploy hook."""
        self.advance(now)
        self.asked += 1
        made = self._add(now, pace=self.pace)
        given = variables or {}
        made.revision = given.get("revision", given.get("REVISION", ""))
        made.stated_commit = given.get("forge_deploy_commit", "")
        made.stated_author = given.get("forge_deploy_author", "")
        made.stated_message = given.get("forge_deploy_message", "")
        return made

    def _add(self, at: datetime, *, pace: timedelta) -> Deployment:
        former = self.deployments[-1].ends_at if self.deployments else at
        made = Deployment(
            id=9000 + self.id * 10 + len(self.deployments),
            created_at=at,
            begins_at=max(at, former),
            pace=pace,
        )
        self.deployments.append(made)
        return made

    def advance(self, now: datetime) -> None:
        """Let everything happen that happens until `now`."""
        former_end: datetime | None = None
        for deployment in self.deployments:
            if former_end is not None and deployment.begins_at < former_end:
                deployment.begins_at = former_end
            if now >= deployment.runs_at and deployment.commit is None and not deployment.fault:
                self._check_out(deployment)
            if deployment.status(now) == "finished" and not deployment.is_live:
                self._activate(deployment)
            former_end = deployment.ends_at

    def _activate(self, deployment: Deployment) -> None:
        deployment.is_live = True
        self.serving = deployment.commit.sha if deployment.commit else ""
        self._write_log(deployment.ends_at, f"Release {self.serving[:7]} booted")

    def _check_out(self, deployment: Deployment) -> None:
        pinned = bool(deployment.revision and _CHECKS_OUT.search(self.script))
        ref = deployment.revision if pinned else self.branch
        deployment.commit = self.repository.find(ref)
        deployment.is_quiet = _QUIET.search(self.script) is not None
        deployment.prints = self.prints
        if deployment.commit is None:
            deployment.fault = f"fatal: reference is not a tree: {ref}"
            return
        names = " ".join(self.repository.names(deployment.commit)).lower()
        if _names(names, "slow"):
            deployment.run = _SLOW_RUN
        if _names(names, "bad"):
            deployment.fault = (
                "SQLSTATE[42S22]: Column not found: 1054 Unknown column 'orders.total'"
            )

    def cancel(self, deployment: Deployment, now: datetime) -> None:
        """Stop a deployment, as a person does in Forge's own pages."""
        deployment.cancelled_at = now

    def running(self, now: datetime) -> Deployment | None:
        """The oldest deployment that is not over."""
        return next((d for d in self.deployments if not d.is_over(now)), None)


def _names(names: str, word: str) -> bool:
    return re.search(rf"(?<![a-z]){word}(?![a-z])", names) is not None
