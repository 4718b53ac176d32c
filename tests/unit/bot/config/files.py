"""A sound configuration to spoil, and reading one from text."""

from __future__ import annotations

from pathlib import Path

from bot.config.document import parse_document
from bot.config.reading import check_document
from bot.config.schema import Config
from bot.faults import ConfigError

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "hms.example.yaml"

SOUND = """\
slack: {deploys_channel: C01GEN}
environments:
  staging: {}
  prod:
    approvals: {required: 1, from: [U02BOB, S01OPS]}
projects:
  myapp:
    environments:
      staging: {provider: k8s, workload: deployment/web}
      prod: {provider: aws, region: eu-west-1, cluster: main, service: myapp}
"""


def read(text: str) -> Config:
    """The configuration in a text; raises ConfigError."""
    return check_document(parse_document(text))


def faults_of(text: str) -> list[str]:
    """`LINE:COLUMN PATH: MESSAGE` of every fault; none when the text is sound."""
    try:
        read(text)
    except ConfigError as error:
        return [f"{f.line}:{f.column} {f.path}: {f.message}" for f in error.faults]
    return []


def spoiled(old: str, new: str) -> str:
    """The sound configuration with one thing changed."""
    assert SOUND.count(old) == 1, old
    return SOUND.replace(old, new)
