"""A card from what was recorded. Nothing is made up: what is not known is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from components.service.cards.checks import ASK, REPO_PLACEHOLDER
from components.service.cards.examples import widget_example
from components.service.cards.facts import Metric, Model, Recorded, Source, data_name
from components.service.cards.markdown import clean, plain
from components.service.cards.sections import FILLED, FILLED_OF_MODEL, summary
from components.service.cards.template import TEMPLATE
from components.service.errors import WorkbenchError
from components.service.runs.state import no_model

_REPO_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_DATASET = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
#: What the record of a run tells, and the files of a model do not.
_ASKED_OF_MODEL = {
    "Training data": ("On which rows was it trained, and on which was it evaluated?",),
    "Training procedure": ("How was it trained: steps before and after, epochs, batch size, learning rate?",),
    "Variables and metrics": ("What was measured, on which data set and split?",),
    "Evaluation results": ("What were the results, how sure are they, and at which decision threshold?",),
}
#: Where the parts of a result's data set come from.
_DATA = {
    "type": "spec.data", "name": "spec.data", "config": "spec.data.config", "revision": "spec.data.revision",
    "split": "facts.splits", "args": "spec.validation",
}  # fmt: skip
#: Most examples of what the model answers.
EXAMPLES = 3
_TAGS = ["generated_from_trainer", "transformers-workbench"]


@dataclass(frozen=True)
class Draft:
    """A card to go on from.

    Attributes:
        text: The card.
        sources: What was filled in: `{"field" or "section", "value", "fact", "from"}`.
    """

    text: str
    sources: list[Source]


def with_repo(text: str, repo: str) -> str:
    """A card with the repository's name where its place was held."""
    return text.replace(REPO_PLACEHOLDER, repo)


def asks(*questions: str) -> str:
    """Questions that only the author can answer."""
    return "\n\n".join(f"> {ASK} {question}" for question in questions)


def draft_run(state: Mapping[str, Any], repo: str | None = None) -> Draft:
    """The card of a run that has a model.

    Raises:
        WorkbenchError: It has none.
    """
    if state["model"] is None:
        raise WorkbenchError(no_model(state["status"]), field="model")
    run = Recorded(state, repo or REPO_PLACEHOLDER)
    name = run.repo.rsplit("/", 1)[-1] if run.repo != REPO_PLACEHOLDER else str(state["name"])
    front = front_matter(_metadata(run, clean(name)))
    title = plain(name)
    parts = [f"# {title}\n\n{summary(run, run.note(title))}"]
    for section in TEMPLATE:
        if section.drafted:
            filled = FILLED[section.title](run, run.note(section.title)) if section.title in FILLED else ""
            parts.append(_section(section.title, filled, *section.questions))
    return Draft(front + "\n\n".join(filter(None, parts)) + "\n", run.sources)


def _section(title: str, filled: str, *questions: str) -> str:
    text = "\n\n".join(filter(None, [filled, asks(*questions)]))
    return f"## {title}\n\n{text}" if text else ""


def front_matter(values: Mapping[str, Any]) -> str:
    """The metadata as YAML, with remarks on what only the author can choose."""
    remarks = "# license: to be chosen by the author, for example apache-2.0\n"
    if "language" not in values:
        remarks += "# language: to be given, for example en\n"
    return f"---\n{remarks}{yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=1000)}---\n\n"


def _metadata(run: Recorded, title: str) -> dict[str, Any]:
    spec, data = run.spec, run.spec["data"]
    values: dict[str, Any] = {"library_name": "transformers"}
    values["pipeline_tag"] = run.field("pipeline_tag", run.task, "spec.task")
    if _REPO_NAME.fullmatch(spec["model"]) and not spec["model"].startswith("runs/"):
        values["base_model"] = run.field("base_model", spec["model"], "spec.model")
        values["base_model_relation"] = "finetune"
    languages = [str(code).replace("-", "_").split("_")[0] for code in run.facts.get("languages", []) if code]
    if languages and all(_LANGUAGE.fullmatch(code) for code in languages):
        values["language"] = run.field("language", list(dict.fromkeys(languages)), "facts.languages")
    if _DATASET.fullmatch(data.get("dataset") or ""):
        values["datasets"] = run.field("datasets", [data["dataset"]], "spec.data.dataset")
    known = [metric.hub for metric in run.metrics if metric.hub]
    if known:
        values["metrics"] = run.field("metrics", list(dict.fromkeys(known)), "results.final")
    values["tags"] = [*_TAGS, *(["lora"] if spec.get("method") == "lora" else [])]
    if known:
        values["model-index"] = [{"name": title, "results": list(_index(run))}]
    if examples := _examples(run):
        values["widget"] = run.field("widget", examples, "samples.after")
    return values


def _examples(run: Recorded) -> list[dict[str, Any]]:
    """What the run was shown when training was over, with what its model answered."""
    found = []
    for shown in run.state["samples"].get("after", [])[:EXAMPLES]:
        asked = [{"role": "user", "content": shown["text"]}] if run.chats else shown["text"]
        if run.task == "image-classification" or (run.task == "question-answering" and not shown["output"]["answer"]):
            continue  # a picture would need an address; that there is no answer is nothing that a page shows
        found.append(widget_example(run.task, asked, {}, shown["output"]))
    return found


def _index(run: Recorded) -> Iterator[dict[str, Any]]:
    """The results of the test split, then of the validation rows, as the Hub reads them."""
    data = run.spec["data"]
    dataset: dict[str, Any] = {"type": "custom", "name": clean(data_name(data))}
    if _DATASET.fullmatch(data.get("dataset") or ""):
        dataset |= {"type": data["dataset"], "name": data["dataset"]}
    dataset |= {key: str(data[key]) for key in ("config", "revision") if data.get(key)}
    number = 0
    for part, where in (("test", _split(run, "test")), ("final", _validation(run))):
        figures = run.results.get(part)
        if figures:
            path = f"model-index[0].results[{number}].metrics"
            told = [metric for metric in run.metrics if metric.hub and figures.get(metric.name) is not None]
            entries = [_entry(run, metric, part, f"{path}[{i}].value") for i, metric in enumerate(told)]
            for key, value in {**dataset, **where}.items():
                run.field(f"model-index[0].results[{number}].dataset.{key}", value, f"{part}: {_DATA[key]}")
            yield {"task": {"type": run.task}, "dataset": {**dataset, **where}, "metrics": entries}
            number += 1


def _entry(run: Recorded, metric: Metric, part: str, path: str) -> dict[str, Any]:
    value = round(float(run.results[part][metric.name]), 6)
    args = dict(metric.args)
    if metric.name == "bleu" and run.facts.get("bleu_tokenizer"):
        args["tokenize"] = run.facts["bleu_tokenizer"]
    entry = {"type": metric.hub, "name": metric.title, "value": run.field(path, value, f"{part}.{metric.name}")}
    return {**entry, **({"args": args} if args else {})}


def _split(run: Recorded, split: str) -> dict[str, Any]:
    return {"split": run.facts.get("splits", {}).get(split) or split}


def _validation(run: Recorded) -> dict[str, Any]:
    """What the validation rows are of the data: a split, or rows of train that were held out."""
    if run.facts.get("validation_given"):
        return _split(run, "validation")
    return {**_split(run, "train"), "args": {"held_out": run.spec["validation"], "seed": run.spec["seed"]}}


def draft_template() -> Draft:
    """A card of nothing in particular: every section, with what its author is asked."""
    parts = ["# Name of the model"]
    for section in TEMPLATE:
        if section.drafted:
            parts.append(_section(section.title, "", *section.questions, *_ASKED_OF_MODEL.get(section.title, ())))
    return Draft(front_matter({"library_name": "transformers"}) + "\n\n".join(filter(None, parts)) + "\n", [])


def draft_model(known: Mapping[str, Any], repo: str) -> Draft:
    """A first card for a model on the Hub that has none, from what its files say.

    Args:
        known: `{"facts": of model_facts, "about": of about_model or None, "tokenizer": of tokenize or None}`.
        repo: Where the card will stand.
    """
    model = Model(known, repo)
    facts, title = known["facts"], plain(repo.rsplit("/", 1)[-1])
    values = {"library_name": facts.get("library") or "transformers"}
    if facts.get("task"):
        values["pipeline_tag"] = model.field("pipeline_tag", facts["task"], "config.json: task")
    parts = [f"# {title}"]
    for section in TEMPLATE:
        if section.drafted:
            filled = (
                FILLED_OF_MODEL[section.title](model, model.note(section.title))
                if section.title in FILLED_OF_MODEL
                else ""
            )
            parts.append(_section(section.title, filled, *section.questions, *_ASKED_OF_MODEL.get(section.title, ())))
    return Draft(front_matter(values) + "\n\n".join(filter(None, parts)) + "\n", model.sources)
