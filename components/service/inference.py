"""Run a model: from a task, a model's id and inputs to an output, with all that a visitor wants to know about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot, chosen_id
from components.service.settings import Settings
from components.service.tasks import TaskSpec, find_task, with_languages
from components.service.tasks.inputs import check_inputs, is_batch
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
        """Run a task on one input, or on each of a list of them.

        Args:
            task: A name of `TASKS`, or an alias (`sentiment-analysis`).
            model: A model's id; empty for the task's default on the Hub in use.
            inputs: What the task reads, as the Hub's task specification has it: a text, a file (see
                `tasks.media`), an object of several (`{"question": ..., "context": ...}`), or a list of such inputs.
            parameters: As the task's `TaskSpec` names them.
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            `{output, task, model, commit, seconds, load_seconds, device, dtype, stored_dtype, auto_class, parameters,
            notes}`; `output` is what transformers' pipeline gives with `parameters`, which are those that were used.
            Images add their `image_sizes`, languages that are tokens `language_by`, by which `generate` is told them.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        arguments, facts = self.prepare(task, model, inputs, parameters, revision, visitor)
        return {**self._engine.call("run_task", arguments, visitor=visitor), **facts}

    def follow_task(
        self, task: str, model: str, inputs: Any, parameters: dict[str, Any], revision: str, *, visitor: Visitor
    ) -> Iterator[dict[str, Any] | None]:
        """`run_task`, which can be stopped: yields None now and then, and the result at last; closing the generator
        stops what is being written, and makes all else be thrown away."""
        arguments, facts = self.prepare(task, model, inputs, parameters, revision, visitor)
        for value in self._engine.follow("run_task", arguments, visitor=visitor):
            yield None if value is None else {**value, **facts}

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
        """Run a task on one input and show its three steps; arguments and errors as of `run_task`.

        Returns:
            The same, and `stages`: `preprocess`, `forward`, `postprocess`, each `{name, seconds, warm_seconds, tensors,
            note}`; tensors are `{name, shape, dtype, device, sample, range}`, and `warm_seconds` is what the step takes
            when it is run again (None where that was not tried). Preprocess has `tokens` (`{position, id, token, text,
            special}`); classification's postprocess has `scores` (`{label, logit, score}`); generation's forward has
            `next_tokens` (tokens with `probability`) and its postprocess the new `tokens`.
        """
        arguments, facts = self.prepare(task, model, inputs, parameters, revision, visitor)
        return {**self._engine.call("run_stages", arguments, visitor=visitor), **facts}

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
        """Run a task and follow its output; arguments and errors as of `run_task`, for one text or one chat.

        Yields:
            `{text, new_text, tokens, seconds, first_token_seconds, tokens_per_second, done}`; the last one has
            `done` set, and holds `output`, `reason` (`"end"`, `"length"`, `"time"`) and the facts of `run_task`.
            Closing the generator stops the work.
        """
        spec = find_task(task)
        if not spec.streams:
            raise WorkbenchError(f"{spec.title} gives its output at once; it cannot be followed.", field="task")
        arguments, facts = self.prepare(task, model, inputs, parameters, revision, visitor, alone=True)
        for item in self._engine.stream("stream_task", arguments, visitor=visitor):
            yield {**item, **facts} if item["done"] else item

    def stream_tokens(
        self,
        task: str,
        model: str = "",
        inputs: Any = None,
        parameters: dict[str, Any] | None = None,
        top: int = 0,
        *,
        visitor: Visitor,
    ) -> Iterator[dict[str, Any]]:
        """Run a task that writes text and follow its tokens, as servers tell them; errors as of `run_task`.

        Args:
            task, model, inputs, parameters: As of `run_task`, for one input.
            top: How many of the likeliest tokens to tell at each step.

        Yields:
            `{id, token, text, logprob, special, top: [{id, token, text, logprob}]}` for each token: `text` is what it
            adds to the text, and the natural logarithms of probabilities are those before temperature and its kin; the
            last item is `{done: True, text, tokens, prompt_tokens, reason, output}` with the facts of `run_task`, and
            `reason` is `"end"`, `"stop"`, `"length"` or `"time"`.
        """
        spec = find_task(task)
        if not spec.streams:
            raise WorkbenchError(f"{spec.title} gives its output at once; it cannot be followed.", field="task")
        if is_batch(spec, inputs):
            raise WorkbenchError("One text can be followed at a time.", field="inputs")
        arguments, facts = self.prepare(task, model, inputs, parameters, None, visitor)
        for item in self._engine.stream("stream_tokens", {**arguments, "top": top}, visitor=visitor):
            yield {**item, **facts} if "done" in item else item

    def prepare(
        self,
        task: str,
        model: str,
        inputs: Any,
        parameters: dict[str, Any] | None,
        revision: str | None,
        visitor: Visitor,
        *,
        alone: bool = False,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The worker's arguments and the facts known already; everything that costs nothing is checked first.

        `alone` asks for one input, in distinction from a list of them.
        """
        spec = find_task(task)
        if alone and is_batch(spec, inputs):
            raise WorkbenchError("One text can be followed at a time.", field="inputs")
        inputs = check_inputs(spec, inputs, self._settings)
        checked = spec.check_parameters(with_languages(task, parameters), self._settings)
        snapshot = self.snapshot(spec, model, revision, visitor)
        arguments = {
            "task": spec.name,
            "path": str(snapshot.path),
            "model": snapshot.id,
            "inputs": inputs,
            "parameters": checked,
            "seconds": self._settings.call_seconds,
        }
        return arguments, {"task": spec.name, "model": snapshot.id, "commit": snapshot.commit}

    def snapshot(self, spec: TaskSpec, model: str, revision: str | None, visitor: Visitor) -> Snapshot:
        """The files of a model, or of the task's default where none is named."""
        return self._hub.model(chosen_model(spec, model, self._settings), revision, visitor=visitor)


def chosen_model(spec: TaskSpec, model: str, settings: Settings) -> str:
    """The model that was named, or the task's default where none is.

    Raises:
        WorkbenchError: None is named, and the task has no default on the Hub in use.
    """
    chosen = chosen_id(model, spec.default_model(settings))
    if chosen == "":
        raise WorkbenchError(
            f"There is no starter model for {spec.title.lower()}, so name one that is on the Hub in use.",
            field="model",
        )
    return chosen
