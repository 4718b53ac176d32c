"""Turns a version into a commit, and refuses what Forge could not deploy.

Forge deploys the head of the site's branch and nothing else. Another commit can only be handed to a script
that takes it from FORGE_VAR_REVISION, which the deploy hook sets.
"""

from __future__ import annotations

import re

from operations.deployment.release import Release, Resolution
from operations.deployment.target import Target
from operations.errors import InvalidRequest, ProviderRejected, ProviderUnavailable
from providers.forge.answers import Deployment, DeploymentState, Site
from providers.forge.api import ForgeApi
from providers.forge.budget import Errand
from providers.forge.serving import Serving
from providers.github import Commit, GitHub
from providers.specs import ForgeSpec

VARIABLE = "FORGE_VAR_REVISION"
_FULL = re.compile(r"[0-9a-f]{40}", re.I)


def spec_of(target: Target) -> ForgeSpec:
    """The target's Forge part; any other is a fault of the wiring."""
    if not isinstance(target.spec, ForgeSpec):
        raise TypeError(f"{target.name} is no target on Forge")
    return target.spec


def takes_revision(script: str) -> bool:
    """Whether the script uses the commit it is handed, outside of comments."""
    lines = (line.strip() for line in script.splitlines())
    return any(VARIABLE in line for line in lines if not line.startswith("#"))


class Revisions:
    """Versions, commits and what serves, by Forge and GitHub together."""

    def __init__(self, api: ForgeApi, commits: GitHub, serving: Serving) -> None:
        self._api = api
        self._commits = commits
        self._serving = serving

    async def resolve(self, target: Target, version: str) -> Resolution:
        """The release and what serves now. Raises InvalidRequest for what cannot be deployed."""
        spec = spec_of(target)
        site = await self._api.site(spec)
        _check_branch(site, spec)
        repository = _repository(target, site)
        head = await self._head(repository, spec)
        commit = head
        if version not in ("", spec.branch):
            commit = await self._named(repository, version)
            await self._check_deployable(spec, commit, head, version)
        release = _release(commit, version, spec)
        current = await self.current(spec, repository)
        return Resolution(
            release=release,
            current=current,
            changes=_changes(current, release, commit, spec),
            warnings=tuple(_warnings(target, site, release)),
        )

    async def current(self, spec: ForgeSpec, repository: str) -> Release | None:
        """What the newest finished deployment left; None when there is none."""
        recent = await self._api.deployments(spec, max_age=2.0)
        finished = [d for d in recent if d.state is DeploymentState.FINISHED]
        return await self._left_by(finished[0], spec, repository) if finished else None

    async def head(self, target: Target) -> Commit | None:
        """The head of the target's branch now; None when GitHub cannot tell."""
        spec = spec_of(target)
        if target.repository:
            return await self._head(target.repository, spec)
        return await self._head(_repository(target, await self._api.site(spec)), spec)

    async def _left_by(self, deployment: Deployment, spec: ForgeSpec, repository: str) -> Release:
        sha = await self._serving.commit_of(spec, deployment, Errand.URGENT)
        if not sha:
            return Release(version=spec.branch, artifact=spec.branch)
        full = sha if _FULL.fullmatch(sha) else await self._expand(repository, sha)
        return Release(version=sha[:7], artifact=full or sha, pin=full)

    async def _expand(self, repository: str, sha: str) -> str:
        try:
            found = await self._commits.commit(repository, sha) if repository else None
        except InvalidRequest:
            return ""
        return found.sha if found else ""

    async def _head(self, repository: str, spec: ForgeSpec) -> Commit | None:
        return await self._commits.commit(repository, spec.branch) if repository else None

    async def _named(self, repository: str, version: str) -> Commit:
        found = await self._commits.commit(repository, version) if repository else None
        if found is not None:
            return found
        if _FULL.fullmatch(version):
            return Commit(sha=version.lower(), subject="", author="")
        raise ProviderUnavailable(
            f"GitHub cannot tell which commit “{version}” is.",
            hint="Give the full commit, or set GITHUB_TOKEN to one that may read the repository.",
        )

    async def _check_deployable(
        self, spec: ForgeSpec, commit: Commit, head: Commit | None, version: str
    ) -> None:
        if head is not None and commit.sha == head.sha:
            return
        if takes_revision(await self._api.script(spec)):
            return
        at = f" ({head.short})" if head else ", which GitHub cannot tell"
        named = version if version.startswith(commit.short) else f"{version} ({commit.short})"
        raise InvalidRequest(
            f"Forge deploys the head of {spec.branch}{at}; {named} is not it.",
            hint=f"Merge or move the branch first, or make the deploy script take {VARIABLE}.",
        )


def _check_branch(site: Site, spec: ForgeSpec) -> None:
    repository = site.attributes.repository
    if not repository.url:
        raise ProviderRejected(
            f"Site {spec.site} has no repository at Forge.",
            hint="Install one in the site's settings.",
        )
    # What would be pinned is one branch's head, and what Forge would deploy is another's.
    if repository.branch and repository.branch != spec.branch:
        raise InvalidRequest(
            f"Forge deploys the branch {repository.branch} on this site, not {spec.branch}.",
            hint="Set the target's branch in hms.yaml to the site's, or change the site's at Forge.",
        )


def _repository(target: Target, site: Site) -> str:
    """`owner/name` to ask GitHub for; "" when the code is elsewhere and nobody named a copy."""
    if target.repository:
        return target.repository
    repository = site.attributes.repository
    elsewhere = repository.provider and "github" not in repository.provider.lower()
    on_github = "github" in (repository.url or "").lower()
    return "" if elsewhere and not on_github else repository.name


def _release(commit: Commit | None, version: str, spec: ForgeSpec) -> Release:
    if commit is None:
        return Release(version=version or spec.branch, artifact=spec.branch)
    return Release(version=version or commit.short, artifact=commit.sha, pin=commit.sha)


def _changes(
    current: Release | None, release: Release, commit: Commit | None, spec: ForgeSpec
) -> tuple[str, ...]:
    new = commit.short if commit else f"the head of {spec.branch}"
    if current is None:
        return (f"first deployment: {new}",)
    if current.is_pinned and current.pin == release.pin:
        return (f"{new} again: it serves already",)
    told = f" {commit.subject} ({commit.author})" if commit and commit.subject else ""
    return (f"commit {current.version} → {new}{told}",)


def _warnings(target: Target, site: Site, release: Release) -> list[str]:
    spec, told = spec_of(target), site.attributes
    warnings = []
    if not release.is_pinned:
        warnings.append(
            f"GitHub cannot tell which commit {spec.branch} is: "
            "Forge deploys whatever its head is by then."
        )
    if target.repository and told.repository.name.lower() != target.repository.lower():
        warnings.append(
            f"Forge deploys {told.repository.name}; hms.yaml names {target.repository}."
        )
    if told.quick_deploy:
        warnings.append(
            f"The site also deploys by itself on every push to {spec.branch}, unapproved."
        )
    if told.maintenance_mode.enabled:
        warnings.append("The site is in maintenance mode.")
    script = told.deployment_script
    if told.zero_downtime_deployments and script and "$ACTIVATE_RELEASE" not in script:
        warnings.append(
            "The deploy script has no $ACTIVATE_RELEASE(): a new release may not serve."
        )
    return warnings
