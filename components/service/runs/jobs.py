"""The same run on Hugging Face Jobs: sent with the visitor's own token, watched from here, its model pushed from there.

Nothing of a job is kept on this machine. Spec, data and the code that trains go into the repository that the model is
meant for; the job fetches them, trains, and puts the model in their place. Which jobs there are, how they stand and
what they write is asked of the Hub each time, with the token of who asks.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from huggingface_hub import CommitOperationAdd, JobInfo
from huggingface_hub._jobs_api import DEFAULT_UV_IMAGE, TERMINAL_JOB_STAGES
from huggingface_hub.errors import HfHubHTTPError

from components.service import rights
from components.service.errors import Kind, WorkbenchError
from components.service.hub import Hub
from components.service.hub_errors import hub_errors
from components.service.manage import Manager
from components.service.runs.groundwork import NO_JOBS, Groundwork
from components.service.runs.job_package import AROUND, LABEL, PACKAGE, Request, pack, script
from components.service.runs.log import clean
from components.service.visitor import Visitor

#: What the job may take is this many times what was estimated, and no more than so many hours.
MARGIN, MOST_HOURS = 2.0, 72.0
#: Jobs that are listed, and lines of a log that are given at once.
LISTED, LINES = 50, 5000
_JOB = re.compile(r"[A-Za-z0-9]{6,64}", re.ASCII)


class Jobs:
    """Sends runs to Hugging Face Jobs.

    Args:
        estimate: Gives the seconds that a run takes on this machine, from its rehearsal; None if it does not fit.
    """

    def __init__(
        self, hub: Hub, groundwork: Groundwork, estimate: Callable[[dict[str, Any], Visitor], float | None]
    ) -> None:
        self.hub = hub
        self.groundwork = groundwork
        self.manager = Manager(hub)
        self.estimate = estimate

    def job_hardware(self, *, visitor: Visitor) -> list[dict[str, Any]]:
        """The machines that jobs may run on: `[{"name", "title", "cpu", "memory", "gpu", "usd_per_hour"}]`."""
        self._namespace(visitor)
        with _job_errors("the hardware"):
            listed = self.hub.api.list_jobs_hardware(token=visitor.token)
        return [
            {
                "name": one.name,
                "title": one.pretty_name,
                "cpu": one.cpu,
                "memory": one.ram,
                "gpu": f"{one.accelerator.quantity} {one.accelerator.model}, {one.accelerator.vram}"
                if one.accelerator
                else None,
                "usd_per_hour": one.unit_cost_usd * 60 if one.unit_label == "minute" else None,
            }
            for one in listed
        ]

    def preview_job(
        self,
        spec: dict[str, Any],
        repo: str,
        flavor: str = "cpu-basic",
        hours: float | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """What `start_job` would send, and what it may cost at the most; nothing is sent or created.

        Args:
            spec: The run, as `start_run` takes it. Model and data set must be on the Hub; uploads and pasted rows go
                with it.
            repo: Where the model is to go: a repository of the visitor's own that is new or empty.
            flavor: Hardware, as `job_hardware` names it.
            hours: Longest time of the job; None for twice what a rehearsal here estimates, and a quarter of an hour.

        Returns:
            `{"command", "image", "flavor", "timeout_seconds", "environment", "secrets", "labels", "script", "repo",
            "most_usd"}`; `secrets` are names alone, `most_usd` is None where the Hub tells no price.
        """
        asked = self._request(spec, repo, flavor, hours, visitor)
        sent = asked.arguments(self.hub.settings.endpoint)
        uv = [part for dependency in sent["dependencies"] for part in ("--with", dependency)]
        price = asked.minutes_usd
        return {
            "command": ["uv", "run", *uv, sent["script"], *sent["script_args"]],
            "image": DEFAULT_UV_IMAGE,
            "flavor": asked.flavor,
            "timeout_seconds": asked.timeout,
            "environment": {name: value for name, value in sent["env"].items() if name != "WORKBENCH_SCRIPT"},
            "secrets": ["HF_TOKEN"],
            "labels": {**sent["labels"], "name": sent["name"]},
            "script": script(),
            "repo": asked.repo,
            "most_usd": None if price is None else round(price * math.ceil(asked.timeout / 60), 4),
        }

    def start_job(
        self,
        spec: dict[str, Any],
        repo: str,
        flavor: str = "cpu-basic",
        hours: float | None = None,
        private: bool = True,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Train a run on Hugging Face Jobs, which the visitor's account pays for, and push its model from there.

        Args:
            spec, repo, flavor, hours: As of `preview_job`.
            private: Whether a repository that is created can be read by its owner alone.

        Returns:
            The job as of `job_state`.
        """
        asked = self._request(spec, repo, flavor, hours, visitor)
        namespace = self._namespace(visitor)
        _, head = self.manager.open_repo(asked.repo, private, False, visitor=visitor)
        package = CommitOperationAdd(PACKAGE, pack(asked.plan, asked.training_seconds))
        self.manager.contents.commit(asked.repo, [package], "A run for Hugging Face Jobs", parent=head, visitor=visitor)
        try:
            return _told(self._run(asked, namespace, visitor))
        except WorkbenchError as error:
            left = self._clear(asked.repo, visitor)
            raise WorkbenchError(f"{error.message} {left}".strip(), kind=error.kind, field=error.field) from None

    def _run(self, asked: Request, namespace: str, visitor: Visitor) -> JobInfo:
        with _job_errors(asked.repo), warnings.catch_warnings():
            # The version is pinned, so what may change in the next one does not change here.
            warnings.filterwarnings("ignore", ".* is experimental", UserWarning)
            job: JobInfo = self.hub.api.run_uv_job(
                **asked.arguments(self.hub.settings.endpoint),
                secrets={"HF_TOKEN": visitor.token},
                namespace=namespace,
                token=visitor.token,
            )
        return job

    def _clear(self, repo: str, visitor: Visitor) -> str:
        """Take the package of a job that will not run, or no longer, out of its repository.

        Returns:
            What is left to do by hand; empty where that is nothing.
        """
        try:
            self.manager.contents.delete_file(repo, PACKAGE, "The job does not run", visitor=visitor)
        except WorkbenchError as error:
            if error.kind != "not_found":
                return f"{PACKAGE} is still in {repo}: {error.message}"
        return ""

    def list_jobs(self, *, visitor: Visitor) -> list[dict[str, Any]]:
        """The visitor's jobs that were sent from here, newest first, each as of `job_state`."""
        namespace = self._namespace(visitor)
        with _job_errors("your jobs"):
            listed = self.hub.api.list_jobs(labels=LABEL, namespace=namespace, token=visitor.token)
            return [_told(job) for job in islice(listed, LISTED)]

    def job_state(self, job: str, *, visitor: Visitor) -> dict[str, Any]:
        """How a job stands.

        Args:
            job: Its id.

        Returns:
            `{"job", "status", "message", "done", "repo", "model", "flavor", "created", "started", "ended", "seconds",
            "address"}`: `status` is the Hub's own word, times are seconds since 1970, `model` is the repository once
            the job is completed.
        """
        return _told(self._inspect(checked_job(job), visitor))

    def job_log(self, job: str, after: int = 0, *, visitor: Visitor) -> dict[str, Any]:
        """What a job has written since, for one who comes back: `{"lines", "next", "done"}`.

        Args:
            job: Its id.
            after: How many lines are known already; `next` of the last answer.
        """
        if isinstance(after, bool) or not isinstance(after, int) or after < 0:
            raise WorkbenchError("Say as a whole number how many lines are known already.", field="after")
        state = self.job_state(job, visitor=visitor)
        lines = list(islice(self._lines(job, after, visitor), LINES))
        return {"lines": lines, "next": after + len(lines), "done": state["done"] and len(lines) < LINES}

    def cancel_job(self, job: str, *, visitor: Visitor) -> dict[str, Any]:
        """End a job at once; what it has trained is lost, and what was sent for it goes. Returns its state."""
        namespace = self._namespace(visitor)
        with _job_errors("this job"):
            self.hub.api.cancel_job(job_id=checked_job(job), namespace=namespace, token=visitor.token)
        state = self.job_state(job, visitor=visitor)
        left = self._clear(state["repo"], visitor) if state["repo"] else ""
        return {**state, "message": left or state["message"]}

    def _lines(self, job: str, after: int, visitor: Visitor) -> Iterator[str]:
        with _job_errors("this job"):
            lines = self.hub.api.fetch_job_logs(job_id=job, namespace=self._namespace(visitor), token=visitor.token)
            for line in islice(lines, after, None):
                yield clean(str(line))

    def _inspect(self, job: str, visitor: Visitor) -> JobInfo:
        with _job_errors("this job"):
            return self.hub.api.inspect_job(job_id=job, namespace=self._namespace(visitor), token=visitor.token)

    def _namespace(self, visitor: Visitor) -> str:
        """Who the jobs are of: the visitor's own account."""
        if self.hub.settings.embedded:
            raise WorkbenchError(NO_JOBS, kind="forbidden")
        return rights.namespaces(self.hub, visitor)[0]

    def _request(
        self, spec: dict[str, Any], repo: str, flavor: str, hours: float | None, visitor: Visitor
    ) -> Request:  # fmt: skip
        self._namespace(visitor)
        hardware = {one["name"]: one for one in self.job_hardware(visitor=visitor)}
        if flavor not in hardware:
            raise WorkbenchError(f"Choose the hardware of a job from: {', '.join(hardware)}.", field="flavor")
        full = rights.own(self.hub, str(repo or ""), visitor)
        plan = self.groundwork.plan(spec, visitor)
        if self.hub.local(plan.spec.model, visitor):
            raise WorkbenchError(
                "This model is on this machine alone, where a job cannot read it. Publish it first, and start from "
                "its repository.",
                field="model",
            )
        hourly = hardware[flavor]["usd_per_hour"]
        timeout = self._timeout(spec, hours, visitor)
        return Request(plan, full, flavor, timeout, None if hourly is None else hourly / 60)

    def _timeout(self, spec: dict[str, Any], hours: float | None, visitor: Visitor) -> int:
        if hours is None:
            seconds = self.estimate(spec, visitor)
            if seconds is None:
                raise WorkbenchError(
                    "How long it takes could not be measured here. Say how many hours the job may take.", field="hours"
                )
            hours = min(MOST_HOURS, (MARGIN * seconds + AROUND) / 3600)
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0.1 <= hours <= MOST_HOURS:
            raise WorkbenchError(f"A job may take from 0.1 to {MOST_HOURS:g} hours.", field="hours")
        return math.ceil(hours * 60) * 60


def checked_job(job: Any) -> str:
    """A job's id as it was given, if it is one."""
    if not isinstance(job, str) or not _JOB.fullmatch(job):
        raise WorkbenchError("This is not the id of a job. Look at the list of your jobs.", field="job")
    return job


def _told(job: JobInfo) -> dict[str, Any]:
    stage = str(getattr(job.status.stage, "value", job.status.stage))
    repo = (job.environment or {}).get("WORKBENCH_REPO")
    times = {"created": job.created_at, "started": job.started_at, "ended": job.finished_at}
    return {
        "job": job.id,
        "status": stage,
        "message": job.status.message,
        "done": stage in {one.value for one in TERMINAL_JOB_STAGES},
        "repo": repo,
        "model": repo if stage == "COMPLETED" else None,
        "flavor": str(getattr(job.flavor, "value", job.flavor)),
        **{name: None if time is None else time.timestamp() for name, time in times.items()},
        "seconds": job.durations.running_secs if job.durations else None,
        "address": job.url,
    }


_SAID = {
    402: "Hugging Face Jobs are paid for by the minute, and this account has no credit for them. Add some in its "
    "billing settings on the Hub.",
    403: "This token may not run Jobs. Make one with the right to start and manage Jobs, and sign in with it.",
    404: "The Hub knows of no such job of yours, or runs no Jobs at all. Look at the list of your jobs.",
}


@contextmanager
def _job_errors(subject: str) -> Iterator[None]:
    """What the Hub answers about jobs, in sentences."""
    with hub_errors(subject):
        try:
            yield
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status not in _SAID:
                raise
            kind: Kind = "not_found" if status == 404 else "forbidden"
            raise WorkbenchError(_SAID[status], kind=kind, field="job") from None
