"""What is wrong between the splits, and how the rows are held out where there is no validation split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.service.runs.remedies import input_key, labels_of
from components.service.runs.spec import RunSpec
from components.service.worker.columns import shorten
from components.service.worker.doctor.looked import Finding, Looked
from components.service.worker.findings import count, finding


def about_splits(looked: Looked) -> Iterator[Finding]:
    """Rows that are both trained and evaluated on, labels that cannot be known, no validation split."""
    splits = looked.read.splits
    seen = {input_key(row) for row in looked.train} if len(splits) > 1 else set()
    known = {label for row in looked.train for label in labels_of(row)}
    for name, rows in splits.items():
        if name == "train":
            continue
        both = sum(input_key(row) in seen for row in rows)
        if both:
            message = f"{looked.things(both)} of {name} also {'stands' if both == 1 else 'stand'} in train."
            yield looked.treated(
                finding("warning", message, "Figures measured on them are too good."),
                "drop_leaks",
                "Take them out of train",
                lambda n: f"Leaves out {count(n, 'row', 'rows')} of train; what is evaluated on stays whole.",
            )
        yield from _unknown(looked, name, rows, known)
        yield from _absent(looked, name)
    if not splits.get("validation"):
        yield finding("info", "There is no validation split.", f"{held_out(looked.spec, looked)} to evaluate on.")
    yield from _shared(looked)


def _shared(looked: Looked) -> Iterator[Finding]:
    """Questions that are evaluated on and are about a context that is trained on, too."""
    rows = looked.rows
    if rows is None:
        return
    for name, number in rows.shared_contexts().items():
        message = f"{looked.things(number)} of {name} {'is' if number == 1 else 'are'} about a context in train."
        fix = "Figures measured on them are likely too good."
        if name == "validation" and not rows.given:
            message = f"There are too few contexts to hold whole ones out, so rows are held out singly. {message}"
            fix += " Add rows about other contexts, or a validation split."
        yield finding("warning", message, fix, "columns.context")


def _unknown(looked: Looked, name: str, rows: list[dict[str, Any]], known: set[str]) -> Iterator[Finding]:
    unknown = {label for row in rows for label in labels_of(row)} - known
    if not unknown or not known:
        return
    listed = ", ".join(shorten(label, 40) for label in sorted(unknown)[:5])
    message = f"{name} has labels that train has not: {listed}{' …' if len(unknown) > 5 else ''}."
    yield looked.treated(
        finding("warning", message, "Add such rows to train, or correct the labels.", "columns.label"),
        "drop_unknown_labels",
        "Leave them out",
        lambda n: f"Leaves out {count(n, 'row', 'rows')} of what is evaluated on.",
    )


def _absent(looked: Looked, name: str) -> Iterator[Finding]:
    """A column that train has and another split has not; uploads that are to be evaluated on are refused for it."""
    absent = looked.read.absent.get(name)
    if absent and not (name == "validation" and "files" in looked.spec.data):
        message = f"{name} has no column {absent[0]}, which train has, so none of its rows is used."
        yield finding("warning", message, "Call the columns of all splits alike.")


def held_out(spec: RunSpec, looked: Looked) -> str:
    """How rows are held out, as a sentence without its end: `20 % of the rows of each label are held out`."""
    of_each, spread = "", ""
    if looked.read.problem == "regression":
        of_each, spread = " of each tenth of the numbers", ", spread over the labels,"
    elif {"label", "tags"} & looked.read.columns.keys():
        of_each, spread = " of each label", ", spread over the labels,"
    elif "context" in looked.read.columns and looked.rows and not looked.rows.shared_contexts():
        of_each = spread = ", all of a context together,"
    if spec.validation > 1:
        return f"{spec.validation:,.0f} rows{spread} are held out"
    share = "A fifth" if spec.validation == 0.2 else f"{100 * spec.validation:g} %"
    return f"{share} of the rows{of_each} is held out"


def split(looked: Looked) -> dict[str, Any] | None:
    """Rows of each split as a run would have them: `{train, validation, test, how, fingerprint}`."""
    rows = looked.rows
    if rows is None:
        return None
    how = "The data has a validation split of its own."
    if not rows.given:
        how = f"{held_out(looked.spec, looked)}, drawn with seed {looked.spec.seed}."
    return {
        "train": len(rows.train),
        "validation": len(rows.validation),
        "test": len(rows.test),
        "how": how,
        "fingerprint": rows.fingerprint(),
    }
