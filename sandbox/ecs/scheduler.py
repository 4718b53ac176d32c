"""ECS's service scheduler, one step at a time: starts and stops tasks, trips the breaker, rolls back.

A step is `pace` seconds of the stand-in's time. Rolling deployments with 100 % minimum and 200 %
maximum healthy only; no load balancer and no blue/green.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.ecs.model import (
    Deployment,
    Fate,
    Revision,
    Service,
    ServiceDeployment,
    Task,
    new_number,
    new_task_id,
)

PENDING_AFTER = 1
STARTED_AFTER = 2
SLOW_STEPS = 40
CRASH_LOG = (
    "INFO starting web process",
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 12, in <module>',
    "    settings = load_settings()",
    "KeyError: 'DATABASE_URL'",
)

LogWriter = Callable[[Service, Task, float, Sequence[str]], None]


class Scheduler:
    """Moves services. `write_log` is where the containers' output goes."""

    def __init__(self, write_log: LogWriter) -> None:
        self._write_log = write_log

    def is_still(self, service: Service) -> bool:
        """Whether a step would change nothing."""
        if not service.deployments:
            return True
        primary = service.primary
        settled = primary.rollout_state == "COMPLETED" and len(service.deployments) == 1
        gave_up = primary.rollout_state == "FAILED" and not primary.tasks
        return gave_up or (settled and primary.running == primary.desired == len(primary.tasks))

    def step(self, service: Service, at: float) -> None:
        """Let one pace go by."""
        if not service.deployments:
            return
        for deployment in service.deployments:
            for task in list(deployment.tasks):
                self._age(service, deployment, task, at)
        primary = service.primary
        self._advance_record(service, at)
        primary = service.primary
        if self._breaker_trips(service, primary):
            self._fail(service, primary, at)
            return
        self._drain(service, primary, at)
        self._scale(service, primary, at)
        self._complete(service, primary, at)

    def deploy(self, service: Service, revision: Revision, at: float) -> Deployment:
        """Make `revision` the PRIMARY deployment, as UpdateService does."""
        replaced = service.current
        if replaced is not None:
            _finish(replaced, "STOPPED", at, "Service deployment was replaced by a newer one.")
        sources = tuple(d.revision for d in service.deployments)
        deployment = _new_primary(service, revision, at)
        deployment.reason = f"ECS deployment {deployment.id} in progress."
        service.task_definition = revision.task_definition
        service.history.insert(
            0,
            ServiceDeployment(
                arn=service.own_arn("service-deployment", new_number()),
                sources=sources,
                target=revision,
                attempt=deployment,
                created_at=at,
                breaker_status="MONITORING" if service.breaker.enable else "DISABLED",
            ),
        )
        return deployment

    def settle(self, service: Service, at: float) -> None:
        """Pretend that the PRIMARY deployment has been running for long; for setting a scene."""
        primary = service.primary
        for _ in range(primary.desired):
            task = _new_task(primary, at)
            task.status, task.started_at = "RUNNING", at
            primary.tasks.append(task)
            self._write_log(service, task, at, ("INFO ready to serve",))
        self._advance_record(service, at)
        self._complete(service, primary, at)

    def roll_back(self, service: Service, record: ServiceDeployment, at: float, why: str) -> bool:
        """Bring the last completed revision back under a new PRIMARY deployment; False: there is none."""
        if service.completed is None or service.completed.arn == record.target.arn:
            return False
        old = next((d for d in service.deployments if d.revision == service.completed), None)
        deployment = _new_primary(service, service.completed, at)
        deployment.reason = (
            f"ECS deployment circuit breaker: rolling back to deploymentId {deployment.id}."
            if record.breaker_status == "TRIGGERED"
            else f"ECS deployment {deployment.id} in progress."
        )
        if old is not None:
            deployment.tasks, old.tasks = old.tasks, []
        service.task_definition = service.completed.task_definition
        service.tell(at, f"rolling back to deployment {deployment.id}.")
        record.status, record.rollback_reason, record.rollback_at = "ROLLBACK_IN_PROGRESS", why, at
        record.back_to = deployment.revision
        return True

    def _advance_record(self, service: Service, at: float) -> None:
        record = service.current
        if record is None:
            return
        if record.status == "PENDING":
            record.status = "IN_PROGRESS"
        elif record.status == "ROLLBACK_REQUESTED":
            why = "Service deployment rolled back because a user requested it."
            if not self.roll_back(service, record, at, why):
                _finish(record, "ROLLBACK_FAILED", at, "There is no completed revision.")

    def _age(self, service: Service, deployment: Deployment, task: Task, at: float) -> None:
        task.age += 1
        fate = task.revision.troubled.fate
        if task.status in {"RUNNING", "STOPPED"}:
            return
        if task.age < (SLOW_STEPS if fate is Fate.SLOW else STARTED_AFTER):
            task.status = "PENDING" if task.age >= PENDING_AFTER else task.status
            return
        if fate in {Fate.RUNS, Fate.SLOW}:
            self._run(service, deployment, task, at)
        else:
            self._break(service, deployment, task, at)

    def _run(self, service: Service, deployment: Deployment, task: Task, at: float) -> None:
        task.status, task.started_at = "RUNNING", at
        deployment.failures_in_a_row = 0
        self._write_log(service, task, at, ("INFO starting web process", "INFO ready to serve"))

    def _break(self, service: Service, deployment: Deployment, task: Task, at: float) -> None:
        container = task.revision.troubled
        if container.fate is Fate.CRASHES:
            task.stop_code, task.exit_code = "EssentialContainerExited", 1
            task.stopped_reason = "Essential container in task exited"
            task.started_at = at
            self._write_log(service, task, at, CRASH_LOG)
        else:
            reason = f"CannotPullContainerError: {_pull_error(container.image, container.fate)}"
            task.stop_code, task.stopped_reason = "TaskFailedToStart", reason
            task.container_reason = reason
        _stop(service, deployment, task, at)
        deployment.failed += 1
        deployment.failures_in_a_row += 1
        if deployment.failures_in_a_row == 3 and not service.breaker.enable:
            service.tell(at, "is unable to consistently start tasks successfully.")

    def _breaker_trips(self, service: Service, primary: Deployment) -> bool:
        threshold = service.breaker.threshold(primary.desired)
        return (
            service.breaker.enable
            and primary.rollout_state == "IN_PROGRESS"
            and primary.failures_in_a_row >= threshold
        )

    def _fail(self, service: Service, failed: Deployment, at: float) -> None:
        failed.rollout_state, failed.updated_at = "FAILED", at
        failed.reason = "ECS deployment circuit breaker: tasks failed to start."
        service.tell(at, f"(deployment {failed.id}) deployment failed: tasks failed to start.")
        for task in list(failed.tasks):
            if not task.is_running:
                _scale_in(service, failed, task, at)
        record = service.current
        if record is None:
            return
        was_rolling_back = record.status == "ROLLBACK_IN_PROGRESS"
        record.breaker_status = "TRIGGERED"
        why = "Service deployment rolled back because the circuit breaker threshold was exceeded."
        if was_rolling_back:
            _finish(record, "ROLLBACK_FAILED", at, failed.reason)
        elif not service.breaker.rollback or not self.roll_back(service, record, at, why):
            _finish(record, "STOPPED", at, failed.reason)

    def _drain(self, service: Service, primary: Deployment, at: float) -> None:
        """Stop what is old once as many new tasks run; failed ones have nothing left to wait for."""
        for old in service.deployments[1:]:
            if primary.running >= primary.desired or old.rollout_state == "FAILED":
                for task in list(old.tasks):
                    _scale_in(service, old, task, at)
        service.deployments[1:] = [d for d in service.deployments[1:] if d.tasks]

    def _scale(self, service: Service, primary: Deployment, at: float) -> None:
        if primary.rollout_state == "FAILED":
            return
        missing = primary.desired - len(primary.tasks)
        started = [_new_task(primary, at) for _ in range(missing)]
        primary.tasks.extend(started)
        if started:
            names = " ".join(f"(task {task.id})" for task in started)
            service.tell(at, f"has started {len(started)} tasks: {names}.")
        for task in primary.tasks[primary.desired :]:
            _scale_in(service, primary, task, at)

    def _complete(self, service: Service, primary: Deployment, at: float) -> None:
        ready = primary.running == primary.desired and len(service.deployments) == 1
        if not ready or primary.rollout_state != "IN_PROGRESS":
            return
        primary.rollout_state, primary.updated_at = "COMPLETED", at
        primary.reason = f"ECS deployment {primary.id} completed."
        service.completed = primary.revision
        service.tell(at, f"(deployment {primary.id}) deployment completed.")
        service.tell(at, "has reached a steady state.")
        record = service.current
        if record is not None:
            back = record.status == "ROLLBACK_IN_PROGRESS"
            if record.breaker_status == "MONITORING":
                record.breaker_status = "MONITORING_COMPLETE"
            _finish(record, "ROLLBACK_SUCCESSFUL" if back else "SUCCESSFUL", at)


def _new_primary(service: Service, revision: Revision, at: float) -> Deployment:
    for deployment in service.deployments:
        deployment.status = "ACTIVE"
    deployment = Deployment(
        id=f"ecs-svc/{new_number()}",
        revision=revision,
        desired=service.desired,
        created_at=at,
        updated_at=at,
    )
    service.deployments.insert(0, deployment)
    service.revisions[revision.arn] = revision
    return deployment


def _new_task(deployment: Deployment, at: float) -> Task:
    return Task(
        id=new_task_id(),
        revision=deployment.revision,
        started_by=deployment.id,
        created_at=at,
    )


def _scale_in(service: Service, deployment: Deployment, task: Task, at: float) -> None:
    task.stop_code = "ServiceSchedulerInitiated"
    task.stopped_reason = f"Scaling activity initiated by (deployment {service.primary.id})"
    if task.is_running:
        task.exit_code = 0
        service.tell(at, f"has stopped 1 running tasks: (task {task.id}).")
    _stop(service, deployment, task, at)


def _stop(service: Service, deployment: Deployment, task: Task, at: float) -> None:
    task.status, task.stopped_at = "STOPPED", at
    deployment.tasks.remove(task)
    service.bury(task)


def _finish(record: ServiceDeployment, status: str, at: float, reason: str = "") -> None:
    record.status, record.finished_at = status, at
    record.status_reason = reason or record.status_reason


def _pull_error(image: str, fate: Fate) -> str:
    if fate is Fate.NOT_FOUND:
        return (
            "pull image manifest has been retried 1 time(s): "
            f"failed to resolve ref {image}: {image}: not found"
        )
    return (
        "pull image manifest has been retried 5 time(s): "
        f"failed to resolve ref {image}: unexpected status from HEAD request: 403 Forbidden"
    )
