"""The shape of a task: what it takes, which parameters it knows, what it gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks.texts import check_characters

ParameterType = Literal["int", "float", "bool", "str", "choice", "list"]
Output = Literal["labels", "text"]

#: Longest text of a parameter: what a stop text costs grows with its length at every new token.
TEXT_CHARS = 200

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list of texts",
}


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of a task.

    Attributes:
        name: As in the Hub's task specification.
        type: `"list"` is a list of texts, `"choice"` one of `choices`.
        default: What counts when the parameter is not given; `None` leaves it to the model.
        min, max: Smallest and largest value, both allowed; for a list, its length.
        help: One sentence for people.
        choices: The values that a `"choice"` may take.
        limit: Name of the `Settings` field that lowers `max` on this server.
    """

    name: str
    type: ParameterType
    default: Any
    help: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    limit: str | None = None

    def check(self, value: Any, settings: Settings) -> Any:
        """Return `value` in the parameter's own type, or raise `WorkbenchError` with the rule in its text."""
        if self.type == "choice":
            if value not in self.choices:
                raise self._error(f"must be one of {', '.join(self.choices)}")
            return value
        cleaned = _cast(self.type, value)
        if cleaned is None:
            raise self._error(f"must be {_WORDS[self.type]}")
        for text in cleaned if isinstance(cleaned, list) else [cleaned]:
            if isinstance(text, str):
                check_characters(text, f"parameters.{self.name}")
                if len(text) > TEXT_CHARS:
                    raise self._error(f"may have at most {TEXT_CHARS} characters in a text")
        if self.type != "bool" and not isinstance(cleaned, str):
            self._check_range(len(cleaned) if isinstance(cleaned, list) else cleaned, settings)
        return cleaned

    def highest(self, settings: Settings) -> float | None:
        """The largest value on this server: the parameter's own bound or the server's limit, whichever is lower."""
        if self.limit is None:
            return self.max
        limit = float(getattr(settings, self.limit))
        return limit if self.max is None else min(self.max, limit)

    def _check_range(self, size: float, settings: Settings) -> None:
        low, high = self.min, self.highest(settings)
        if (low is None or size >= low) and (high is None or size <= high):
            return
        what = "have {} entries" if self.type == "list" else "be {}"
        if high is None:
            raise self._error("must " + what.format(f"at least {low:.10g}"))
        raise self._error("must " + what.format(f"from {low or 0:.10g} to {high:.10g}"))

    def _error(self, rule: str) -> WorkbenchError:
        return WorkbenchError(f"The parameter {self.name} {rule}.", field=f"parameters.{self.name}")


def _cast(type: ParameterType, value: Any) -> Any:
    """`value` as `type`, or None where it is of another type. 3.0 is a whole number: sliders and JSON write it so."""
    if type == "bool":
        return value if isinstance(value, bool) else None
    if type == "str":
        return value if isinstance(value, str) else None
    if type == "list":
        values = [value] if isinstance(value, str) else value
        texts = isinstance(values, list) and all(isinstance(text, str) and text for text in values)
        return values if texts else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if type == "float":
        # A whole number may be too long for a float.
        return float(value) if abs(value) < 1e300 else (math.inf if value > 0 else -math.inf)
    return int(value) if value == int(value) else None


@dataclass(frozen=True)
class InputSpec:
    """One text that a task reads.

    Attributes:
        name: Its key where the inputs are an object, as in `{"text": ..., "text_pair": ...}`.
        title: Its label for people.
        required: Whether the task runs without it.
    """

    name: str
    title: str
    required: bool = True


@dataclass(frozen=True)
class TaskSpec:
    """One task of the playground.

    Attributes:
        name: The Hub's name of the task.
        title: The same for people.
        summary: What it does, in one sentence.
        inputs: The texts it reads; a task with one text takes a plain string, or a list of them.
        parameters: What may be set.
        output: The shape of the result: `"labels"` is `[{label, score}]`, `"text"` is `[{generated_text}]`.
        auto_class: The transformers Auto class that loads a model with the head for this task.
        head: What a model needs for it, in plain words.
        examples: Inputs that give a sensible result with the default models.
        starter_model: The default on the embedded Hub.
        hub_model: The default on huggingface.co.
        streams: Whether the result can be read while it is being made.
        aliases: Other names that transformers knows it by.
    """

    name: str
    title: str
    summary: str
    inputs: tuple[InputSpec, ...]
    parameters: tuple[ParameterSpec, ...]
    output: Output
    auto_class: str
    head: str
    examples: tuple[Any, ...]
    starter_model: str
    hub_model: str
    streams: bool = False
    aliases: tuple[str, ...] = ()

    def check_parameters(self, parameters: Mapping[str, Any] | None, settings: Settings) -> dict[str, Any]:
        """Return the parameters that were given, checked; one that is None counts as not given.

        Raises:
            WorkbenchError: A parameter is unknown, of the wrong type, or out of range; the text says which and how.
        """
        if parameters is None:
            return {}
        if not isinstance(parameters, Mapping):
            raise WorkbenchError("Parameters must be an object of names and values.", field="parameters")
        known = {spec.name: spec for spec in self.parameters}
        for name in parameters:
            if name not in known:
                raise WorkbenchError(
                    f"{self.title} has no parameter {name!r}. It knows {', '.join(known)}.",
                    field=f"parameters.{name}",
                )
        return {name: known[name].check(value, settings) for name, value in parameters.items() if value is not None}

    def default_model(self, settings: Settings) -> str:
        """The model that runs when none is named, on the Hub in use."""
        return self.starter_model if settings.embedded else self.hub_model
