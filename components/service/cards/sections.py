"""The parts of a run's card that are filled from its record, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

MARKUP = str.maketrans({"|": "\\|", "<": "&lt;", "`": "'", "\n": " ", "\r": " ", "[": "\\[", "]": "\\]"})
CODE = str.maketrans({"|": "\\|", "`": "'", "\n": " ", "\r": " "})
State = Mapping[str, Any]
#: The figures of an evaluation that people read, with their names.
FIGURES = {"loss": "Loss", "accuracy": "Accuracy", "f1": "Macro F1", "perplexity": "Perplexity"}


def plain(value: Any) -> str:
    """A stranger's text as Markdown that shows it and nothing else."""
    return str(value).translate(MARKUP)[:200]


def code(value: Any) -> str:
    """A stranger's text as Markdown code, safe in a table."""
    return "`" + str(value).translate(CODE)[:200] + "`"


def file_name(data: Mapping[str, Any]) -> str:
    """The name of an uploaded file, as its owner knows it."""
    return Path(str(data.get("name") or data.get("file") or "pasted rows")).name


def base_name(model: str) -> str:
    """The id of the model that a run started from; of a folder on somebody's machine its own name only."""
    return Path(model).name if Path(model).is_absolute() else model


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; figures are rounded to four places."""
    lines = [head, ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"
    return "" if value is None else str(value)


def usage_section(state: State, repo: str) -> str:
    """Code that runs once the model is in its repository."""
    task = state["spec"]["task"]
    samples = state["spec"].get("samples") or []
    example = {"text-classification": "This is a text.", "text-generation": "Once upon a time"}.get(task)
    text = samples[0] if samples else example or "Paris is the [MASK] of France."
    argument = repr(text)
    if state["spec"].get("columns", {}).get("text_pair"):
        argument = f'{{"text": {text!r}, "text_pair": "This is the second text."}}'
    head = {
        "text-classification": "AutoModelForSequenceClassification",
        "text-generation": "AutoModelForCausalLM",
        "fill-mask": "AutoModelForMaskedLM",
    }[task]
    last = {
        "text-classification": "    logits = model(**inputs).logits\nprint(logits.softmax(-1))",
        "text-generation": "    ids = model.generate(**inputs, max_new_tokens=40)\nprint(tokenizer.decode(ids[0]))",
        "fill-mask": "    logits = model(**inputs).logits\nprint(tokenizer.decode(logits[0].argmax(-1)))",
    }[task]
    return (
        f"```python\nfrom transformers import pipeline\n\npipe = pipeline({task!r}, model={repo!r})\n"
        f"print(pipe({argument}))\n```\n\nThe same with tokenizer and model:\n\n"
        f"```python\nimport torch\nfrom transformers import AutoTokenizer, {head}\n\n"
        f"tokenizer = AutoTokenizer.from_pretrained({repo!r})\nmodel = {head}.from_pretrained({repo!r})\n"
        f'inputs = tokenizer({text!r}, return_tensors="pt")\nwith torch.no_grad():\n{last}\n```'
    )


def data_section(state: State) -> str:
    """Where the rows come from, how many there are, and what they hold."""
    spec, facts = state["spec"], state["facts"]
    data = spec["data"]
    source = code(data["dataset"]) if data.get("dataset") else f"a file, {code(file_name(data))}"
    rows = [("Source", source)]
    rows += [(name.title(), code(data[name])) for name in ("config", "revision") if data.get(name)]
    rows += [(f"Column of the {role}", code(name)) for role, name in facts.get("columns", {}).items()]
    rows += [(f"Rows for {split}", f"{count:,}") for split, count in facts.get("rows", {}).items()]
    rows.append(("Fingerprint of the rows", code(facts.get("data_fingerprint"))))
    if not facts.get("validation_given"):
        kind = "of each label " if state["labels"] else ""
        held = spec["validation"]
        much = f"{100 * held:g} % {kind}" if held < 1 else f"{held:,.0f} rows "
        rows.append(("Validation", f"{much}held out with seed {spec['seed']}"))
    left_out = facts.get("dropped", 0), facts.get("duplicates", 0)
    rows.append(("Left out", f"{left_out[0]:,} rows without text or label, {left_out[1]:,} exact repeats"))
    text = table(("", ""), rows)
    counts = facts.get("label_counts", {})
    if state["labels"] and counts:
        head = ("Label", *counts)
        cells = [(code(label), *(f"{counts[s].get(label, 0):,}" for s in counts)) for label in state["labels"][:50]]
        text += f"\n\n{table(head, cells)}"
    return text


def procedure_section(state: State) -> str:
    """How it was trained: steps before and after, hyperparameters, machine, versions, time."""
    spec, facts = state["spec"], state["facts"]
    classifies = spec["task"] == "text-classification"
    length = facts.get("max_length")
    before = (
        f"Texts are tokenized with the model's own tokenizer and cut at {length} tokens; a batch holds texts of about "
        "one length and is padded to its longest. The logits become probabilities by softmax."
        if classifies
        else f"Texts are tokenized, joined by the end-of-text token and cut into blocks of {length} tokens."
    )
    settings = ("epochs", "batch_size", "learning_rate", "weight_decay", "warmup", "schedule", "seed", "keep")
    rows = [(f"`{name}`", str(spec.get(name))) for name in settings]
    rows += [("optimizer", "AdamW"), ("precision", str(state["dtype"])), ("steps", str(state["results"].get("step")))]
    if state["results"].get("best_step"):
        rows.append(("weights kept", f"of step {state['results']['best_step']}, the best evaluation"))
    machine = facts.get("hardware", {})
    peak = state["results"].get("peak_memory_bytes", 0) / 1e9
    made = [
        ("Device", f"{state['device']}: {plain(machine.get('processor'))}, {machine.get('cores')} cores"),
        ("Peak memory", f"{peak:.2f} GB"),
        ("Time", f"{state['progress']['seconds'] or 0:.0f} s of training"),
        ("Precision", plain(facts.get("precision", {}).get("why", ""))),
        *((name, version) for name, version in facts.get("versions", {}).items()),
    ]
    return (
        f"### Before and after the model\n\n{before}\n\n### Hyperparameters\n\n{table(('', ''), rows)}\n\n"
        f"### Hardware, software and time\n\n{table(('', ''), made)}"
    )


def metrics_section(state: State) -> str:
    """What is measured, and on which rows."""
    facts = state["facts"]
    rows = facts.get("rows", {})
    where = "the validation split that came with the data" if facts.get("validation_given") else "the rows held out"
    after = f"after each epoch on {where} ({rows.get('validation', 0):,} rows)"
    if chosen_by_validation(state):
        after += ", which chose the epoch that is kept"
    if state["results"].get("test"):
        text = f"Measured once, when training was over, on the test split ({rows['test']:,} rows), and {after}."
    else:
        text = f"Measured {after}."
    if "accuracy" in state["results"].get("final", {}):
        measured: tuple[str, ...] = (
            "**Accuracy**: share of rows with the right label; its 95 % interval is Wilson's.",
            "**Macro F1**: mean over the labels of the harmonic mean of precision and recall; each label counts alike.",
            "**Loss**: mean cross entropy.",
        )
    else:
        measured = ("**Loss**: mean cross entropy of a token.", "**Perplexity**: e to the loss.")
    return f"{text}\n\n{bullets(measured)}"


def chosen_by_validation(state: State) -> bool:
    """Whether the validation figures decided which weights are kept; then they are a little too good."""
    return bool(state["results"].get("best_step"))


def _interval(figures: Mapping[str, Any]) -> str | None:
    if "accuracy_low" not in figures:
        return None
    return f"{figures['accuracy_low']:.3f} to {figures['accuracy_high']:.3f}"


def results_section(state: State) -> str:
    """Results beside what there was to beat, each epoch, each label, and each decision threshold."""
    results = state["results"]
    final = results.get("final", {})
    names = [name for name in FIGURES if name in final]
    majority = results.get("majority") or {}
    kept = "validation rows (these chose the epoch)" if chosen_by_validation(state) else "validation rows"
    lines = [
        (title, *(figures.get(name) for name in names), _interval(figures))
        for title, figures in (
            ("This model, test split", results.get("test")),
            (f"This model, {kept}", final),
            ("Before training, validation rows", results.get("untrained")),
            (f"Always {code(majority.get('label'))}, validation rows", majority),
        )
        if figures
    ]
    parts = [table(("", *(FIGURES[name] for name in names), "95 % interval of accuracy"), lines)]
    if "accuracy" not in names:
        parts = [table(("", *(FIGURES[name] for name in names)), (line[:-1] for line in lines))]
    epochs = [(entry["epoch"], entry["step"], *(entry.get(n) for n in names)) for entry in state.get("eval", [])]
    if epochs:
        told = [(f"{epoch:g}", str(step), *rest) for epoch, step, *rest in epochs]
        parts.append(
            "### Each epoch\n\nOn the validation rows:\n\n"
            + table(("Epoch", "Step", *(FIGURES[n] for n in names)), told)
        )
    if results.get("per_class"):
        each = [
            (code(c["label"]), c["precision"], c["recall"], c["f1"], str(c["support"])) for c in results["per_class"]
        ]
        head = ("Label", "Precision", "Recall", "F1", "Rows")
        parts.append("### Each label\n\nOn the validation rows:\n\n" + table(head, each))
    if results.get("thresholds"):
        at = [
            (f"{t['threshold']:g}", t["precision"], t["recall"], t["f1"], t["accuracy"]) for t in results["thresholds"]
        ]
        head = ("Threshold", "Precision", "Recall", "F1", "Accuracy")
        said = (
            "The likelier label is answered, so the decision threshold is 0.5. Answering "
            f"{code(state['labels'][1])} from another probability on would give, on the validation rows:"
        )
        parts.append(f"### Decision threshold\n\n{said}\n\n{table(head, at)}")
    return "\n\n".join(parts)
