"""What `config migrate` left open in hms.yaml: the file is sound with it, and a bot cannot work by it.

`config check` names it, `serve` refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.config import Config
from bot.faults import Fault
from operations.integration.legacy.undecided import CHANNEL, ORGANIZATION
from providers.specs import ForgeSpec

_CHANNEL = (
    "is to be decided: write the channel's id, which starts with C or G and is at the foot of the "
    "channel's details in Slack"
)
_ORGANIZATION = "is to be decided: write the organization's name as in the addresses of Forge"


def undecided(config: Config) -> Iterator[Fault]:
    """Each with its key and what to write there."""
    channels = {
        "slack.deploys_channel": config.slack.deploys_channel,
        "slack.alerts_channel": config.slack.alerts_channel,
        **{f"projects.{name}.channel": each.channel for name, each in config.projects.items()},
    }
    for path, channel in channels.items():
        if channel == CHANNEL:
            yield Fault(path, 0, 0, _CHANNEL)
    for target in config.catalog().targets:
        if isinstance(target.spec, ForgeSpec) and target.spec.organization == ORGANIZATION:
            path = f"projects.{target.project}.environments.{target.environment}.organization"
            yield Fault(path, 0, 0, _ORGANIZATION)
