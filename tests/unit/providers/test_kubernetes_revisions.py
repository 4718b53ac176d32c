"""Which revision is the present one, which was before, and by which label its pods are known."""

from __future__ import annotations

from providers.kubernetes.marks import ARTIFACT, VERSION, version_of
from providers.kubernetes.objects import JsonObject
from providers.kubernetes.revisions import former, pod_mark, present, template_in
from providers.kubernetes.workload import Workload, selector_text

DIGEST = "sha256:" + "b" * 64
OWNER = [{"uid": "d1", "controller": True}]


def template(image: str, **labels: str) -> JsonObject:
    return {
        "metadata": {"creationTimestamp": None, "labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "app", "image": image}], "futureField": {"kept": True}},
    }


def deployment(image: str, revision: str = "") -> Workload:
    annotations = {"deployment.kubernetes.io/revision": revision}
    return Workload(
        "deployments",
        {
            "metadata": {"name": "web", "uid": "d1", "annotations": annotations},
            "spec": {"template": template(image)},
        },
    )


def replicaset(name: str, image: str, revision: int, **more: object) -> JsonObject:
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {"app": "web", "pod-template-hash": name},
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": OWNER,
            **more,
        },
        "spec": {"template": template(image, **{"pod-template-hash": name})},
    }


def test_the_present_replicaset_has_the_same_template_but_for_the_hash() -> None:
    known = [replicaset("a", "web:1", 1), replicaset("b", "web:2", 2)]

    assert present(deployment("web:1", "2"), known) is known[0]


def test_of_equal_templates_the_oldest_counts() -> None:
    newer = replicaset("b", "web:1", 2, creationTimestamp="2026-02-01T00:00:00Z")
    older = replicaset("a", "web:1", 1, creationTimestamp="2026-01-01T00:00:00Z")

    assert present(deployment("web:1"), [newer, older]) is older


def test_defaults_of_a_newer_server_do_not_hide_the_replicaset() -> None:
    known = replicaset("a", "web:1", 7)
    workload = deployment("web:1", "7")
    spec = workload.template["spec"]
    assert isinstance(spec, dict)
    spec["newDefault"] = True

    assert present(workload, [known]) is known


def test_a_replicaset_of_somebody_else_is_not_ours() -> None:
    foreign = replicaset("a", "web:1", 1, ownerReferences=[{"uid": "other", "controller": True}])

    assert present(deployment("web:1", "1"), [foreign]) is None
    assert pod_mark(deployment("web:1", "1"), [foreign]) == ("", "")


def test_no_revision_is_guessed_while_there_is_none() -> None:
    assert present(deployment("web:3"), [replicaset("a", "web:1", 1)]) is None


def test_pods_are_known_by_the_hash_label() -> None:
    assert pod_mark(deployment("web:1"), [replicaset("a", "web:1", 1)]) == (
        "pod-template-hash",
        "a",
    )


def test_the_newest_revision_with_the_image_is_the_former() -> None:
    known = [replicaset("a", "web:1", 1), replicaset("b", "web:1", 5), replicaset("c", "web:2", 6)]

    assert former(deployment("web:2"), known, "app", "web:1") is known[1]
    assert former(deployment("web:2"), known, "app", "web:9") is None


def test_a_template_is_taken_whole_without_the_controllers_label() -> None:
    assert template_in(replicaset("a", "web:1", 1)) == template("web:1")


def test_a_controller_revision_holds_a_patch() -> None:
    data = {"spec": {"template": {**template("web:1"), "$patch": "replace"}}}

    assert template_in({"revision": 3, "data": data}) == template("web:1")


def test_a_selector_is_written_as_a_query() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    selector: JsonObject = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}

    assert selector_text(selector) == "app=web,tier in (a,b),!old"


def test_a_version_is_the_tag_or_what_the_digest_was_deployed_as() -> None:
    image = f"acme/web@{DIGEST}"

    assert version_of("acme/web:1.1", {VERSION: "1.0", ARTIFACT: "acme/web:1.1"}) == "1.1"
    assert version_of("acme/web", {}) == "latest"
    assert version_of(image, {VERSION: "1.1", ARTIFACT: image}) == "1.1"
    assert version_of(image, {VERSION: "1.1", ARTIFACT: "acme/web@sha256:other"}) == DIGEST
    assert version_of(f"acme/web:1.2@{DIGEST}", {}) == "1.2"
