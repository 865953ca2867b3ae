"""The shape of a task: what it takes, which parameters it knows, what it gives."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks.texts import check_characters

ParameterType = Literal["int", "float", "bool", "str", "choice", "list", "json"]
InputKind = Literal["text", "chat", "texts", "table", "image", "audio", "video", "json"]
#: What the page draws a result as; its shape is the Hub's own for the task.
Output = Literal[
    "labels",  # [{label, score}]
    "text",  # [{generated_text}], or summary_text, translation_text, text
    "spans",  # [{entity_group or entity, word, start, end, score}]
    "answers",  # [{answer, score, start, end}]
    "fills",  # [{sequence, score, token, token_str}]
    "vectors",  # nested lists of numbers
    "scores",  # one number for each text of the input
    "boxes",  # [{label, score, box: {xmin, ymin, xmax, ymax}}], in pixels of the input
    "masks",  # [{label, score, mask}], masks as PNG in base64
    "image",  # an image, PNG in base64
    "depth",  # {predicted_depth, depth}, depth as PNG in base64
    "audio",  # {audio, sampling_rate}, audio as WAV in base64
    "speech",  # {text, chunks}
    "matches",  # [{keypoint_image_0: {x, y}, keypoint_image_1: {x, y}, score}]
    "cells",  # {answer, cells, coordinates, aggregator}
    "decisions",  # {question: answer with the probability of each option}
]

#: Longest text of a parameter: what a stop text costs grows with its length at every new token.
TEXT_CHARS = 200
#: Longest JSON value of a parameter, in characters.
JSON_CHARS = 50_000

_GENERATION = ("generation_parameters", "generate_parameters", "generate_kwargs")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list of texts",
    "json": "a JSON value",
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
        required: Whether the task cannot run without it.
        instead: What to do in place of a value that is out of range, in a sentence.
        placeholder: What has to stand in a text once, with no other braces: `{}`, where something is filled in.
    """

    name: str
    type: ParameterType
    default: Any
    help: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    limit: str | None = None
    required: bool = False
    instead: str = ""
    placeholder: str = ""

    def check(self, value: Any, settings: Settings) -> Any:
        """Return `value` in the parameter's own type, or raise `WorkbenchError` with the rule in its text."""
        if self.type == "choice":
            value = str(value).lower() if isinstance(value, bool) else value  # JSON's true may be one choice of several
            if not isinstance(value, str) or value not in self.choices:
                raise self._error(f"must be one of {', '.join(self.choices)}")
            return value
        if self.type == "json":
            return self._check_json(value)
        cleaned = _cast(self.type, value)
        if cleaned is None:
            raise self._error(f"must be {_WORDS[self.type]}")
        for text in cleaned if isinstance(cleaned, list) else [cleaned]:
            if isinstance(text, str):
                check_characters(text, f"parameters.{self.name}")
                if len(text) > TEXT_CHARS:
                    raise self._error(f"may have at most {TEXT_CHARS} characters in a text")
                # Anything else in braces would be read by `str.format`, which looks into objects and pads without end.
                if self.placeholder and re.findall(r"\{[^{}]*\}|[{}]", text) != [self.placeholder]:
                    raise self._error(f"must have {self.placeholder} in it once, and no other braces")
        if self.type != "bool" and not isinstance(cleaned, str):
            self._check_range(len(cleaned) if isinstance(cleaned, list) else cleaned, settings)
        return cleaned

    def _check_json(self, value: Any) -> Any:
        try:
            written = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise self._error("must be a JSON value") from None
        if len(written) > JSON_CHARS:
            raise self._error(f"may have at most {JSON_CHARS:,} characters as JSON")
        check_characters(written, f"parameters.{self.name}")
        return value

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
        raise self._error("must " + what.format(f"from {low or 0:.10g} to {high:.10g}"), self.instead)

    def _error(self, rule: str, instead: str = "") -> WorkbenchError:
        sentences = f"The parameter {self.name} {rule}. {instead}".rstrip()
        return WorkbenchError(sentences, field=f"parameters.{self.name}")


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


def _unfold(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in one level: the Hub's task specification keeps those of `generate` in an object of their own."""
    own = {name: value for name, value in parameters.items() if name not in _GENERATION}
    for name in _GENERATION:
        inner = parameters.get(name)
        if inner is not None and not isinstance(inner, Mapping):
            raise WorkbenchError(f"{name} must be an object of names and values.", field=f"parameters.{name}")
        own = {**(inner or {}), **own}
    return own


@dataclass(frozen=True)
class InputSpec:
    """One thing that a task reads.

    Attributes:
        name: Its key where the inputs are an object, as in `{"question": ..., "context": ...}`.
        title: Its label for people.
        kind: `"text"`; `"chat"`, a text or a list of `{role, content}`; `"texts"`, a list of texts; `"table"`, columns
            as `{name: [cells]}`; `"image"`, `"audio"`, `"video"`, a file as `components.service.tasks.media` reads it;
            `"json"`, any JSON value that the task's runner checks.
        required: Whether the task runs without it.
        help: One sentence for people, where the title does not say enough.
        several: Whether a list of values is one input, such as the two images whose points are matched.
        aliases: Other keys that libraries give it.
    """

    name: str
    title: str
    kind: InputKind = "text"
    required: bool = True
    help: str = ""
    several: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """An input that works in one click.

    Attributes:
        inputs: As the task takes them.
        parameters: What it needs besides, such as the labels to choose from.
        starter_model: The model on the embedded Hub that it is made for, where that is not the task's default.
        hub_model: The same on huggingface.co.
    """

    inputs: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)
    starter_model: str = ""
    hub_model: str = ""

    def model(self, settings: Settings) -> str:
        """The model that it is made for on the Hub in use; empty for the task's default."""
        return self.starter_model if settings.embedded else self.hub_model


@dataclass(frozen=True)
class TaskSpec:
    """One task of the playground.

    Attributes:
        name: The Hub's name of the task.
        title: The same for people.
        summary: What it does, in one sentence.
        inputs: What it reads; a task with one input takes it as it is, one with several an object of them.
        parameters: What may be set.
        output: How its result is shown.
        auto_classes: The transformers Auto classes that load a model with the head for this task, in order.
        head: What a model needs for it, in plain words.
        examples: Inputs that give a sensible result with the default models; an `Example` where one needs parameters
            or a model of its own.
        starter_model: The default on the embedded Hub; empty where there is none.
        hub_model: The default on huggingface.co.
        runner: What runs it in the worker: `module:Class` under `components.service.worker.runners`.
        streams: Whether the result can be read while it is being made.
        revived: Whether transformers dropped its pipeline, and this project brings it back.
        generates: Whether its model writes one token after another, so that `generate` bounds and stops it.
        batches: Whether inputs whose tensors have one shape may go through the model together.
        aliases: Other names that transformers knows it by.
    """

    name: str
    title: str
    summary: str
    inputs: tuple[InputSpec, ...]
    parameters: tuple[ParameterSpec, ...]
    output: Output
    auto_classes: tuple[str, ...]
    head: str
    examples: tuple[Any, ...]
    hub_model: str
    starter_model: str = ""
    runner: str = "base:Runner"
    streams: bool = False
    revived: bool = False
    generates: bool = False
    batches: bool = False
    aliases: tuple[str, ...] = ()

    def example(self, number: int = 0) -> Example:
        """One of the examples."""
        found = self.examples[number]
        return found if isinstance(found, Example) else Example(found)

    def check_parameters(self, parameters: Mapping[str, Any] | None, settings: Settings) -> dict[str, Any]:
        """Return the parameters that were given, checked; one that is None counts as not given.

        Raises:
            WorkbenchError: A parameter is unknown, of the wrong type, or out of range; the text says which and how.
        """
        parameters = {} if parameters is None else parameters
        if not isinstance(parameters, Mapping):
            raise WorkbenchError("Parameters must be an object of names and values.", field="parameters")
        known = {spec.name: spec for spec in self.parameters}
        parameters = _unfold(parameters)
        for name in parameters:
            if name not in known:
                known_ones = f"It knows {', '.join(known)}." if known else "It has none."
                raise WorkbenchError(
                    f"{self.title} has no parameter {name!r}. {known_ones}", field=f"parameters.{name}"
                )
        given = {name: known[name].check(value, settings) for name, value in parameters.items() if value is not None}
        for one in self.parameters:
            if one.required and one.name not in given:
                raise WorkbenchError(
                    f"{self.title} needs {one.name.replace('_', ' ')}. {one.help}", field=f"parameters.{one.name}"
                )
        return given

    def default_model(self, settings: Settings) -> str:
        """The model that runs when none is named, on the Hub in use; empty where there is none."""
        return self.starter_model if settings.embedded else self.hub_model
