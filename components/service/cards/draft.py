"""A card from what a run recorded. Nothing is made up: what is not known is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from components.service.cards.check import ASK, REPO_PLACEHOLDER
from components.service.cards.sections import (
    base_name,
    bullets,
    chosen_by_validation,
    code,
    data_section,
    file_name,
    metrics_section,
    plain,
    procedure_section,
    results_section,
    table,
    usage_section,
)
from components.service.errors import WorkbenchError

_REPO_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def with_repo(text: str, repo: str) -> str:
    """A card with the repository's name where its place was held."""
    return text.replace(REPO_PLACEHOLDER, repo)


def draft_run(state: Mapping[str, Any], repo: str | None = None) -> str:
    """The card of a run that has a model.

    Raises:
        WorkbenchError: It has none yet.
    """
    if state["model"] is None:
        raise WorkbenchError("This run has no model yet. Wait until it is finished or stopped.", field="model")
    repo = repo or REPO_PLACEHOLDER
    title = plain(repo.rsplit("/", 1)[-1] if repo != REPO_PLACEHOLDER else state["name"])
    parts = [
        f"# {title}\n\n{_summary(state)}",
        f"## Model description\n\n{_description(state)}",
        "## Intended uses and limitations\n\n"
        + asks(
            "For which languages, kinds of text and purposes is this model meant?",
            "For which uses is it not meant?",
        ),
        f"## How to use\n\n{usage_section(state, repo)}",
        f"## Limitations and bias\n\n{_limits(state)}",
        f"## Training data\n\n{data_section(state)}",
        f"## Training procedure\n\n{procedure_section(state)}",
        f"## Variables and metrics\n\n{metrics_section(state)}",
        f"## Evaluation results\n\n{results_section(state)}",
    ]
    return f"---\n{_front(state, title)}---\n\n" + "\n\n".join(parts) + "\n"


def asks(*questions: str) -> str:
    """Questions that only the author can answer."""
    return "\n\n".join(f"> {ASK} {question}" for question in questions)


def _front(state: Mapping[str, Any], title: str) -> str:
    spec, facts = state["spec"], state["facts"]
    values: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": spec["task"]}
    if _REPO_NAME.fullmatch(spec["model"]) and not spec["model"].startswith("runs/"):
        values |= {"base_model": spec["model"], "base_model_relation": "finetune"}
    if spec["data"].get("dataset"):
        values["datasets"] = [spec["data"]["dataset"]]
    names = [name for name in ("accuracy", "f1", "perplexity") if name in state["results"].get("final", {})]
    values["metrics"] = names
    values["tags"] = ["generated_from_trainer", "transformers-workbench"]
    if names:
        values["model-index"] = [{"name": title, "results": list(_index(state, facts, names))}]
    comment = "# license: to be chosen by the author, for example apache-2.0\n# language: to be given, for example en\n"
    return comment + str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000))


def _index(state: Mapping[str, Any], facts: Mapping[str, Any], names: Sequence[str]) -> Any:
    spec = state["spec"]
    data = spec["data"]
    dataset: dict[str, Any] = {"type": data.get("dataset") or "custom", "name": data.get("dataset") or file_name(data)}
    if data.get("config"):
        dataset["config"] = data["config"]
    if data.get("revision"):
        dataset["revision"] = data["revision"]
    given = facts.get("validation_given", False)
    held = {"split": "validation"} if given else {"split": "train", "args": {"held_out": spec["validation"]}}
    splits = {"test": {"split": "test"}, "final": held}
    titles = {"accuracy": "Accuracy", "f1": "Macro F1", "perplexity": "Perplexity"}
    for part, where in splits.items():
        figures = state["results"].get(part)
        if figures:
            metrics = [
                {"type": n, "name": titles[n], "value": round(float(figures[n]), 6)} for n in names if n in figures
            ]
            yield {"task": {"type": spec["task"]}, "dataset": {**dataset, **where}, "metrics": metrics}


def _summary(state: Mapping[str, Any]) -> str:
    spec, results, facts = state["spec"], state["results"], state["facts"]
    data = spec["data"].get("dataset") or file_name(spec["data"])
    text = f"A `{facts.get('model_type', 'transformers')}` model for {spec['task']}, fine-tuned on {plain(data)}."
    told = [_figure(state, part) for part in ("test", "final") if results.get(part)]
    text += "".join(f" {sentence}" for sentence in told if sentence)
    majority = results.get("majority")
    if majority:
        text += f" On the validation rows, always answering the commonest label would reach {majority['accuracy']:.3f}."
    if state["status"] == "stopped":
        text += f" Training was stopped at step {results.get('step')} of {state['progress']['steps']}."
    return text


def _figure(state: Mapping[str, Any], part: str) -> str:
    """The sentence with the main figure of the test split (`test`) or the validation rows (`final`)."""
    figures = state["results"][part]
    split = "test" if part == "test" else "validation"
    rows = f"On {state['facts']['rows'].get(split, 0):,} {split} rows"
    if part == "final" and chosen_by_validation(state):
        rows += ", which also chose the epoch that is kept,"
    if "accuracy" in figures:
        low, high = figures["accuracy_low"], figures["accuracy_high"]
        return f"{rows} its accuracy is {figures['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f})."
    return f"{rows} its perplexity is {figures['perplexity']:.2f}." if "perplexity" in figures else ""


def _description(state: Mapping[str, Any]) -> str:
    spec, facts = state["spec"], state["facts"]
    base = code(base_name(spec["model"])) + (f" at {code(spec['revision'])}" if spec.get("revision") else "")
    rows = [
        ("Task", spec["task"]),
        ("Architecture", f"`{facts.get('architecture')}` ({facts.get('model_type')})"),
        ("Parameters", f"{facts.get('parameters', 0):,}"),
        ("Started from", base),
        ("Weights", f"`{state['results'].get('commit')}` (SHA-256 of the files, first 40 digits)"),
    ]
    if state["labels"]:
        rows.append(("Labels", ", ".join(code(label) for label in state["labels"][:50])))
    questions = asks(
        "Who made this model, and who holds the rights in it and in what it started from?",
        "Which version is it, and where is the original implementation or paper, if there is one?",
    )
    return f"{table(('', ''), rows)}\n\n{questions}"


def _limits(state: Mapping[str, Any]) -> str:
    facts = state["facts"]
    known = []
    if facts.get("at_limit"):
        share, limit = 100 * facts["at_limit"], facts["max_length"]
        known.append(f"Longer texts are cut at {limit} tokens; {share:.1f} % of the training rows reach that length.")
    counts = facts.get("label_counts", {}).get("train", {})
    if counts and sum(counts.values()):
        most, least = max(counts, key=lambda k: counts[k]), min(counts, key=lambda k: counts[k])
        total = sum(counts.values())
        known.append(
            f"In the training rows the label {code(most)} has {100 * counts[most] / total:.0f} %, "
            f"{code(least)} {100 * counts[least] / total:.0f} %."
        )
    rows = facts.get("rows", {})
    evaluated = rows.get("test") or rows.get("validation", 0)
    if evaluated < 400:
        known.append(f"Only {evaluated} rows were evaluated on, so the figures below are uncertain.")
    question = asks("Which errors, groups of people or kinds of text does the model treat worse, as far as you know?")
    return (f"{bullets(known)}\n\n" if known else "") + question


def draft_model(facts: Mapping[str, Any], repo: str) -> str:
    """A first card for a model on the Hub that has none, from what the Hub knows of it."""
    values = {"library_name": facts.get("library") or "transformers", "pipeline_tag": facts.get("task")}
    front = str(yaml.safe_dump({k: v for k, v in values.items() if v}, sort_keys=False))
    known = [("Task", facts.get("task")), ("Architecture", facts.get("architecture"))]
    if facts.get("parameters"):
        known.append(("Parameters", f"{facts['parameters']:,}"))
    rows = [(name, code(value)) for name, value in known if value]
    task = facts.get("task") or "text-classification"
    example = f"```python\nfrom transformers import pipeline\n\npipe = pipeline({task!r}, model={repo!r})\n```"
    questions = {
        "Intended uses and limitations": "For which languages, kinds of text and purposes is this model meant?",
        "Limitations and bias": "Which errors or groups does the model treat worse, as far as you know?",
        "Training data": "On which data was it trained, and where do they come from?",
        "Training procedure": "How was it trained: steps before and after, epochs, batch size, learning rate?",
        "Variables and metrics": "What was measured, on which data set and split?",
        "Evaluation results": "What were the results, and at which decision threshold?",
    }
    sections = {
        "Model description": f"{table(('', ''), rows)}\n\n{asks('Who made this model, and what is it?')}",
        "How to use": example,
    }
    order = ("Model description", "Intended uses and limitations", "How to use", *list(questions)[1:])
    parts = [f"## {name}\n\n{sections.get(name) or asks(questions[name])}" for name in order]
    comment = "# license: to be chosen by the author, for example apache-2.0\n"
    title = plain(repo.rsplit("/", 1)[-1])
    return f"---\n{comment}{front}---\n\n# {title}\n\n" + "\n\n".join(parts) + "\n"
