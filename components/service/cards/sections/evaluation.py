"""What was measured, on which rows, and what came out: beside what there was to beat, each epoch, each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.service.cards.facts import Metric, Note, Recorded, interval, noted_table
from components.service.cards.markdown import bullets, cell, code
from components.service.cards.sections.data import held_out
from components.service.cards.sections.description import baselines

#: Evaluations, labels, and labels of a confusion matrix that are shown.
EVALUATIONS, LABELS, CONFUSED = 30, 50, 20
_HOW = {
    "single": "The likeliest label is the answer, however likely it is.",
    "multi": "Each label is answered from a probability of 0.5 on.",
    "token-classification": "Each word's likeliest tag is the answer, however likely it is.",
    "image-classification": "The likeliest label is the answer, however likely it is.",
    "question-answering": "The best piece of the context is the answer, however likely it is",
}


def metrics(run: Recorded, note: Note) -> str:
    """On which rows it was measured, and what each metric means."""
    means = [f"**{metric.title}**: {_means(run, metric)}" for metric in run.metrics]
    how = "Intervals are of 95 %: " + _intervals(run) if any(_bands(run)) else ""
    listed = bullets(means) + (f"\n\n{how}" if how else "")
    return f"### Evaluation data\n\n{_where(run, note)}\n\n### Metrics\n\n{listed}\n\n### Factors"


def _where(run: Recorded, note: Note) -> str:
    given = run.facts.get("validation_given")
    called = code(run.facts.get("splits", {}).get("validation") or "validation")
    where = f"the split {called} that came with the data" if given else f"rows of train ({held_out(run)})"
    counted = f"{run.rows.get('validation', 0):,} rows"
    often = f"every {run.spec['every']} steps" if run.spec.get("evaluate") == "steps" else "after each epoch"
    said = [note(f"Measured {often} on {where}: {counted}.", "facts.rows.validation")]
    if run.chosen_by_validation:
        said.append(note("These rows chose the weights that are kept, so their figures are a little too good.",
                         "results.best_step"))  # fmt: skip
    if run.results.get("test"):
        test = code(run.facts.get("splits", {}).get("test") or "test")
        counted = f"{run.rows.get('test', 0):,} rows"
        said.append(
            note(f"Measured once more, when training was over, on the split {test}: {counted}.", "facts.rows.test")
        )
    return " ".join(said)


def _means(run: Recorded, metric: Metric) -> str:
    if metric.name == "bleu" and run.facts.get("bleu_tokenizer"):
        return f"{metric.means} Texts are cut into words by its tokenizer {code(run.facts['bleu_tokenizer'])}."
    return metric.means


def _bands(run: Recorded) -> list[tuple[float, float]]:
    found = (interval(run.results["final"], metric.name) for metric in run.metrics)
    return [band for band in found if band]


def _intervals(run: Recorded) -> str:
    names = {metric.name for metric in run.metrics}
    if run.kind in ("single", "multi", "image-classification") and "accuracy" in names:
        return "of accuracy by Wilson's formula, of the others by drawing the rows anew 500 times."
    what = {"text-generation": "blocks", "fill-mask": "blocks"}.get(run.task, "rows")
    what = "chats" if run.chats else what
    return f"by drawing the {what} anew 500 times."


def results(run: Recorded, note: Note) -> str:
    """Figures with their intervals beside what there was to beat; each epoch, each label, each threshold."""
    parts = [
        _figures(run, note),
        _epochs(run, note),
        _classes(run, note),
        _confusion(run, note),
        _thresholds(run, note),
    ]
    return "\n\n".join(filter(None, parts))


def _figures(run: Recorded, note: Note) -> str:
    """Metrics down, and across: test split, validation rows, before training, and what needs no model."""
    columns: list[tuple[str, str, Mapping[str, Any]]] = [
        ("Test split", "test", run.results.get("test") or {}),
        ("Validation rows", "final", run.results.get("final") or {}),
        ("Before training", "untrained", run.results.get("untrained") or {}),
        *((label, f"baselines.{key}", figures) for key, label, figures in baselines(run)),
    ]
    columns = [column for column in columns if any(column[2].get(metric.name) is not None for metric in run.metrics)]
    rows = []
    for metric in run.metrics:
        facts = ", ".join(f"{key}.{metric.name}" for _, key, figures in columns if figures.get(metric.name) is not None)
        rows.append(((metric.title, *(_figure(figures, metric.name) for _, _, figures in columns)), facts))
    told = noted_table(note, ("", *(title for title, _, _ in columns)), rows)
    others = {key for _, key, _ in columns} - {"test", "final"}
    without = " and without a model" if others - {"untrained"} else ""
    under = f"Before training{without}: on the validation rows." if others else ""
    return f"{told}\n\n{under}".strip()


def _figure(figures: Mapping[str, Any], name: str) -> str:
    value = figures.get(name)
    if value is None:
        return ""
    band = interval(figures, name)
    return cell(float(value)) + (f" ({cell(float(band[0]))} to {cell(float(band[1]))})" if band else "")


def _epochs(run: Recorded, note: Note) -> str:
    """Every evaluation with the training loss that was logged last before it."""
    every: Sequence[Mapping[str, Any]] = run.state.get("eval", [])
    if not every:
        return ""
    each = -(-len(every) // EVALUATIONS)
    kept = [
        entry
        for number, entry in enumerate(every)
        if (len(every) - 1 - number) % each == 0 or entry["step"] == run.results.get("best_step")
    ]
    train = run.state.get("train", [])
    names = [metric for metric in run.metrics if any(entry.get(metric.name) is not None for entry in kept)]
    rows = []
    for entry in kept:
        losses = [one["loss"] for one in train if one["step"] <= entry["step"]]
        figures = [None if entry.get(metric.name) is None else float(entry[metric.name]) for metric in names]
        cells = (f"{entry['epoch']:.4g}", str(entry["step"]), losses[-1] if losses else None, *figures)
        rows.append((cells, f"eval at step {entry['step']}"))
    head = ("Epoch", "Step", "Training loss", *(metric.title for metric in names))
    left = f" One in {each} of the {len(every)} evaluations is shown." if each > 1 else ""
    return f"### Each evaluation\n\nOn the validation rows.{left}\n\n{noted_table(note, head, rows)}"


def _classes(run: Recorded, note: Note) -> str:
    found = run.results.get("per_class")
    if not found:
        return ""
    entities = run.task == "token-classification"
    rows = [
        ((code(one["label"]), *(float(one[name]) for name in ("precision", "recall", "f1")), str(one["support"])),
         f"results.per_class[{number}]")
        for number, one in enumerate(found[:LABELS])
    ]  # fmt: skip
    head = ("Type of entity" if entities else "Label", "Precision", "Recall", "F1", "Entities" if entities else "Rows")
    left = f" {len(found) - LABELS:,} more are left out." if len(found) > LABELS else ""
    title = "Each type of entity" if entities else "Each label"
    return f"### {title}\n\nOn the validation rows.{left}\n\n{noted_table(note, head, rows)}"


def _confusion(run: Recorded, note: Note) -> str:
    matrix, labels = run.results.get("confusion"), run.state["labels"]
    if not matrix or len(labels) > CONFUSED or len(matrix) != len(labels):
        return ""
    rows = [
        ((code(label), *(f"{count:,}" for count in counts)), f"results.confusion[{number}]")
        for number, (label, counts) in enumerate(zip(labels, matrix, strict=True))
    ]
    what = "Words" if run.task == "token-classification" else "Validation rows"
    told = noted_table(note, ("", *(code(label) for label in labels)), rows)
    return f"### Confusion matrix\n\n{what} by their label (down) and what the model answered (across).\n\n{told}"


def _thresholds(run: Recorded, note: Note) -> str:
    """From which probability on something is answered, and what other thresholds would give."""
    kind = "single" if run.task == "image-classification" else run.kind
    how = _HOW.get(kind)
    if how is None:
        return ""
    if run.task == "question-answering":
        how += ", unless no answer is likelier still." if run.facts.get("unanswered") else "."
    found = run.results.get("thresholds")
    if not found:
        return f"### Decision threshold\n\n{how}"
    if kind == "multi":
        other = "Another threshold for all labels"
    else:
        how = "The likelier label is the answer, so the decision threshold is 0.5."
        other = f"Answering {code(run.state['labels'][1])} from another probability on"
    names = ("precision", "recall", "f1", "accuracy")
    rows = [
        ((f"{one['threshold']:g}", *(float(one[name]) for name in names)), f"results.thresholds[{number}]")
        for number, one in enumerate(found)
    ]
    told = noted_table(note, ("Threshold", "Precision", "Recall", "F1", "Accuracy"), rows)
    mean = " (means over the labels)" if kind == "multi" else ""
    return f"### Decision threshold\n\n{how} {other} would give, on the validation rows{mean}:\n\n{told}"
