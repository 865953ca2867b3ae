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
        arguments: `task`, `models` (`[{model, commit, dtype}]`, as `compare_models` states them), `inputs`, a list of
            rows, and `parameters`.
        endpoint: The Hub in use.
    """
    spec = find_task(arguments.get("task"))
    models = [one for one in arguments.get("models") or [] if isinstance(one, Mapping) and one.get("commit")]
    if not models:
        raise WorkbenchError("Name the models, each with its commit.", field="models")
    dtypes = [str(one.get("dtype") or "float32") for one in models]
    alike = len(set(dtypes)) == 1
    named = {
        f"{one['model']}".partition("@")[0]: str(one["commit"]) if alike else [str(one["commit"]), dtype]
        for one, dtype in zip(models, dtypes, strict=True)
    }
    used = used_parameters(spec, arguments)
    seed = used.pop("seed", None)
    called = call_of(spec)(arguments.get("inputs"), used)
    imports, loading = _loading(spec, arguments, dtypes[0] if alike else Name("dtype"))
    steps = [loading, called.before, "" if seed is None else call("set_seed", seed), f"result = {called.line}"]
    pinned = "commit" if alike else "(commit, dtype)"
    loop = "\n".join(part for part in (*steps, called.after, "results.append(result)") if part)
    return program(
        endpoint,
        [*called.imports, *imports, *([] if seed is None else ["from transformers import set_seed"])],
        beside(spec, arguments.get("inputs")),
        f"models = {literal(named)}",
        f"results = []\nfor model_id, {pinned} in models.items():\n{textwrap.indent(loop, '    ')}",
        "result = results\nfor one in zip(*result):\n    print(*one)",
    )


def _loading(spec: TaskSpec, arguments: Mapping[str, Any], dtype: str | Name) -> tuple[list[str], str]:
    """Imports, and the line that makes the pipeline of one model."""
    pinned: dict[str, Any] = {"revision": Name("commit")}
    if not spec.revived:
        made = call("pipeline", spec.name, model=Name("model_id"), **pinned, dtype=dtype)
        return ["from transformers import pipeline"], f"pipe = {made}"
    text, name = revived_class(spec)
    parts = steps_of(spec, arguments).parts
    auto = spec.auto_classes[0]
    loaded: dict[str, Any] = {
        part: Name(call(f"{kind}.from_pretrained", Name("model_id"), **pinned)) for part, kind in parts.items()
    }
    model = Name(call(f"{auto}.from_pretrained", Name("model_id"), **pinned, dtype=dtype))
    made = call(name, model=model, **loaded, task=spec.name, device="cpu")
    return [text, "", importing([auto, *parts.values()])], f"pipe = {made}"


COMPARE_VIEWS = {"compare": compare_snippet}
