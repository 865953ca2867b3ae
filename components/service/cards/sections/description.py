"""What a model is, in a sentence and in a table, and what is known of its limits."""

from __future__ import annotations

from components.service.cards.facts import Note, Recorded, base_name, data_name, interval, noted_table
from components.service.cards.markdown import bullets, cell, code, plain

#: Labels that are listed.
LABELS = 50
#: With fewer rows than this, an evaluation says little.
FEW = 400


def summary(run: Recorded, note: Note) -> str:
    """What the model is and how good, in a few sentences."""
    spec, facts = run.spec, run.facts
    kind = code(facts.get("model_type") or "transformers")
    how = ", trained with LoRA" if spec.get("method") == "lora" else ""
    said = [
        note(f"A {kind} model for {spec['task']}{how}, fine-tuned on {plain(data_name(spec['data']))}.", "spec"),
        *(_figure(run, note, part) for part in ("test", "final")),
        *_baseline(run, note),
    ]
    if run.state["status"] == "stopped":
        step, steps = run.results.get("step"), run.state["progress"]["steps"]
        said.append(note(f"Training was stopped at step {step} of {steps}.", "results.step"))
    return " ".join(filter(None, said))


def _figure(run: Recorded, note: Note, part: str) -> str:
    """The sentence with the main figure of the test split (`test`) or the validation rows (`final`)."""
    figures = run.results.get(part)
    if not figures or not run.metrics:
        return ""
    metric, split = run.metrics[0], "test" if part == "test" else "validation"
    rows = f"On {run.rows.get(split, 0):,} {split} rows"
    if part == "final" and run.chosen_by_validation:
        rows += ", which also chose the weights that are kept,"
    value = figures.get(metric.name)
    if value is None:
        return ""
    return note(
        f"{rows} its {inline(metric.title)} is {_with_interval(figures, metric.name)}.", f"{part}.{metric.name}"
    )


def _with_interval(figures: dict[str, float], name: str) -> str:
    band = interval(figures, name)
    told = f" (95 % interval {_short(band[0])} to {_short(band[1])})" if band else ""
    return f"{_short(figures[name])}{told}"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def inline(title: str) -> str:
    """A title within a sentence: words in small letters, abbreviations and names as they are."""
    first, _, rest = title.partition(" ")
    known = ("F1", "BLEU", "chrF", "Matthews", "Pearson", "Spearman")
    return title if first in known or first.startswith("ROUGE") else f"{first.lower()}{' ' if rest else ''}{rest}"


def _baseline(run: Recorded, note: Note) -> list[str]:
    if not run.metrics:
        return []
    name = run.metrics[0].name
    return [
        note(
            f"On the validation rows, {label[0].lower()}{label[1:]} would reach {_short(figures[name])}.",
            f"{key}.{name}",
        )
        for key, label, figures in baselines(run)
        if figures.get(name) is not None
    ]


def baselines(run: Recorded) -> list[tuple[str, str, dict[str, float]]]:
    """What needs no model: its key, what it does as the beginning of a sentence, and its figures."""
    found = run.results.get("baselines")
    if found is None:
        found = {key: run.results[key] for key in ("majority", "mean") if run.results.get(key)}
    told = []
    for key, figures in found.items():
        if key == "mean":
            label = f"Always answering the mean of the training rows ({cell(figures['value'])})"
        elif key == "majority":
            label = f"Always answering {code(figures.get('label'))}"
        else:
            label = f"Giving {plain(figures.get('label'))}"
        told.append((key, label, figures))
    return told


def description(run: Recorded, note: Note) -> str:
    """What the model is made of and where it comes from."""
    spec, facts = run.spec, run.facts
    at = f" at {code(spec['revision'])}" if spec.get("revision") else ""
    rows = [
        (("Task", spec["task"]), "spec.task"),
        (
            ("Architecture", f"{code(facts.get('architecture'))} ({plain(facts.get('model_type'))})"),
            "facts.architecture",
        ),
        (("Parameters", f"{facts.get('parameters', 0):,}"), "facts.parameters"),
        (("Started from", code(base_name(spec["model"])) + at), "spec.model"),
        (("Weights", f"{code(run.results.get('commit'))} (SHA-256 of the files, first 40 digits)"), "results.commit"),
    ]
    if run.state["labels"]:
        rows.append((("Labels", _labels(run.state["labels"])), "facts.labels"))
    languages = [code(one) if one else "not told" for one in facts.get("languages", [])]
    if any(facts.get("languages", [])):
        rows.append((("Translates", " to ".join(languages)), "facts.languages"))
    return noted_table(note, ("", ""), rows)


def _labels(labels: list[str]) -> str:
    more = f" and {len(labels) - LABELS:,} more" if len(labels) > LABELS else ""
    return ", ".join(code(label) for label in labels[:LABELS]) + more


def limits(run: Recorded, note: Note) -> str:
    """Limits that the record shows; it shows few of them."""
    facts = run.facts
    known = []
    if facts.get("at_limit"):
        share, limit = 100 * facts["at_limit"], facts["max_length"]
        said = f"Longer texts are cut at {limit} tokens; {share:.1f} % of the training rows reach that length."
        known.append(note(said, "facts.at_limit"))
    if facts.get("target_at_limit"):
        share, limit = 100 * facts["target_at_limit"], facts["max_target_length"]
        said = f"It writes {limit} tokens at most; {share:.1f} % of the training targets reach that length."
        known.append(note(said, "facts.target_at_limit"))
    known += _shares(run, note)
    if facts.get("augmentation") == "none":
        known.append(note("Images were not augmented: turned or mirrored ones were not learned.", "facts.augmentation"))
    for split in ("test", "validation"):
        if split in run.rows:
            if run.rows[split] < FEW:
                said = f"Only {run.rows[split]} rows were evaluated on, so the figures below are uncertain."
                known.append(note(said, f"facts.rows.{split}"))
            break
    return bullets(known)


def _shares(run: Recorded, note: Note) -> list[str]:
    """The commonest and the rarest label of the training rows."""
    counts = run.facts.get("label_counts", {}).get("train", {})
    total = sum(counts.values())
    if not total:
        return []
    order = sorted(counts, key=lambda label: -counts[label])
    most, least = order[0], order[-1]
    of = "words the tag" if run.task == "token-classification" else "rows the label"
    shares = [100 * counts[label] / total for label in (most, least)]
    if run.kind == "multi":
        rows = run.rows.get("train", total)
        shares = [100 * counts[label] / rows for label in (most, least)]
    said = f"In the training {of} {code(most)} has {shares[0]:.0f} %, {code(least)} {shares[1]:.0f} %."
    return [note(said, "facts.label_counts.train")]
