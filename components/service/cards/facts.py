"""What is known of a run or a model, as a card has it, and where each thing that a card says comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.service.cards.markdown import row, table

Source = dict[str, Any]
#: Notes a text of a section with the facts that it tells, and gives it back.
Note = Callable[..., str]


@dataclass(frozen=True)
class Metric:
    """A figure of an evaluation.

    Attributes:
        name: Its key in a run's results.
        title: What people call it.
        hub: Its id among the Hub's metrics; empty for the loss, which is none of them.
        means: What it measures.
        args: How it was computed, as a card's model-index has it.
    """

    name: str
    title: str
    hub: str
    means: str
    args: dict[str, Any] = field(default_factory=dict)


_MACRO = {"average": "macro"}
_CLASSES = "mean over the classes of"
_LOSS = Metric("loss", "Loss", "", "mean cross entropy.")
_ACCURACY = Metric("accuracy", "Accuracy", "accuracy", "share of rows with the right label.")
_SINGLE = (
    _ACCURACY,
    Metric("f1", "Macro F1", "f1", f"{_CLASSES} the harmonic mean of precision and recall; each counts alike.", _MACRO),
    Metric("precision", "Macro precision", "precision", f"{_CLASSES} the share of its answers that are right.", _MACRO),
    Metric("recall", "Macro recall", "recall", f"{_CLASSES} the share of its rows that are found.", _MACRO),
    Metric(
        "matthews",
        "Matthews correlation",
        "matthews_correlation",
        "correlation of answers and labels, from -1 to 1; 0 is chance.",
    ),
    _LOSS,
)
_LANGUAGE = (
    Metric("perplexity", "Perplexity", "perplexity", "e to the loss; less is better."),
    Metric("loss", "Loss", "", "mean cross entropy of a token."),
)
_KINDS: dict[str, tuple[Metric, ...]] = {
    "single": _SINGLE,
    "multi": (
        Metric("f1", "Macro F1", "f1", "mean over the labels of the harmonic mean of precision and recall.", _MACRO),
        Metric("f1_micro", "Micro F1", "f1", "F1 of all labels of all rows together.", {"average": "micro"}),
        Metric("precision", "Macro precision", "precision", "mean over the labels of its precision.", _MACRO),
        Metric("recall", "Macro recall", "recall", "mean over the labels of its recall.", _MACRO),
        Metric("accuracy", "Accuracy", "accuracy", "share of rows with all labels right."),
        Metric("loss", "Loss", "", "mean binary cross entropy of a label."),
    ),
    "regression": (
        Metric("mse", "Mean squared error", "mse", "mean of the squared error; less is better."),
        Metric("mae", "Mean absolute error", "mae", "mean of the error without its sign; less is better."),
        Metric("pearson", "Pearson correlation", "pearsonr", "correlation of answers and numbers, from -1 to 1."),
        Metric("spearman", "Spearman correlation", "spearmanr", "correlation of their ranks, from -1 to 1."),
        Metric("loss", "Loss", "", "mean squared error."),
    ),
    "token-classification": (
        Metric("f1", "F1 of entities", "f1", "harmonic mean of precision and recall of whole entities, all types "
               "together (as seqeval has it).", {"average": "micro"}),
        Metric("precision", "Precision of entities", "precision", "share of the entities found that are right.",
               {"average": "micro"}),
        Metric("recall", "Recall of entities", "recall", "share of the entities that are found.",
               {"average": "micro"}),
        Metric("accuracy", "Accuracy of words", "accuracy", "share of words with the right tag."),
        Metric("loss", "Loss", "", "mean cross entropy of a word's tag."),
    ),
    "question-answering": (
        Metric("f1", "F1 of words", "f1", "overlap of the answer's words with those of the nearest accepted answer, "
               "as SQuAD's evaluation counts it."),
        Metric("exact_match", "Exact match", "exact_match", "share of questions whose answer is an accepted one but "
               "for case, punctuation and articles."),
        Metric("loss", "Loss", "", "mean cross entropy of the answer's begin and end."),
    ),
    "text-generation": _LANGUAGE,
    "fill-mask": (
        Metric("perplexity", "Perplexity", "perplexity", "e to the loss, of masked tokens alone; less is better."),
        Metric("loss", "Loss", "", "mean cross entropy of a masked token."),
    ),
    "summarization": (
        Metric("rougeL", "ROUGE-L", "rouge", "F measure of the longest common sequence of words.",
               {"rouge_types": ["rougeL"]}),
        Metric("rouge1", "ROUGE-1", "rouge", "F measure of the words that both summaries have.",
               {"rouge_types": ["rouge1"]}),
        Metric("rouge2", "ROUGE-2", "rouge", "F measure of the pairs of words that both have.",
               {"rouge_types": ["rouge2"]}),
        Metric("loss", "Loss", "", "mean cross entropy of a token."),
    ),
    "translation": (
        Metric("bleu", "BLEU", "sacrebleu", "of all texts together, from 0 to 100, by sacrebleu."),
        Metric("chrf", "chrF", "chrf", "F measure of letter sequences, from 0 to 100, by sacrebleu."),
        Metric("loss", "Loss", "", "mean cross entropy of a token."),
    ),
    "image-classification": _SINGLE,
}  # fmt: skip


@dataclass
class Told:
    """What a card has said of its subject so far, and where it comes from.

    Attributes:
        subject: What is known.
        repo: Where the card will stand.
        sources: What was filled in: `{"field" or "section", "value", "fact", "from"}`. `fact` says the same of one
            thing for ever, and once for each field or section; `from` is for people.
    """

    subject: Mapping[str, Any]
    repo: str
    sources: list[Source] = field(default_factory=list)

    def origin(self, fact: str) -> str:
        """Where a fact comes from, in words."""
        raise NotImplementedError

    def note(self, section: str) -> Note:
        """What notes the texts of a section."""

        def noted(text: str, *facts: str) -> str:
            self._noted("section", section, text, facts)
            return text

        return noted

    def field(self, path: str, value: Any, *facts: str) -> Any:
        """Note a value of the metadata with the facts that it tells, and give it back."""
        self._noted("field", path, value, facts)
        return value

    def _noted(self, kind: str, where: str, value: Any, facts: Sequence[str]) -> None:
        fact = ", ".join(facts)
        self.sources.append({kind: where, "value": value, "fact": fact, "from": self.origin(fact)})


class Recorded(Told):
    """A run with a model, its state as `Runs.state` gives it."""

    def origin(self, fact: str) -> str:
        """The run, and the place in its state."""
        return f"run {self.subject['id']}: {fact}"

    @property
    def state(self) -> Mapping[str, Any]:
        """The state of the run."""
        return self.subject

    @property
    def spec(self) -> Mapping[str, Any]:
        """What was asked for."""
        spec: Mapping[str, Any] = self.state["spec"]
        return spec

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was recorded of data, model and machine."""
        facts: Mapping[str, Any] = self.state["facts"]
        return facts

    @property
    def results(self) -> Mapping[str, Any]:
        """The figures."""
        results: Mapping[str, Any] = self.state["results"]
        return results

    @property
    def task(self) -> str:
        """The Hub's name of the task."""
        return str(self.spec["task"])

    @property
    def kind(self) -> str:
        """What decides the metrics: the task, or of text classification the kind of its labels."""
        if self.task != "text-classification":
            return self.task
        return str(self.facts.get("problem") or "single")

    @property
    def chats(self) -> bool:
        """Whether a language model was trained on chats."""
        return "chats" in self.facts

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that the run was judged by, the one that is named first in front."""
        return [metric for metric in _KINDS[self.kind] if self.results.get("final", {}).get(metric.name) is not None]

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows of each split."""
        rows: Mapping[str, int] = self.facts.get("rows", {})
        return rows

    @property
    def chosen_by_validation(self) -> bool:
        """Whether the validation figures decided which weights are kept; then they are a little too good."""
        return bool(self.results.get("best_step"))


class Model(Told):
    """A model on the Hub: `{"facts": of model_facts, "about": of about_model or None, "tokenizer": ... or None}`."""

    def origin(self, fact: str) -> str:
        """The file at its commit, and the key in it."""
        file, _, key = fact.partition(": ")
        facts = self.subject["facts"]
        return f"{file} of {facts.get('id', self.repo)} at {facts.get('commit') or 'its newest commit'}: {key}"


def noted_table(note: Note, head: Sequence[str], rows: Sequence[tuple[Sequence[Any], str]]) -> str:
    """A table whose rows are noted, each given with the fact that it tells."""
    for cells, fact in rows:
        note(row(cells), fact)
    return table(head, [cells for cells, _ in rows])


def data_name(data: Mapping[str, Any]) -> str:
    """What the data is called: a data set by its id (one in a folder by the folder's name), files by their names."""
    if data.get("dataset"):
        return base_name(str(data["dataset"]))
    names = data.get("names") or data.get("files") or []
    if len(names) > 1:
        return f"{len(names):,} files"
    return Path(str(data.get("name") or data.get("file") or (names[0] if names else "pasted rows"))).name


def base_name(name: str) -> str:
    """An id on the Hub; of a folder on somebody's machine its own name only."""
    return Path(name).name if Path(name).is_absolute() else name


def interval(figures: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The 95 % interval of a figure, where there is one."""
    low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
    return None if low is None or high is None else (low, high)
