"""How a script reads labels, and holds rows out."""

from __future__ import annotations

import inspect

from components.service.errors import WorkbenchError
from components.service.runs.cells import number_value
from components.service.runs.splits import split_groups, split_rows, strata
from components.service.snippets.code import literal
from components.service.snippets.finetune import tables
from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.recipe import Plan, Recipe
from components.service.snippets.finetune.remedies import curing
from components.service.snippets.finetune.tables import has_images, of_texts
from components.service.snippets.finetune.uploads import in_splits, uploaded
from components.service.worker.columns import label_name

_HASHABLE = "from collections.abc import Hashable, Sequence"


def loading(plan: Plan) -> tuple[str, list[str]]:
    """How the data is read, and what must be imported for it."""
    load, imports = uploaded(plan) if has_images(plan.spec["data"]) else tables.loading(plan)
    drawn = {name: form["drawn"] for name, form in (plan.facts.get("reading") or {}).items() if "drawn" in form}
    notes = [
        f"# The run took {number:,} rows of {literal(name)}, drawn at random; here are all."
        for name, number in drawn.items()
    ]
    return "\n".join([*notes, load]), imports


def label_reading(plan: Plan, column: str) -> tuple[str, str, str, list[str]]:
    """How a label is read: functions, a line before the loop, an expression of `row`, and imports."""
    texts, cell = of_texts(plan.spec["data"]), f"row[{column}]"
    if plan.problem == "regression":
        return f"\n{inspect.getsource(number_value)}\n", "", f"number_value({cell})", ["import math", _ANY]
    if texts:
        single = plan.problem == "single"
        return ("", "", f"{cell}.strip()", []) if single else (_PARTED, "", f"split_labels({cell})", _RE)
    if plan.problem == "single":
        line = f'    names = getattr(split.features[{column}], "names", None) or []\n'
        return f"\n{inspect.getsource(label_name)}\n", line, f"label_name({cell}, names)", [_HASHABLE, _ANY]
    line = f'    names = getattr(getattr(split.features[{column}], "feature", None), "names", None) or []\n'
    functions = f"\n{inspect.getsource(label_name)}\n{_LISTED}"
    return functions, line, f"split_labels({cell}, names)", ["import re", _HASHABLE, _ANY]


def splitting(recipe: Recipe, plan: Plan) -> tuple[str, list[str]]:
    """Defines `train` and `validation`, and `labels` where there are any and the plan does not name them."""
    own = "dataset" in plan.spec["data"] or in_splits(plan.spec["data"])
    held_out, imports = ([], []) if own and plan.given else _holding_out(recipe, plan)
    cured, more = curing(plan, own=own)
    parts = [*held_out, cured or _read(plan, own=own)]
    imports += more
    role = "tags" if "TAGS" in recipe.columns else "label"
    kind = plan.problem if role == "label" else "multi"
    if "LABELS" in recipe.inputs + recipe.model and not plan.labels:
        if own:
            raise WorkbenchError("The labels are known once the run has read its data: ask again then.", field="labels")
        ordering, more = inlined("components.service.worker.columns", "order_labels")
        imports += more
        parts += [ordering, _LABELS.replace("LABEL_OF", _EACH_LABEL[kind].replace("ROLE", f'"{role}"'))]
    return "\n\n".join(parts), imports


def _read(plan: Plan, *, own: bool) -> str:
    """Reads `train` and `validation`; `own` as of `curing`."""
    if own and plan.given:
        train, validation = literal(plan.trained), literal(plan.called("validation"))
        return f"\ntrain = rows_of(data[{train}])\nvalidation = rows_of(data[{validation}])"
    given = _GIVEN if own and plan.trained != "validation" else _ONE_FILE
    return given.replace('data["train"]', f"data[{literal(plan.trained)}]")


def _holding_out(recipe: Recipe, plan: Plan) -> tuple[list[str], list[str]]:
    """Defines `hold_out`; and what must be imported for it."""
    if recipe.group == "None":
        # Of one group `split_rows` holds out just these.
        number = "max(1, round(VALIDATION * len(rows)))" if plan.spec["validation"] < 1 else "int(VALIDATION)"
        return [_SHUFFLED.replace("NUMBER", number)], ["import random"]
    several = recipe.group == "strata"
    functions = (split_groups,) if recipe.whole else (strata, split_rows) if several else (split_rows,)
    sources = [inspect.getsource(function).rstrip() for function in functions]
    imports = ["import random", _HASHABLE, *(["from collections import Counter", _ANY] if several else [])]
    role = "tags" if "TAGS" in recipe.columns else "label"
    group = f'strata([row["{role}"] for row in rows])' if several else f"[{recipe.group} for row in rows]"
    held_out = _HELD_OUT.replace("split_rows", functions[-1].__name__).replace("GROUP", group)
    if plan.task == "image-classification":
        held_out = held_out.replace("repr(row)", "tuple(row.values())")  # the text of an image is long
    return [*(f"\n{source}" for source in sources), held_out], imports


_ANY = "from typing import Any"
_RE = ["import ast", "import re"]
_EACH_LABEL = {
    "single": 'row["label"] for row in train + validation',
    "multi": "label for row in train + validation for label in row[ROLE]",
}

_PARTED = '''
def split_labels(cell):
    """The labels of a cell, each once: a list, or with `;`, `|` or `,` between them; of an empty one `None`."""
    if not cell.strip():
        return None
    parts = ast.literal_eval(cell) if cell.startswith("[") else re.split(r"\\s*[;|,]\\s*", cell.strip())
    return list(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))

'''

_LISTED = '''
def split_labels(cell, names):
    """The labels of a cell, each once: a list, or with `;`, `|` or `,` between them; of an empty one `None`."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    parts = re.split(r"\\s*[;|,]\\s*", cell.strip()) if isinstance(cell, str) else cell
    return list(dict.fromkeys(label for label in (label_name(part, names) for part in parts) if label))

'''

_HELD_OUT = '''
def hold_out(rows):
    """Rows to train on, and rows to evaluate on; a row that occurs twice could be in both."""
    rows = list({repr(row): row for row in reversed(rows)}.values())[::-1]
    kept, held = split_rows(GROUP, VALIDATION, SEED)
    return [rows[i] for i in kept], [rows[i] for i in held]'''

_SHUFFLED = '''
def hold_out(rows):
    """Rows to train on, and rows to evaluate on; a row that occurs twice could be in both."""
    rows = list({repr(row): row for row in reversed(rows)}.values())[::-1]
    order = list(range(len(rows)))
    random.Random(SEED).shuffle(order)
    held = {*order[: min(NUMBER, len(rows) - 1)]}
    return [row for i, row in enumerate(rows) if i not in held], [rows[i] for i in sorted(held)]'''

_GIVEN = """
train = rows_of(data["train"])
if "validation" in data:
    validation = rows_of(data["validation"])
else:
    train, validation = hold_out(train)"""

_ONE_FILE = """
train, validation = hold_out(rows_of(data["train"]))"""

_LABELS = """
LABELS = order_labels({LABEL_OF})"""
