"""The part of a script that treats its rows as the run did, before any are held out: the data doctor's remedies."""

from __future__ import annotations

from components.service.runs.checks import REMEDIES
from components.service.snippets.code import literal
from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.recipe import Plan

_MODULE = "components.service.runs.remedies"


def curing(plan: Plan, *, own: bool) -> tuple[str, list[str]]:
    """Defines `train` and `validation` of the rows that the remedies leave, and what must be imported; or nothing.

    Args:
        own: Whether the data has splits of its own.
    """
    asked = [name for name in REMEDIES if name in plan.spec["remedies"]]
    if not asked:
        return "", []
    if plan.task != "question-answering":
        # No answers have a place in the texts.
        asked = ["mend_texts" if name == "mend_encoding" else name for name in asked]
    functions, imports = inlined(_MODULE, *asked)
    listed = f"({', '.join(asked)},)" if len(asked) == 1 else f"({', '.join(asked)})"
    parted = (_KNOWN if plan.given else _GIVEN) if own else _HELD_OUT
    cured = _CURED.format(splits=_splits(plan) if own else _ONE_SPLIT, remedies=listed, parted=parted)
    return f"\n{functions}\n\n{cured}", imports


def _splits(plan: Plan) -> str:
    """The rows by split, of those that there are."""
    trained = plan.trained
    if known := "dataset" in plan.spec["data"] and plan.facts.get("splits"):
        named = {name: trained if name == "train" else called for name, called in known.items()}
        return (
            f"{{{', '.join(f'{literal(name)}: rows_of(data[{literal(called)}])' for name, called in named.items())}}}"
        )
    if trained == "train":
        return _SPLITS.format(names=("train", "validation", "test")).replace("'", '"')
    others = tuple(name for name in ("validation", "test") if name != trained)
    read = _SPLITS.format(names=others).replace("'", '"')
    return f'{{"train": rows_of(data[{literal(trained)}])}} | {read}'


_SPLITS = "{{name: rows_of(data[name]) for name in {names} if name in data}}"
_ONE_SPLIT = '{"train": rows_of(data["train"])}'

_CURED = """splits = {splits}
for remedy in {remedies}:
    splits, number = remedy(splits)
    print(f"{{remedy.__name__}}: {{number}} rows")
{parted}"""

_GIVEN = """train, validation = splits["train"], splits.get("validation")
if not validation:
    train, validation = hold_out(train)"""

_KNOWN = 'train, validation = splits["train"], splits["validation"]'
_HELD_OUT = 'train, validation = hold_out(splits["train"])'
