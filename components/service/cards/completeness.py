"""What a card lacks, by its readers: the Hub, its search, users, who repeats the training, the course, the paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.service.cards.checks import PLACEHOLDERS
from components.service.cards.document import metadata
from components.service.cards.outline import Section as Part
from components.service.cards.outline import sections
from components.service.cards.template import TEMPLATE, Section, section_of

_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t].*$", re.MULTILINE)


@dataclass(frozen=True)
class Item:
    """Something that a reader needs.

    Attributes:
        title: What it is called.
        place: The path of a field, or the title of a section of the template.
        why: What it is good for.
        kind: `field` or `section`.
        done: Whether the card has it, where it is not enough that the field or section is there and whole.
    """

    title: str
    place: str
    why: str
    kind: str = "field"
    done: Callable[[_Card], bool] | None = None


class _Card:
    """A card as it is looked at.

    Args:
        text: All of it.
        problems: What `check` found.
    """

    def __init__(self, text: str, problems: Sequence[Mapping[str, Any]]) -> None:
        self.values = metadata(text)
        self.wrong = {str(one["field"]) for one in problems if one["level"] == "error"}
        self.parts: dict[str, list[tuple[Part, str]]] = {}
        mine: Section | None = None
        for part in sections(text):
            # What stands under a heading of a lower level belongs to the section that the template knows.
            mine = section_of(part.title) if part.level <= 2 or mine is None else mine
            if mine is not None and part.level > 1:
                self.parts.setdefault(mine.title, []).append((part, text[part.text : part.own_end]))

    def field(self, path: str) -> bool:
        """Whether a field has a value that is not wrong."""
        key = path.partition("[")[0].partition(".")[0]
        broken = any(wrong == key or wrong.startswith((f"{key}.", f"{key}[")) for wrong in self.wrong)
        return self.values.get(key) not in (None, "", [], {}) and not broken

    def under(self, title: str) -> str:
        """What stands in a section of the template, under whatever headings the card has for it."""
        return "\n".join(text for _, text in self.parts.get(title, ()))

    def name(self, title: str) -> str:
        """What the card itself calls a section of the template."""
        found = self.parts.get(title)
        return found[0][0].name if found else title

    def open(self, title: str) -> int:
        """How many questions and placeholders are left in a section."""
        return sum(any(mark in line for mark, _ in PLACEHOLDERS) for line in self.under(title).split("\n"))

    def said(self, title: str) -> str:
        """What a section says beside its open questions and placeholders."""
        lines = self.under(title).split("\n")
        return "\n".join(line for line in lines if not any(mark in line for mark, _ in PLACEHOLDERS))

    def written(self, title: str) -> bool:
        """Whether a section says something beside its open questions."""
        return bool(_HEADING.sub("", self.said(title)).strip(" >\t\n\r"))

    def datasets(self) -> list[Mapping[str, Any]]:
        """The data sets of the results in its model-index."""
        index = self.values.get("model-index")
        models = [one for one in index if isinstance(one, dict)] if isinstance(index, list) else []
        results = [one for model in models for one in model.get("results") or [] if isinstance(one, dict)]
        return [one["dataset"] for one in results if isinstance(one.get("dataset"), dict)]


def _field(path: str, title: str, why: str, done: Callable[[_Card], bool] | None = None) -> Item:
    return Item(title, path, why, done=done)


def _section(title: str, done: Callable[[_Card], bool] | None = None, called: str = "", why: str = "") -> Item:
    known = next(section for section in TEMPLATE if section.title == title)
    return Item(called or title, title, why or known.why, "section", done)


def _coded(card: _Card) -> bool:
    return bool(_FENCE.search(card.under("How to use")))


def _tells(title: str, *words: str) -> Callable[[_Card], bool]:
    """Whether a section names one of these, in small letters."""
    return lambda card: any(word in card.said(title).lower() for word in words)


def _whole(*titles: str) -> Callable[[_Card], bool]:
    return lambda card: all(card.written(title) and not card.open(title) for title in titles)


_LICENSE = _field("license", "Licence", "Without one nobody may use the model.")
_TASK = _field("pipeline_tag", "Task", "It decides the page's widget and the filter that finds the model.")
_LIBRARY = _field("library_name", "Library", "It decides the code that the page shows.")
_BASE = _field("base_model", "Base model", "The model appears in the tree of what it was made from.")
_DATASETS = _field("datasets", "Data sets", "The model appears on the page of its data.")
_INDEX = _field("model-index", "Evaluation results", "The page shows them beside the text, with their data set.")
_LANGUAGE = _field("language", "Language", "People look for models by their language.")
_DESCRIPTION, _USES = _section("Model description"), _section("Intended uses and limitations")
_CODE = _section("How to use", _coded)
_LIMITS = _section("Limitations and bias")

_VIEWS: tuple[tuple[str, tuple[Item, ...]], ...] = (
    ("The Hub", (_LICENSE, _TASK, _LIBRARY, _BASE, _INDEX)),
    (
        "Search",
        (
            _TASK,
            _LANGUAGE,
            _LICENSE,
            _LIBRARY,
            _DATASETS,
            _BASE,
            _field("tags", "Tags", "Words that no other field has, which people may look for."),
            _field("metrics", "Metrics", "People look for models that were judged by what they care for."),
        ),
    ),
    (
        "A user",
        (
            _DESCRIPTION,
            _USES,
            _CODE,
            _LIMITS,
            _LICENSE,
            _field("widget", "Examples", "The page lets visitors try them without writing anything."),
            _section("Evaluation results"),
            _section("Model card authors"),
        ),
    ),
    (
        "Reproduction",
        (
            _BASE,
            _DATASETS,
            _field(
                "model-index",
                "Revision of the data",
                "Data sets change; the revision says which rows the results are of.",
                lambda card: any(one.get("revision") for one in card.datasets()),
            ),
            _field(
                "model-index",
                "Split of the results",
                "A figure can be repeated only on the same rows.",
                lambda card: bool(card.datasets()) and all(one.get("split") for one in card.datasets()),
            ),
            _section("Training data"),
            _section("Training procedure"),
            _section("Training procedure", _tells("Training procedure", "learning rate", "learning_rate"),
                     "Hyperparameters", "The same settings are needed to repeat the training."),
            _section("Training procedure", _tells("Training procedure", "seed"), "Seed",
                     "It decides the order of the rows and the first weights."),
            _section("Training procedure", _tells("Training procedure", "transformers", "torch", "version"),
                     "Versions", "Libraries change what the same settings do."),
            _section("Training procedure", _tells("Training procedure", "cpu", "gpu", "cuda", "tpu", "hardware"),
                     "Hardware", "It decides rounding, time and whether it fits at all."),
            _section("Variables and metrics"),
        ),
    ),
    (
        "The course",
        (
            _section("Model description", called="Description"),
            _section("Intended uses and limitations", _whole("Intended uses and limitations", "Limitations and bias"),
                     "Uses and limits"),
            _section("How to use", _coded, "Code example"),
            _section("Training data"),
            _section("Training procedure"),
            _section("Evaluation results", _whole("Variables and metrics", "Evaluation results"),
                     "Metrics and results"),
            _field("license", "Metadata", "Language, licence, data sets, tags, task and metrics drive the filters.",
                   lambda card: all(card.field(key) for key in
                                    ("language", "license", "datasets", "tags", "pipeline_tag", "metrics"))),
        ),
    ),
    (
        "The paper",
        tuple(
            _section(section.title, called=name, why=f'{section.why} (Mitchell et al., 2019, "{name}")')
            for section in TEMPLATE
            for name in section.paper
        ),
    ),
)  # fmt: skip


def completeness(text: str, problems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What readers need of a card and whether it has that.

    Args:
        text: The card.
        problems: What `check` found in it: a field that is wrong is not done.

    Returns:
        `{"views": [{"name", "items": [{"title", "field" or "section", "done", "why"}], "next": item or None}]}`.
        `section` is what the card calls it, else what the template does; `next` is the first item that is not done.
    """
    card = _Card(text, problems)
    views = []
    for name, items in _VIEWS:
        told = [_told(card, item) for item in items]
        views.append({"name": name, "items": told, "next": next((one for one in told if not one["done"]), None)})
    return {"views": views}


def _told(card: _Card, item: Item) -> dict[str, Any]:
    if item.kind == "field":
        done = card.field(item.place) and (item.done is None or item.done(card))
        return {"title": item.title, "field": item.place, "done": done, "why": item.why}
    left, written = card.open(item.place), card.written(item.place)
    done = item.done(card) if item.done else written and not left
    asked = f" {_questions(left)} still open." if left and not done else ""
    return {"title": item.title, "section": card.name(item.place), "done": done, "why": item.why + asked}


def _questions(number: int) -> str:
    return "One question is" if number == 1 else f"{number} questions are"
