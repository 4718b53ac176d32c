"""A rollout as it stands at one moment: what was read of the workload, its history and its pods.

Pure: what it says follows from the objects and the expectation alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from providers.kubernetes.conditions import Stage, refusal_of, stage_of
from providers.kubernetes.marks import Expectation
from providers.kubernetes.objects import JsonObject, is_owned, strings, text, uid
from providers.kubernetes.revisions import owned, pod_mark, present
from providers.kubernetes.troubles import Trouble, is_present, is_ready, trouble_of
from providers.kubernetes.workload import Workload


@dataclass(frozen=True, slots=True)
class Scene:
    """`workload` is None when it is gone."""

    expected: Expectation
    workload: Workload | None
    revisions: Sequence[JsonObject]
    pods: Sequence[JsonObject]
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        """Judge the status once."""
        stage = stage_of(self.workload) if self.workload else Stage("gone", observed=False)
        object.__setattr__(self, "stage", stage)

    def displaced(self) -> str:
        """Why this is no longer the change that was made; "" while it is.

        Our mark may be missing, as tools that replace annotations drop it; another's key may not be there.
        """
        expected, workload = self.expected, self.workload
        if workload is None:
            return f"{expected.title} was deleted"
        if workload.uid != expected.uid:
            return f"{expected.title} was deleted and made anew"
        key = workload.annotations.get(expected.mark, expected.key)
        if key != expected.key:
            return f"another change took its place: {key}"
        image = workload.image(expected.container)
        if image != expected.image:
            return f"another change took its place: the image is now {image or 'none'}"
        return ""

    @property
    def total(self) -> int:
        """How many pods of the new version there will be."""
        if self.workload is None:
            return 0
        return max(0, self.workload.replicas - self.workload.partition)

    def new_pods(self) -> list[JsonObject]:
        """Pods of the version asked for; none until the controller has seen the change."""
        if self.workload is None or not self.stage.observed:
            return []
        label, value = pod_mark(self.workload, self.revisions)
        return [p for p in self._present() if label and _labels(p).get(label) == value]

    def old_pods(self) -> list[JsonObject]:
        """Pods of other versions."""
        if self.workload is None or not self.stage.observed:
            return []
        label, value = pod_mark(self.workload, self.revisions)
        return [p for p in self._present() if label and _labels(p).get(label) != value]

    def ready(self) -> int:
        """How many of the new pods are ready."""
        return min(self.total, sum(map(is_ready, self.new_pods())))

    def troubles(self) -> list[Trouble]:
        """Faults of the new pods."""
        return [t for p in self.new_pods() if (t := trouble_of(p)) is not None]

    def refusal(self) -> tuple[str, str]:
        """Reason and message when no pods can be made at all."""
        if self.workload is None or not self.stage.observed:
            return "", ""
        return refusal_of(self.workload)

    def blockers(self) -> list[Trouble]:
        """Broken pods of an older version that an ordered StatefulSet will wait for for ever."""
        workload = self.workload
        if workload is None or workload.kind != "StatefulSet":
            return []
        if text(workload.raw, "spec", "podManagementPolicy") == "Parallel":
            return []
        return [t for p in self.old_pods() if (t := trouble_of(p)) is not None]

    def uids(self) -> list[str]:
        """Objects whose events tell why it does not get on: those in trouble first."""
        if self.workload is None:
            return []
        ailing = [t.pod_uid for t in [*self.troubles(), *self.blockers()]]
        unready = [text(p, "metadata", "uid") for p in self.new_pods() if not is_ready(p)]
        revision = present(self.workload, self.revisions)
        makers = [text(revision, "metadata", "uid"), self.workload.uid]
        return [u for u in dict.fromkeys([*ailing[:2], *unready[:2], *makers]) if u]

    def _present(self) -> list[JsonObject]:
        """Pods that count: a namesake of another owner may carry the same labels."""
        if self.workload is None:
            return []
        mine = owned(self.revisions, self.workload)
        owners = {self.workload.uid, *map(uid, mine)}
        return [p for p in self.pods if is_present(p) and any(is_owned(p, o) for o in owners)]


def _labels(pod: JsonObject) -> dict[str, str]:
    return strings(pod, "metadata", "labels")
