"""The Python behind the playground: the pipeline, and its steps by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.snippets.code import Name, call, literal, model_id, origin, program, remark
from components.service.tasks import TaskSpec, find_task
from components.service.tasks.text import SAMPLING

#: What a result adds to its parameters where a text was cut.
_CUT = ("truncation", "max_length")


def pipeline_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """`pipeline(...)` called as the app called it.

    Args:
        arguments: `task`, `model`, `commit` (or `revision`), `inputs`, `parameters` and `dtype`, the last three as a
            result states them.
        endpoint: The Hub in use.
    """
    spec = find_task(arguments.get("task"))
    used = _parameters(spec, arguments)
    seed = used.pop("seed", None)
    if "stop" in used:
        used["stop_sequence"] = used.pop("stop")
    loaded = call("pipeline", spec.name, model=model_id(arguments), **origin(arguments), **_dtype(arguments))
    names = "pipeline" if seed is None else "pipeline, set_seed"
    return program(
        endpoint,
        [f"from transformers import {names}"],
        remark(arguments),
        f"pipe = {loaded}",
        "" if seed is None else call("set_seed", seed),
        f"result = {call('pipe', arguments.get('inputs'), **used)}\nprint(result)",
    )


def stages_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """The pipeline's steps by hand: Auto classes, tokenizer, model, and the way back. Arguments as above."""
    spec = find_task(arguments.get("task"))
    used = _parameters(spec, arguments)
    inputs = arguments.get("inputs")
    first = inputs[0] if isinstance(inputs, list) and inputs else inputs
    texts = [first[one.name] for one in spec.inputs if one.name in first] if isinstance(first, dict) else [first]
    names = [spec.auto_class, "AutoTokenizer", *(["set_seed"] if "seed" in used else [])]
    steps = _classify(texts, used) if spec.name == "text-classification" else _generate(texts[0], used)
    loading = [
        "model_id = " + literal(model_id(arguments)),
        "tokenizer = " + call("AutoTokenizer.from_pretrained", Name("model_id"), **origin(arguments)),
        "model = "
        + call(f"{spec.auto_class}.from_pretrained", Name("model_id"), **origin(arguments), **_dtype(arguments)),
    ]
    imports = ["import torch", f"from transformers import {', '.join(names)}"]
    return program(endpoint, imports, remark(arguments), "\n".join(loading), *steps)


def _classify(texts: list[Any], used: dict[str, Any]) -> list[str]:
    cut = {name: used[name] for name in _CUT if name in used}
    limit = "" if used.get("top_k") is None else f"[:{used['top_k']}]"
    scores = {
        "softmax": "logits.softmax(dim=-1)[0]",
        "sigmoid": "logits.sigmoid()[0]",
        "none": "logits[0]",
        None: "(logits.sigmoid() if model.config.num_labels == 1 else logits.softmax(dim=-1))[0]",
    }[used.get("function_to_apply")]
    return [
        "# preprocess: from the text to ids, shape (batch, sequence)\n"
        f"inputs = {call('tokenizer', *texts, return_tensors='pt', **cut)}\n"
        'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])',
        "# forward: from ids to one logit for each label, shape (batch, labels)\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits\nprint(logits)",
        "# postprocess: from logits to scores\n"
        f"scores = {scores}.tolist()\n"
        'result = [{"label": model.config.id2label[i], "score": s} for i, s in enumerate(scores)]\n'
        f'result = sorted(result, key=lambda one: one["score"], reverse=True){limit}\nprint(result)',
    ]


def _generate(prompt: Any, used: dict[str, Any]) -> list[str]:
    seed, stop, whole = used.pop("seed", None), used.pop("stop", None), used.pop("return_full_text", True)
    if stop:
        used |= {"stop_strings": stop, "tokenizer": Name("tokenizer")}
    asked: dict[str, Any] = {
        "input_ids": Name('inputs["input_ids"]'),
        "attention_mask": Name('inputs["attention_mask"]'),
    }
    seeded = "" if seed is None else call("set_seed", seed) + "\n"
    text = "prompt + text" if whole else "text"
    return [
        "# preprocess: from the prompt to ids, shape (batch, sequence)\n"
        f'prompt = {literal(prompt)}\ninputs = tokenizer(prompt, return_tensors="pt")\n'
        'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])',
        "# what the model takes for likely to come next\n"
        f"with torch.no_grad():\n    logits = {call('model', **asked, indent=4)}.logits[0, -1]\n"
        "best = logits.softmax(dim=-1).topk(min(10, len(logits)))\n"
        "for probability, number in zip(best.values.tolist(), best.indices.tolist()):\n"
        '    print(f"{probability:.4f}", repr(tokenizer.decode([number])))',
        "# forward: generate calls the model once for each new token\n"
        f"{seeded}output_ids = {call('model.generate', **asked, **used)}\nprint(output_ids)",
        "# postprocess: from the new ids back to text\n"
        'new_ids = output_ids[:, inputs["input_ids"].shape[1] :]\n'
        "texts = tokenizer.batch_decode(new_ids, skip_special_tokens=True)\n"
        f'result = [{{"generated_text": {text}}} for text in texts]\nprint(result)',
    ]


def _parameters(spec: TaskSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the app's defaults where they differ from the library's."""
    given = {name: value for name, value in (arguments.get("parameters") or {}).items() if value is not None}
    known = {one.name: one.default for one in spec.parameters}
    for name in given:
        if name not in known and name not in _CUT:
            raise WorkbenchError(f"{spec.title} has no parameter {name!r}.", field=f"parameters.{name}")
    if spec.name == "text-classification":
        return {"top_k": None, **given}
    given.setdefault("do_sample", any(name in given for name in SAMPLING))
    return {name: value for name, value in known.items() if value is not None} | given


def _dtype(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"dtype": str(arguments["dtype"])} if arguments.get("dtype") else {}


MODEL_VIEWS = {"pipeline": pipeline_snippet, "stages": stages_snippet, "generate": stages_snippet}
