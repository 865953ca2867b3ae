"""What a script is asked for, held to what a run may be asked for before any of it becomes code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any

from components.service.runs.checks import refuse
from components.service.runs.spec import RunSpec
from components.service.settings import Settings
from components.service.snippets.finetune.recipe import Plan

#: What each fact of a run that its script is written from is.
_FACTS: dict[str, tuple[type, str]] = {
    "problem": (str, "a text"),
    "columns": (dict, "an object"),
    "max_length": (int, "a whole number"),
    "prefix": (str, "a text"),
    "languages": (list, "a list"),
    "first_token": (str, "a text"),
    "first_token_by": (str, "a text"),
    "bleu_tokenizer": (str, "a text"),
    "max_target_length": (int, "a whole number"),
    "most_pixels": (int, "a whole number"),
    "validation_given": (bool, "true or false"),
    "splits": (dict, "an object"),
    "reading": (dict, "an object"),
    "data_files": (dict, "an object"),
}
FACTS = tuple(_FACTS)
_SETTINGS = frozenset(one.name for one in fields(RunSpec))
#: A script runs wherever its reader likes, so no machine's limits are its own.
_LIMITS = Settings(
    home=Path(), cache=Path(), epochs=10**6, batch_size=10**6, sequence_tokens=10**7, data_rows=10**12
)  # fmt: skip


def plan_of(arguments: Mapping[str, Any], *, plain: bool) -> Plan:
    """What a script is to do.

    Args:
        arguments: As `finetune_snippet` takes them.
        plain: Whether it is to be a plain PyTorch loop.

    Raises:
        WorkbenchError: A setting or a fact is not what it must be; `field` says which.
    """
    bare = "spec" not in arguments
    facts = _facts({name: arguments[name] for name in FACTS if name in arguments and not (bare and name in _SETTINGS)})
    beside = {"dtype", "labels", *facts}
    given = {name: value for name, value in arguments.items() if name not in beside} if bare else arguments["spec"]
    if isinstance(given, Mapping) and not given.get("columns") and facts.get("columns"):
        given = {**given, "columns": facts["columns"]}
    spec = RunSpec.from_dict(given, _LIMITS)
    labels = arguments.get("labels")
    if not isinstance(labels, list | None) or not all(isinstance(label, str) for label in labels or ()):
        raise refuse("Labels are a list of texts.", "labels")
    problem = facts.get("problem") or spec.problem
    dtype = str(arguments.get("dtype") or spec.precision)
    return Plan(spec.to_dict(), dtype, labels or [], "single" if problem == "auto" else problem, plain, facts)


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    for name, value in facts.items():
        kind, wanted = _FACTS[name]
        if type(value) not in (kind, NoneType):
            raise refuse(f"What a run has found out as {name} is {wanted}.", name)
    for name, some in (("languages", facts.get("languages")), ("splits", (facts.get("splits") or {}).values())):
        if not all(isinstance(one, str | None) for one in some or ()):
            raise refuse(f"What a run has found out as {name} are texts.", name)
    for file, form in (facts.get("reading") or {}).items():
        if not isinstance(form, dict) or not all(map(_fits, form.items())):
            raise refuse(f"How the run read {str(file)[:80]} is not told as it must be.", "reading")
    for files in (facts.get("data_files") or {}).values():
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise refuse("The files of each split are a list of texts.", "data_files")
    if facts.get("first_token_by") not in (None, "forced_bos_token_id", "decoder_start_token_id"):
        raise refuse("A language is told by forced_bos_token_id or decoder_start_token_id.", "first_token_by")
    if facts.get("problem") not in (None, "", "single", "multi", "regression"):
        raise refuse("The problem of a run is single, multi or regression.", "problem")
    return facts


def _fits(told: tuple[str, Any]) -> bool:
    """Whether an option of a reader is what `Table.forms` may hold: texts, a number, nothing, or names of columns."""
    name, value = told
    names = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name == "drawn":
        return isinstance(value, int)
    return isinstance(name, str) and (names or isinstance(value, str | int | None))
