"""What the data doctor says about the data, with the remedies that are in use."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.tabs.finetune.data import KEPT, DataForm, sources_of
from components.tabs.finetune.run import RunPanel
from components.tabs.finetune.settings import SettingsForm
from components.widgets import html
from components.widgets.doctor import PICKING, doctor_view
from components.widgets.explain import explain
from components.widgets.model_picker import ModelPicker

_NO_DATA = "Press Look at the data: its columns, labels and anything that would spoil a run are shown here."


class DoctorPanel:
    """The findings; `seen` holds the remedies that were offered last, None before anything was looked at."""

    def __init__(self, ctx: Context, data: DataForm, panel: RunPanel) -> None:
        self.ctx, self.data, self.views = ctx, data, panel.views
        self.seen = gr.State(None)
        with panel.data_tab:
            explain("finetune", "Data")
            self.shown = gr.HTML(html.empty(_NO_DATA), padding=False, elem_id="ft-preview", js_on_load=PICKING)

    def wire(self, picker: ModelPicker, settings: SettingsForm) -> None:
        """Look when asked to, and when data, a column or a remedy has just been chosen.

        Args:
            picker: The model that the texts are tokenized for.
            settings: What the rows are split and cut by, and what a remedy may change.
        """
        self.settings = settings
        data, wire = self.data, self.ctx.wire
        fields = [data.remedies, picker.model, *settings.fields, *data.fields]
        looked = [self.shown, self.views, self.seen, *data.columns.values()]
        for event in (data.look.click, data.dataset.submit):
            wire(event, self._look, fields, looked, told=data.told)
        wire(data.file.upload, self._look_afresh, fields, looked, told=data.told)
        for file in data.beside.values():
            wire(file.upload, self._look_beside, [data.file, *fields], looked, told=data.told)
        for column in data.columns.values():
            wire(column.input, self._look_again, [self.seen, *fields], looked, told=data.told)
        picked = wire(
            self.shown.select,
            self._pick,
            [self.seen, data.remedies],
            [data.remedies, *settings.fields, settings.lora, *data.columns.values()],
            told=data.told,
            detailed=True,
            show_progress="hidden",
        )
        wire(picked.then, self._look, fields, looked, told=data.told, clears=False)
        bring_into_view(data.look.click, "ft-preview")
        data.wire_configs()
        self._forget()

    def _forget(self) -> None:
        """What was said of other data may not stand beside this one, nor its remedies or its columns be used."""
        data, plain = self.data, {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
        columns = list(data.columns.values())

        def forget(seen: list[Any] | None) -> list[Any]:
            # What was chosen before anything was looked at is meant for what is to come, or filled from an earlier run.
            remedies, *chosen = [gr.skip()] * (1 + len(columns)) if seen is None else [{}, *([None] * len(columns))]
            return ["", html.empty(_NO_DATA), remedies, None, *chosen]

        targets = [data.told, self.shown, data.remedies, self.seen, *columns]
        changed = (data.dataset.change, data.config.change, data.split.change, data.rows.change)
        for event in (data.kind.input, *changed, *(file.clear for file in data.files)):
            event(forget, self.seen, targets, **plain)
        data.task.input(lambda: forget([])[:4], None, targets[:4], **plain)

    def _look(self, visitor: Visitor, remedies: dict[str, Any], model: str | None, *values: Any) -> Updates:
        own = len(self.settings.fields)
        form, asked = values[:own], values[own:]
        if asked[1] == KEPT:
            raise WorkbenchError(
                f"The data of the earlier run lies in its own folder. To look at other data, choose one of: "
                f"{', '.join(sources_of(asked[0]))}.",
                field="data",
            )
        wanted = self.data.read(*asked)
        settings = {**self.settings.read(wanted["task"], form), "remedies": wanted["remedies"]}
        seen = self.ctx.bench.data.inspect(
            wanted["data"],
            wanted["columns"],
            wanted["task"],
            (model or "").strip() or None,
            None,
            settings,
            visitor=visitor,
        )
        names = [column["name"] for column in seen["columns"]]
        return {
            self.shown: doctor_view(seen, remedies),
            self.views: gr.Tabs(selected="data"),
            self.seen: [problem.get("remedy") for problem in seen["problems"]],
            **self.data.offer(wanted["task"], names, seen["suggested"]),
        }

    def _look_afresh(self, visitor: Visitor, *values: Any) -> Updates:
        """Other data has come: the columns that were chosen are not its own."""
        columns = len(self.data.columns)
        return self._look(visitor, *values[:-columns], *[None] * columns)

    def _look_beside(self, visitor: Visitor, file: str | None, *values: Any) -> Updates:
        """A file to evaluate on has come, with the columns of the one to train on, if that is there yet."""
        return self._look(visitor, *values) if file else {}

    def _look_again(self, visitor: Visitor, seen: list[Any] | None, *values: Any) -> Updates:
        """Another column is chosen: judged at once where the data was looked at before."""
        return {} if seen is None else self._look(visitor, *values)

    def _pick(self, _visitor: Visitor, picked: dict[str, Any], seen: list[Any], remedies: dict[str, Any]) -> Updates:
        if "undo" in picked:
            return {self.data.remedies: {name: one for name, one in remedies.items() if name != picked["undo"]}}
        number = picked.get("remedy")
        remedy = seen[number] if seen and isinstance(number, int) and 0 <= number < len(seen) else None
        if not remedy:
            return {}
        if remedy["name"] != "setting":
            kept = {key: remedy[key] for key in ("label", "effect")}
            return {self.data.remedies: {**remedies, remedy["name"]: kept}}
        changes = dict(remedy["changes"])
        columns = {self.data.columns[role]: name for role, name in changes.pop("columns", {}).items()}
        return {**columns, **self.settings.fill(changes)}
