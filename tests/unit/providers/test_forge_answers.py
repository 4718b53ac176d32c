"""Reading Forge's answers: lenient where Forge may add, strict where it decides."""

from __future__ import annotations

import pytest

from providers.forge.answers import Deployment, DeploymentState, RepositoryPart
from providers.forge.revision import takes_revision
from providers.forge.serving import proven_commit, same_commit

SHA = "9f8e2c1a0b3d4e5f60718293a4b5c6d7e8f90123"


def deployment(status: str) -> Deployment:
    """A deployment that has not begun, as recorded answers have it."""
    return Deployment.model_validate(
        {
            "id": "12",
            "type": "deployments",
            "attributes": {
                "commit": {"hash": None, "author": None, "message": None, "branch": None},
                "status": status,
                "started_at": None,
                "ended_at": None,
                "created_at": "2026-11-23T12:00:00.000000Z",
                "something_new": 1,
            },
        }
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", DeploymentState.RUNNING),
        ("queued", DeploymentState.RUNNING),
        ("deploying", DeploymentState.RUNNING),
        ("finished", DeploymentState.FINISHED),
        ("failed", DeploymentState.FAILED),
        ("failed-build", DeploymentState.FAILED),
        ("cancelled", DeploymentState.CANCELLED),
        ("a-word-of-next-year", DeploymentState.RUNNING),
    ],
)
def test_each_status_has_its_state(status: str, state: DeploymentState) -> None:
    assert deployment(status).state is state


def test_times_and_commit_may_be_missing_before_it_begins() -> None:
    assert deployment("queued").commit == ""
    assert deployment("queued").id == 12


@pytest.mark.parametrize(
    "url",
    [
        "acme/site",
        "git@github.com:acme/site.git",
        "https://github.com/acme/site.git",
        "https://github.com/acme/site/",
    ],
)
def test_a_repository_is_known_from_any_kind_of_url(url: str) -> None:
    assert RepositoryPart(url=url).name == "acme/site"


def test_no_repository_has_no_name() -> None:
    assert RepositoryPart().name == ""


@pytest.mark.parametrize(
    ("output", "commit"),
    [
        (f"HEAD is now at {SHA[:7]} Show prices", SHA[:7]),
        ("HEAD is now at aaaaaaa Old\nHEAD is now at bbbbbbb New", "bbbbbbb"),
        (f"some\n  {SHA}\nmore", SHA),
        (f"Deploying {SHA} now", ""),
        ("", ""),
    ],
    ids=["reset", "the last one", "rev-parse", "only a mention", "silence"],
)
def test_only_gits_own_words_prove_a_commit(output: str, commit: str) -> None:
    assert proven_commit(output) == commit


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (SHA, SHA.upper(), True),
        (SHA[:7], SHA, True),
        (SHA[:6], SHA, False),
        ("", SHA, False),
        ("aaaaaaa", SHA, False),
    ],
)
def test_commits_are_compared_by_seven_digits_or_more(one: str, other: str, same: bool) -> None:
    assert same_commit(one, other) is same


@pytest.mark.parametrize(
    ("script", "takes"),
    [
        ('git reset --hard "$FORGE_VAR_REVISION"', True),
        ("git pull\n  # git reset --hard $FORGE_VAR_REVISION", False),
        ("", False),
    ],
)
def test_a_script_takes_a_commit_outside_of_comments(script: str, takes: bool) -> None:
    assert takes_revision(script) is takes
