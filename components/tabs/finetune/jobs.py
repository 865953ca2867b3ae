"""The same run on other people's machines: sent to Hugging Face Jobs with the visitor's token, watched from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.runs.groundwork import NO_JOBS, ZERO_GPU
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html
from components.widgets.jobs import job_line, job_view, preview_view

_ABOUT = """Your account pays for the machine. Data and settings go into a repository of yours, where the job puts its
model; nothing of it stays here, and this page may be closed meanwhile."""


class JobPanel:
    """A fold with what a job needs beyond a run's spec, and the jobs that were sent; of a Hub that has no Jobs, with a
    sentence that says so."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        no_training = ctx.bench.settings.zero_gpu
        with gr.Accordion("Train on Hugging Face Jobs instead", open=no_training) as self.fold:
            gr.HTML(html.notice(ZERO_GPU, "warning") if no_training else "", padding=False)
            self.offered = not ctx.bench.settings.embedded
            if not self.offered:
                gr.HTML(html.notice(NO_JOBS), padding=False, elem_id="ft-no-jobs")
                return
            gr.HTML(f'<p class="wb-lead">{_ABOUT}</p>', padding=False)
            with gr.Row(elem_classes="wb-even"):
                self.repo = gr.Textbox(
                    label="Repository of the model",
                    placeholder="my-model",
                    max_lines=1,
                    min_width=200,
                    elem_id="ft-job-repo",
                )
                self.flavor = gr.Dropdown(
                    ["cpu-basic"], value="cpu-basic", label="Hardware", allow_custom_value=True, min_width=200,
                    elem_id="ft-job-flavor",
                )  # fmt: skip
                self.hours = gr.Textbox(
                    label="Longest time in hours", placeholder="from a rehearsal", max_lines=1, min_width=200,
                    elem_id="ft-job-hours",
                )  # fmt: skip
            with gr.Row():
                self.preview = gr.Button("Show what would be sent", min_width=140, elem_id="ft-job-preview")
                self.send = gr.Button("Send the job", min_width=140, interactive=False, elem_id="ft-job-send")
            self.told = gr.HTML(padding=False, elem_id="ft-told-job")
            self.shown = gr.HTML(padding=False, elem_id="ft-job")
            with gr.Row(elem_classes="wb-even"):
                self.jobs = gr.Dropdown(
                    label="Your jobs", choices=[], value=None, scale=3, min_width=200, elem_id="ft-jobs"
                )
                self.follow = gr.Button("Look", size="sm", min_width=80, elem_id="ft-job-look")
                self.cancel = gr.Button(
                    "Cancel", size="sm", min_width=80, elem_classes="wb-danger", elem_id="ft-job-cancel"
                )

    def wire(self, form: list[Component], read: Callable[..., dict[str, Any]]) -> None:
        """Preview, send, look, cancel; `read` makes a run's spec of the values of `form`."""
        if not self.offered:
            return
        self._read = read
        wire, told = self.ctx.wire, self.told
        fields = [self.repo, self.flavor, self.hours, *form]
        wire(self.fold.expand, self._open, [], [self.flavor, self.jobs], told=told, show_progress="hidden")
        wire(self.preview.click, self._preview, fields, [self.shown, self.send], told=told)
        wire(self.send.click, self._send, fields, [self.shown, self.send, self.jobs], told=told)
        wire(self.follow.click, self._look, [self.jobs], [self.shown], told=told)
        wire(self.cancel.click, self._cancel, [self.jobs], [self.shown], told=told)

    def _open(self, visitor: Visitor) -> Updates:
        hardware = [(job_line(one), one["name"]) for one in self.ctx.bench.jobs.job_hardware(visitor=visitor)]
        return {self.flavor: gr.update(choices=hardware), self.jobs: self._listed(visitor)}

    def _listed(self, visitor: Visitor, chosen: str | None = None) -> Any:
        known = [
            (f"{one['repo']} · {one['status']}", one["job"]) for one in self.ctx.bench.jobs.list_jobs(visitor=visitor)
        ]
        return gr.update(choices=known, value=chosen or (known[0][1] if known else None))

    def _asked(self, repo: str | None, flavor: str, hours: str | None, *values: Any) -> tuple[Any, ...]:
        try:
            longest = float(hours) if (hours or "").strip() else None
        except ValueError:
            raise WorkbenchError("The longest time is a number of hours, or empty.", field="hours") from None
        return self._read(*values), (repo or "").strip(), flavor, longest

    def _preview(self, visitor: Visitor, *values: Any) -> Updates:
        made = self.ctx.bench.jobs.preview_job(*self._asked(*values), visitor=visitor)
        return {self.shown: preview_view(made), self.send: gr.update(interactive=True)}

    def _send(self, visitor: Visitor, *values: Any) -> Updates:
        job = self.ctx.bench.jobs.start_job(*self._asked(*values), visitor=visitor)
        return {
            self.shown: job_view(job, []),
            self.send: gr.update(interactive=False),
            self.jobs: self._listed(visitor, job["job"]),
        }

    def _look(self, visitor: Visitor, job: str | None) -> Updates:
        jobs = self.ctx.bench.jobs
        state = jobs.job_state(_chosen(job), visitor=visitor)
        return {self.shown: job_view(state, jobs.job_log(_chosen(job), visitor=visitor)["lines"])}

    def _cancel(self, visitor: Visitor, job: str | None) -> Updates:
        return {self.shown: job_view(self.ctx.bench.jobs.cancel_job(_chosen(job), visitor=visitor), [])}


def _chosen(job: str | None) -> str:
    if not job:
        raise WorkbenchError("Choose one of your jobs first.", field="job")
    return job
