"""The Python behind the playground's comparison of models."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.snippets.code import Name, call, literal, program
from components.service.snippets.model import call_of, importing, revived_class, steps_of, used_parameters
from components.service.snippets.tasks.steps import beside
from components.service.tasks import TaskSpec, find_task


def compare_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """Each model on the same rows, one after another; `result` holds a list of outputs for each.

    Args:
        arguments: `task`, `models` (`[{model, commit, dtype, parameters}]`, as `compare_models` states them), `inputs`,
            a list of rows, and `parameters`, for models that state none.
        endpoint: The Hub in use.
    """
    spec = find_task(arguments.get("task"))
    models = [one for one in arguments.get("models") or [] if isinstance(one, Mapping) and one.get("commit")]
    if not models:
        raise WorkbenchError("Name the models, each with its commit.", field="models")
    asked = arguments.get("parameters")
    used = [used_parameters(spec, {"parameters": one.get("parameters") or asked}) for one in models]
    named = [
        [f"{one['model']}".partition("@")[0], str(one["commit"]), str(one.get("dtype") or "float32")] for one in models
    ]
    imports, loading = _loading(spec, arguments)
    called = call_of(spec)(arguments.get("inputs"), dict(used[0]))
    seeded = any("seed" in one for one in used)
    return program(
        endpoint,
        [*called.imports, *imports, *(["from transformers import set_seed"] if seeded else [])],
        beside(spec, arguments.get("inputs")),
        *_runs(spec, arguments.get("inputs"), named, used, loading),
        "result = results\nfor one in zip(*result):\n    print(*one)",
    )


def _runs(spec: TaskSpec, inputs: Any, named: list[list[str]], used: list[dict[str, Any]], loading: str) -> list[str]:
    """The code that runs every model: one loop where all are called alike, else one after another."""
    if all(one == used[0] for one in used):
        loop = textwrap.indent(_one_run(spec, inputs, used[0], loading), "    ")
        return [f"models = {literal(named)}", f"results = []\nfor model_id, commit, dtype in models:\n{loop}"]
    return ["results = []"] + [
        f"model_id, commit, dtype = {', '.join(map(literal, names))}\n{_one_run(spec, inputs, one, loading)}"
        for names, one in zip(named, used, strict=True)
    ]


def _one_run(spec: TaskSpec, inputs: Any, parameters: dict[str, Any], loading: str) -> str:
    given = dict(parameters)
    seed = given.pop("seed", None)
    called = call_of(spec)(inputs, given)
    steps = [loading, called.before, "" if seed is None else call("set_seed", seed), f"result = {called.line}"]
    return "\n".join(part for part in (*steps, called.after, "results.append(result)") if part)


def _loading(spec: TaskSpec, arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    """Imports, and the line that makes the pipeline of one model."""
    pinned: dict[str, Any] = {"revision": Name("commit")}
    if not spec.revived:
        made = call("pipeline", spec.name, model=Name("model_id"), **pinned, dtype=Name("dtype"))
        return ["from transformers import pipeline"], f"pipe = {made}"
    text, name = revived_class(spec)
    parts = steps_of(spec, arguments).parts
    auto = spec.auto_classes[0]
    loaded: dict[str, Any] = {
        part: Name(call(f"{kind}.from_pretrained", Name("model_id"), **pinned)) for part, kind in parts.items()
    }
    model = Name(call(f"{auto}.from_pretrained", Name("model_id"), **pinned, dtype=Name("dtype")))
    made = call(name, model=model, **loaded, task=spec.name, device="cpu")
    return [text, "", importing([auto, *parts.values()])], f"pipe = {made}"


COMPARE_VIEWS = {"compare": compare_snippet}
