"""Run a model: from a task, a model's id and a text to an output, with all that a visitor wants to know about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, chosen_id
from components.service.settings import Settings
from components.service.tasks import TaskSpec, find_task
from components.service.tasks.texts import check_text
from components.service.visitor import Visitor


class Inference:
    """Runs tasks. Inputs, parameters and outputs follow the Hub's task specification.

    Args:
        settings: `text_chars`, `texts`, `new_tokens`, `call_seconds`.
        hub: Where models come from.
        engine: Where they run.
    """

    def __init__(self, settings: Settings, hub: Hub, engine: Engine) -> None:
        self._settings = settings
        self._hub = hub
        self._engine = engine

    def run_task(
        self,
        task: str,
        model: str = "",
        inputs: Any = None,
        parameters: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Run a task on one text, or on each of a list of texts.

        Args:
            task: A name of `TASKS`, or an alias (`sentiment-analysis`).
            model: A model's id; empty for the task's default on the Hub in use.
            inputs: A text, an object of the task's texts (`{"text": ..., "text_pair": ...}`), or a list of either.
            parameters: As the task's `TaskSpec` names them.
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            `{output, task, model, commit, seconds, load_seconds, device, dtype, stored_dtype, parameters, notes}`;
            `output` is what transformers' pipeline gives with `parameters`, which are those that were used.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        arguments, facts = self._prepare(task, model, inputs, parameters, revision, visitor)
        return {**self._engine.call("run_task", arguments), **facts}

    def run_stages(
        self,
        task: str,
        model: str = "",
        inputs: Any = None,
        parameters: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Run a task on one text and show its three steps; arguments and errors as of `run_task`.

        Returns:
            The same, and `stages`: `preprocess`, `forward`, `postprocess`, each `{name, seconds, tensors, note}`;
            tensors are `{name, shape, dtype, device, sample}`. Preprocess has `tokens` (`{position, id, token, text,
            special}`); classification's postprocess has `scores` (`{label, logit, score}`); generation's forward has
            `next_tokens` (tokens with `probability`) and its postprocess the new `tokens`.
        """
        arguments, facts = self._prepare(task, model, inputs, parameters, revision, visitor)
        return {**self._engine.call("run_stages", arguments), **facts}

    def stream_task(
        self,
        task: str,
        model: str = "",
        inputs: Any = None,
        parameters: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> Iterator[dict[str, Any]]:
        """Run a task and follow its output; arguments and errors as of `run_task`, for one text.

        Yields:
            `{text, new_text, tokens, seconds, first_token_seconds, tokens_per_second, done}`; the last one has
            `done` set, and holds `output`, `reason` (`"end"`, `"length"`, `"time"`) and the facts of `run_task`.
            Closing the generator stops the work.
        """
        spec = find_task(task)
        if not spec.streams:
            raise WorkbenchError(f"{spec.title} gives its output at once; it cannot be followed.", field="task")
        if not isinstance(inputs, str):
            raise WorkbenchError("One text can be followed at a time.", field="inputs")
        arguments, facts = self._prepare(task, model, inputs, parameters, revision, visitor)
        for item in self._engine.stream("stream_task", arguments):
            yield {**item, **facts} if item["done"] else item

    def _prepare(
        self,
        task: str,
        model: str,
        inputs: Any,
        parameters: dict[str, Any] | None,
        revision: str | None,
        visitor: Visitor,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The worker's arguments and the facts known already; everything that costs nothing is checked first."""
        spec = find_task(task)
        inputs = self._check_inputs(spec, inputs)
        checked = spec.check_parameters(parameters, self._settings)
        snapshot = self._hub.model(chosen_id(model, spec.default_model(self._settings)), revision, visitor=visitor)
        arguments = {
            "task": spec.name,
            "path": str(snapshot.path),
            "model": snapshot.id,
            "inputs": inputs,
            "parameters": checked,
            "seconds": self._settings.call_seconds,
        }
        return arguments, {"task": spec.name, "model": snapshot.id, "commit": snapshot.commit}

    def _check_inputs(self, spec: TaskSpec, inputs: Any) -> Any:
        if not isinstance(inputs, list):
            return self._check_input(spec, inputs)
        if not inputs:
            raise WorkbenchError("The list of texts is empty. Give one text at least.", field="inputs")
        if len(inputs) > self._settings.texts:
            raise WorkbenchError(
                f"The list has {len(inputs):,} texts; at most {self._settings.texts:,} are allowed in one call.",
                field="inputs",
            )
        checked = [self._check_input(spec, item) for item in inputs]
        total = sum(len(text) for item in checked for text in (item.values() if isinstance(item, dict) else [item]))
        if total > self._settings.text_chars:
            raise WorkbenchError(
                f"The texts have {total:,} characters together; at most {self._settings.text_chars:,} are allowed in "
                "one call.",
                field="inputs",
            )
        return checked

    def _check_input(self, spec: TaskSpec, item: Any) -> Any:
        """One text, or one object of texts where the task reads several."""
        if not isinstance(item, dict):
            return check_text(item, self._settings.text_chars, "inputs")
        names = [one.name for one in spec.inputs]
        missing = [one.name for one in spec.inputs if one.required and not item.get(one.name)]
        if missing or not set(item) <= set(names):
            raise WorkbenchError(f"{spec.title} takes a text, or an object with {' and '.join(names)}.", field="inputs")
        texts = {
            name: check_text(text, self._settings.text_chars, f"inputs.{name}") for name, text in item.items() if text
        }
        return texts if len(texts) > 1 else texts[names[0]]
