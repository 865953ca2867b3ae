"""How a model was trained: steps before and after it, settings, machine and time; and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from components.service.cards.facts import Note, Recorded, noted_table
from components.service.cards.markdown import code, plain

_SETTINGS = (
    "epochs", "batch_size", "accumulation", "learning_rate", "weight_decay", "warmup", "schedule", "clipping", "seed",
    "evaluate", "keep",
)  # fmt: skip
_BATCH = "a batch holds examples of about one length and is padded to its longest."


def procedure(run: Recorded, note: Note) -> str:
    """Steps before and after the model, hyperparameters, hardware, software and time."""
    said = note(_STEPS[run.task](run), "facts.max_length")
    settings = noted_table(note, ("Setting", "Value"), [*_settings(run), *_lora(run)])
    made = noted_table(note, ("", ""), _machine(run))
    return (
        f"### Before and after the model\n\n{said}\n\n### Hyperparameters\n\n{settings}\n\n"
        f"### Hardware, software and time\n\n{made}"
    )


def _limit(run: Recorded) -> Any:
    return run.facts.get("max_length")


def _classified(run: Recorded) -> str:
    after = {
        "single": "The logits become probabilities by softmax; the likeliest label is the answer.",
        "multi": "Each logit becomes a probability by the sigmoid; labels of at least one half are the answer.",
        "regression": "The one output is the number, as it is.",
    }[run.kind]
    return f"Texts are tokenized with the model's own tokenizer and cut at {_limit(run)} tokens; {_BATCH} {after}"


def _tagged(run: Recorded) -> str:
    return (
        f"The words of a row are joined by spaces and tokenized; each has its tag at its first token. A row longer "
        f"than {_limit(run)} tokens goes on in another example; {_BATCH} A word's likeliest tag is the answer, and "
        "tags are read as entities."
    )


def _answered(run: Recorded) -> str:
    none = " The first token stands for no answer." if run.facts.get("unanswered") else ""
    return (
        f"Question and context are tokenized together, long contexts in windows of {_limit(run)} tokens that overlap; "
        f"{_BATCH} The answer is the piece of the context whose begin and end have the highest logits together.{none}"
    )


def _continued(run: Recorded) -> str:
    if not run.chats:
        return f"Texts are tokenized, joined by the end-of-text token and cut into blocks of {_limit(run)} tokens."
    learned = "all tokens are" if run.spec.get("learn") != "assistant" else "only what the assistant says is"
    return (
        f"Chats are written by the tokenizer's chat template, each an example of its own, cut at {_limit(run)} tokens; "
        f"{learned} learned from."
    )


def _filled(run: Recorded) -> str:
    return (
        f"Texts are tokenized, joined and cut into blocks of {_limit(run)} tokens, special tokens included. 15 % of "
        "the tokens are masked, drawn anew for every batch, and for evaluation once."
    )


def _written(run: Recorded) -> str:
    facts = run.facts
    prefix = facts.get("prefix")
    told = f"Before each text stands {code(prefix)}. " if prefix else ""
    return (
        f"{told}Texts are tokenized and cut at {_limit(run)} tokens, targets at {facts.get('max_target_length')}; "
        f"{_BATCH} The model writes the likeliest token next, {facts.get('max_target_length')} at most."
    )


def _seen(run: Recorded) -> str:
    size = run.facts.get("image_size") or {}
    told = ", ".join(f"{plain(name)} {value}" for name, value in size.items())
    of = f" ({told})" if told else ""
    return (
        f"Images are brought to size{of} and normalized by the model's own image processor, and are not augmented. The "
        "logits become probabilities by softmax; the likeliest label is the answer."
    )


_STEPS: dict[str, Callable[[Recorded], str]] = {
    "text-classification": _classified,
    "token-classification": _tagged,
    "question-answering": _answered,
    "text-generation": _continued,
    "fill-mask": _filled,
    "summarization": _written,
    "translation": _written,
    "image-classification": _seen,
}

Told = list[tuple[tuple[str, str], str]]


def _settings(run: Recorded) -> Told:
    spec, facts, results = run.spec, run.facts, run.results
    rows: Told = [((f"`{name}`", str(spec[name])), f"spec.{name}") for name in _SETTINGS if spec.get(name) is not None]
    if spec.get("evaluate") == "steps":
        rows.append((("`every`", str(spec["every"])), "spec.every"))
    if spec.get("patience"):
        said = f"{spec['patience']} evaluations without a better {facts.get('metric')}"
        rows.append((("`patience`", said), "spec.patience"))
    rows.append((("optimizer", "AdamW"), "optimizer"))
    rows.append((("precision", str(run.state["dtype"])), "facts.dtype"))
    rows.append((("steps", str(results.get("step"))), "results.step"))
    if results.get("best_step"):
        best = f"of step {results['best_step']}, the best evaluation by {facts.get('metric') or 'the metric'}"
        rows.append((("weights kept", best), "results.best_step"))
    return rows


def _lora(run: Recorded) -> Told:
    """The adapter, where only one was trained."""
    spec, adapter = run.spec, run.facts.get("lora")
    if not adapter:
        return []
    rows: Told = [
        ((f"`{name}`", str(spec[name])), f"spec.{name}") for name in ("lora_rank", "lora_alpha", "lora_dropout")
    ]
    trained, whole = adapter["trained_parameters"], run.facts.get("parameters") or 0
    share = f" of {whole:,}" if whole else ""
    rows.append((("trained parameters", f"{trained:,}{share}"), "facts.lora.trained_parameters"))
    for key, title in (("adapted", "layers with matrices beside them"), ("trained_whole", "modules trained whole")):
        if adapter.get(key):
            rows.append(((title, ", ".join(code(name) for name in adapter[key])), f"facts.lora.{key}"))
    rows.append((("saved", "with the matrices added to the weights"), "spec.method"))
    return rows


def _machine(run: Recorded) -> Told:
    facts = run.facts
    machine = facts.get("hardware", {})
    processor = plain(machine.get("processor") or "unknown")
    rows: Told = [
        (("Device", f"{run.state['device']}: {processor}, {machine.get('cores')} cores"), "facts.hardware"),
    ]
    if facts.get("processes", 1) > 1:
        rows.append((("Processes", str(facts["processes"])), "facts.processes"))
    peak = run.results.get("peak_memory_bytes")
    if peak:
        rows.append((("Peak memory", f"{peak / 1e9:.2f} GB"), "results.peak_memory_bytes"))
    rows.append((("Time", f"{_time(run)} of training"), "progress.seconds"))
    if why := facts.get("precision", {}).get("why"):
        rows.append((("Precision", plain(why)), "facts.precision.why"))
    return rows + [((name, version), f"facts.versions.{name}") for name, version in facts.get("versions", {}).items()]


def _time(run: Recorded) -> str:
    seconds = float(run.state["progress"]["seconds"] or 0)
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.2f} hours"


def impact(run: Recorded, note: Note) -> str:
    """What is known of what the training took; what it caused is not."""
    machine = run.facts.get("hardware", {})
    processor = plain(machine.get("processor") or "unknown")
    said = f"Trained for {_time(run)} on {run.facts.get('processes', 1)} x {run.state['device']} ({processor})."
    return note(said, "progress.seconds", "facts.hardware")


def technical(run: Recorded, note: Note) -> str:
    """What the model is made of, for whoever wants to run it."""
    facts = run.facts
    rows: Told = [
        (("Architecture", f"{code(facts.get('architecture'))}"), "facts.architecture"),
        (("Parameters", f"{facts.get('parameters', 0):,}"), "facts.parameters"),
        (("Type of the weights", "float32, 4 bytes a parameter"), "weights"),
    ]
    if facts.get("max_length"):
        rows.append((("Longest input in training", f"{facts['max_length']:,} tokens"), "facts.max_length"))
    if facts.get("image_size"):
        size = ", ".join(f"{plain(name)} {value}" for name, value in facts["image_size"].items())
        rows.append((("Size of an image", size), "facts.image_size"))
    return noted_table(note, ("", ""), rows)
