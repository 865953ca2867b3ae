"""The Python behind the playground: the pipeline, and its steps by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.service.errors import WorkbenchError
from components.service.snippets.code import Name, call, literal, model_id, origin, program, remark
from components.service.snippets.tasks import CALLS, STEPS
from components.service.snippets.tasks.steps import MEDIA, Called, CallOf, Steps, beside, file_names, with_files
from components.service.snippets.tasks.text import CUT
from components.service.tasks import TaskSpec, find_task
from components.service.tasks.generation import SAMPLING
from components.service.tasks.inputs import is_batch

#: The revived pipelines: each file stands alone, so its text is the snippet's.
_REVIVED = Path(__file__).parent.parent / "worker" / "revived"
#: transformers 5.23 makes an untrained decision head for some chat models where only their id is given.
_BY_HAND = ("decision",)


def pipeline_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """`pipeline(...)` called as the app called it.

    Args:
        arguments: `task`, `model`, `commit` (or `revision`), `inputs`, `parameters`, `dtype` and `auto_class`, the last
            three as a result states them.
        endpoint: The Hub in use.
    """
    spec = find_task(arguments.get("task"))
    used = used_parameters(spec, arguments)
    seed = used.pop("seed", None)
    seeded = "" if seed is None else call("set_seed", seed)
    called = call_of(spec)(arguments.get("inputs"), used)
    parts = [called.before, seeded, "\n".join(filter(None, [f"result = {called.line}", called.after, "print(result)"]))]
    if spec.revived:
        return _revived(spec, arguments, endpoint, called.imports, parts)
    if spec.name in _BY_HAND:
        return _with_model(spec, arguments, endpoint, called.imports, parts)
    loaded = call("pipeline", spec.name, model=model_id(arguments), **origin(arguments), **_dtype(arguments))
    names = "pipeline" if seed is None else "pipeline, set_seed"
    return program(
        endpoint,
        [*called.imports, f"from transformers import {names}"],
        _remarks(spec, arguments),
        f"pipe = {loaded}",
        *parts,
    )


def _with_model(
    spec: TaskSpec, arguments: Mapping[str, Any], endpoint: str, imports: tuple[str, ...], parts: list[str]
) -> str:
    """A pipeline around a model that is loaded before, by the Auto class that the app took."""
    parts_of = steps_of(spec, arguments).parts
    given: dict[str, Any] = {part: Name(part) for part in parts_of}
    made = call("pipeline", spec.name, model=Name("model"), **given, device="cpu")
    return program(
        endpoint,
        [*imports, importing([auto_class(spec, arguments), *parts_of.values(), "pipeline"])],
        _remarks(spec, arguments),
        _loading(spec, arguments, parts_of),
        f"pipe = {made}",
        *parts,
    )


def call_of(spec: TaskSpec) -> CallOf:
    """What writes the call of a task's pipeline: its own way, or with inputs and parameters as they are."""
    if spec.name in CALLS:
        return CALLS[spec.name]

    def called(inputs: Any, used: dict[str, Any]) -> Called:
        if "stop" in used:
            used["stop_sequence"] = used.pop("stop")
        return Called(call("pipe", _named(spec, inputs), **used))

    return called


def _revived(
    spec: TaskSpec, arguments: Mapping[str, Any], endpoint: str, imports: tuple[str, ...], parts: list[str]
) -> str:
    """A pipeline of one's own, where transformers has none any more."""
    text, name = revived_class(spec)
    parts_of = steps_of(spec, arguments).parts
    given: dict[str, Any] = {part: Name(part) for part in parts_of}
    made = call(name, model=Name("model"), **given, task=spec.name, device="cpu")
    seeding = ["set_seed"] if any(part.startswith("set_seed(") for part in parts) else []
    autos = importing([auto_class(spec, arguments), *parts_of.values(), *seeding])
    return program(
        endpoint,
        [text, "", *imports, autos],
        _remarks(spec, arguments),
        _loading(spec, arguments, parts_of),
        f"pipe = {made}",
        *parts,
    )


def revived_class(spec: TaskSpec) -> tuple[str, str]:
    """The text of a revived pipeline's module, under a remark, and the name of its class."""
    text = (_REVIVED / f"{spec.name.replace('-', '_')}.py").read_text(encoding="utf-8").rstrip()
    name = "".join(word.title() for word in spec.name.split("-")) + "Pipeline"
    return f"# transformers 5 has no {spec.name} pipeline: this class is one.\n{text}", name


def stages_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """The pipeline's steps by hand: what prepares the input, the model, and the way back. Arguments as above."""
    spec = find_task(arguments.get("task"))
    steps = steps_of(spec, arguments)
    names = [auto_class(spec, arguments), *steps.parts.values(), *steps.names]
    imports = [
        "import torch",
        *steps.imports,
        f"from transformers import {', '.join(sorted(set(names), key=str.lower))}",
    ]
    return program(endpoint, imports, _remarks(spec, arguments), _loading(spec, arguments, steps.parts), *steps.body)


def _remarks(spec: TaskSpec, arguments: Mapping[str, Any]) -> str:
    """What has to be there besides for the program to run."""
    return "\n".join(filter(None, [remark(arguments), beside(spec, arguments.get("inputs"))]))


def importing(names: list[str]) -> str:
    """One line that imports names from transformers."""
    return f"from transformers import {', '.join(sorted(set(names)))}"


def steps_of(spec: TaskSpec, arguments: Mapping[str, Any]) -> Steps:
    """A task by hand, for the first of its inputs."""
    inputs = arguments.get("inputs")
    first = inputs[0] if is_batch(spec, inputs) and inputs else inputs
    return STEPS[spec.name](first, by_hand(spec, arguments))


def by_hand(spec: TaskSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for a task by hand; of a translation with `language_by`, as a result states it."""
    by = arguments.get("language_by") if spec.name == "translation" else None
    told = {} if by is None else {"language_by": by}
    return {**used_parameters(spec, arguments), **told}


def _loading(spec: TaskSpec, arguments: Mapping[str, Any], parts: Mapping[str, str]) -> str:
    known = {**origin(arguments)}
    lines = [f"{part} = {call(f'{auto}.from_pretrained', Name('model_id'), **known)}" for part, auto in parts.items()]
    model = call(f"{auto_class(spec, arguments)}.from_pretrained", Name("model_id"), **known, **_dtype(arguments))
    return "\n".join(["model_id = " + literal(model_id(arguments)), *lines, f"model = {model}"])


def auto_class(spec: TaskSpec, arguments: Mapping[str, Any]) -> str:
    """The Auto class that loaded the model, as a result states it."""
    given = str(arguments.get("auto_class"))
    return given if given in spec.auto_classes else spec.auto_classes[0]


def _named(spec: TaskSpec, inputs: Any) -> Any:
    """The inputs with every file as its name, also one that was given in base64."""
    only = spec.inputs[0].kind if len(spec.inputs) == 1 else ""
    return file_names(inputs, only) if only in MEDIA else with_files(inputs, _kinds(spec))


def _kinds(spec: TaskSpec) -> dict[str, str]:
    return {one.name: one.kind for one in spec.inputs if one.kind in MEDIA}


def used_parameters(spec: TaskSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the app's defaults where they differ from the library's."""
    given = {name: value for name, value in (arguments.get("parameters") or {}).items() if value is not None}
    known = {one.name: one.default for one in spec.parameters}
    for name in given:
        if name not in known and name not in CUT:
            raise WorkbenchError(f"{spec.title} has no parameter {name!r}.", field=f"parameters.{name}")
    if spec.name == "text-classification":
        return {"top_k": None, **given}
    if known.get("do_sample") is False:
        given.setdefault("do_sample", any(name in given for name in SAMPLING))
    return {name: value for name, value in known.items() if value is not None} | given


def _dtype(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"dtype": str(arguments["dtype"])} if arguments.get("dtype") else {}


MODEL_VIEWS = {"pipeline": pipeline_snippet, "stages": stages_snippet, "generate": stages_snippet}
