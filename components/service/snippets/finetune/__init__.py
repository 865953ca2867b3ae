"""The script that does what a run does: the same rows in the same order, the same settings, the same figures."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from components.service.snippets.code import Name, call, literal, program
from components.service.snippets.finetune import adapter, loop, trainer
from components.service.snippets.finetune.asked import FACTS, plan_of
from components.service.snippets.finetune.chats import text_generation
from components.service.snippets.finetune.labels import text_classification
from components.service.snippets.finetune.language import language
from components.service.snippets.finetune.pictures import image_classification
from components.service.snippets.finetune.question_answering import question_answering
from components.service.snippets.finetune.reading import loading, splitting
from components.service.snippets.finetune.recipe import Plan, Recipe
from components.service.snippets.finetune.tokens import token_classification
from components.service.snippets.finetune.writing import summarization, translation

__all__ = ["FACTS", "FINETUNE_VIEWS", "finetune_snippet", "loop_snippet"]

_RECIPES: dict[str, Callable[[Plan], Recipe]] = {
    "text-classification": text_classification,
    "token-classification": token_classification,
    "question-answering": question_answering,
    "text-generation": text_generation,
    "fill-mask": language,
    "image-classification": image_classification,
    "summarization": summarization,
    "translation": translation,
}


def finetune_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A run with `transformers.Trainer`.

    Args:
        arguments: `spec`, `dtype` and `labels` as the run's state gives them, and of its facts those of `FACTS`, which
            are what it took for what the spec leaves open (or the spec itself).
        endpoint: The Hub in use.

    Raises:
        WorkbenchError: A setting or a fact is not what it must be, or there is no script for such a run.
    """
    return _script(plan_of(arguments, plain=False), endpoint)


def loop_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A run as a plain PyTorch loop; see `finetune_snippet`."""
    return _script(plan_of(arguments, plain=True), endpoint)


def _script(plan: Plan, endpoint: str) -> str:
    recipe = _RECIPES[plan.task](plan)
    load, reading = loading(plan)
    split, splits = splitting(recipe, plan)
    way = loop.names() if plan.plain else trainer.names(plan, recipe)
    libraries = [*reading, *splits, *recipe.imports, "import torch", *(adapter.IMPORTS if plan.lora else [])]
    if plan.plain:
        libraries += loop.imports(plan, recipe)
    train = loop.with_loop(plan, recipe) if plan.plain else trainer.with_trainer(plan, recipe)
    parts = [load, recipe.rows, split, recipe.model, adapter.wrapping(plan), recipe.inputs, train]
    imports = _imports(libraries, {*recipe.names, *way, "set_seed"})
    return _spaced(program(endpoint, imports, _constants(plan, recipe, held_out="VALIDATION" in split), *parts))


def _spaced(code: str) -> str:
    """The program with two empty lines after each function, and nowhere more."""
    return re.sub(r"\n{4,}", "\n\n\n", re.sub(r"(\n    [^\n]*)\n\n(?=\S)", r"\1\n\n\n", code))


def _imports(lines: Iterable[str], names: Iterable[str]) -> list[str]:
    """Lines of imports in two groups, each in the order of its modules; `names` are of transformers."""
    wanted = {"transformers": {*names}}
    whole = {line for line in lines if line.startswith("import ")}
    for line in {*lines} - whole:
        module, _, listed = line.removeprefix("from ").partition(" import ")
        wanted.setdefault(module, set()).update(listed.split(", "))
    both = [*sorted(whole), *(_import(module, sorted(wanted[module])) for module in sorted(wanted, key=str.lower))]
    standard = [line for line in both if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    return [*standard, "", *(line for line in both if line not in standard)]


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= 88 else call(f"from {module} import ", *map(Name, names))


def _constants(plan: Plan, recipe: Recipe, *, held_out: bool) -> str:
    spec = plan.spec
    here = str(spec["model"]).startswith("runs/")
    values = {
        "MODEL": spec["model"],
        "REVISION": None if here else spec["revision"],
        **recipe.columns,
        **({"LABELS": plan.labels} if plan.labels and "LABELS" in recipe.model else {}),
        **({"MAX_LENGTH": _longest(plan, recipe)} if recipe.lengths else {}),
        **recipe.constants,
        **({"VALIDATION": spec["validation"]} if held_out else {}),
        "SEED": spec["seed"],
    }
    note = ["# This run is on no Hub yet: publish it, and put the repository's id here."] if here else []
    return "\n".join([*note, *(f"{name} = {literal(value)}" for name, value in values.items())])


def _longest(plan: Plan, recipe: Recipe) -> Any:
    """Tokens that a sequence has at most: as many as the run found that its model can take, where that is known."""
    return plan.facts.get("max_length") or plan.spec["max_length"] or recipe.lengths


#: The views of this package.
FINETUNE_VIEWS: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    "finetune": finetune_snippet,
    "finetune_loop": loop_snippet,
}
