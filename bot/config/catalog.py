"""From the configuration's sections to operations' targets, with every default put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.config.sections.targets import (
    Access,
    Approvals,
    Environment,
    Health,
    OpenHours,
    Placement,
    Project,
    Slack,
)
from operations.deployment.target import (
    ApprovalRule,
    Catalog,
    HealthRule,
    OnFailure,
    Target,
    Window,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The sections that targets are made of."""

    slack: Slack
    environments: Mapping[str, Environment]
    access: Access
    projects: Mapping[str, Project]

    def catalog(self) -> Catalog:
        """All targets, in the file's order."""
        return Catalog(
            tuple(
                self._target(name, environment, placement)
                for name, project in self.projects.items()
                for environment, placement in project.environments.items()
            )
        )

    def _target(self, name: str, environment: str, placement: Placement) -> Target:
        project, rules = self.projects[name], self.environments[environment]
        deployers = self.access.deploy.get(environment)
        return Target(
            project=name,
            environment=environment,
            spec=placement.spec(),
            channel=project.channel or self.slack.deploys_channel,
            repository=project.repository or "",
            approval=_approval(rules.approvals),
            windows=tuple(_window(hours) for hours in rules.windows or ()),
            timeout=placement.timeout,
            on_failure=_on_failure(placement),
            health=_health(placement.health),
            deployers=None if deployers is None else frozenset(deployers),
            admins=frozenset(self.access.admin),
        )


def _approval(section: Approvals | None) -> ApprovalRule | None:
    if section is None:
        return None
    return ApprovalRule(
        required=section.required,
        voters=frozenset(section.voters or ()),
        self_approval=section.self_approval,
        expires=section.expires,
    )


def _window(section: OpenHours) -> Window:
    return Window(
        days=section.days.numbers,
        start=section.hours.start,
        end=section.hours.end,
        timezone=section.timezone,
        text=f"{section.days.text} {section.hours.text} {section.timezone.key}",
    )


def _health(section: Health | None) -> HealthRule | None:
    if section is None:
        return None
    return HealthRule(url=section.url, expect=section.expect, span=section.span)


def _on_failure(placement: Placement) -> OnFailure:
    """What HMS-OPS deployed, HMS-SYS does not take back."""
    return OnFailure.LEAVE if placement.dual == "shadow" else OnFailure(placement.on_failure)
