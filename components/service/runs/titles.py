"""How people call the figures of a run, alone and inside a sentence."""

from __future__ import annotations

#: Titles that are more than the name with a capital.
_TITLES = {
    "f1": "F1",
    "f1_micro": "F1 (micro)",
    "mse": "Mean squared error",
    "mae": "Mean absolute error",
    "matthews": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "exact_match": "Exact match",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "bleu": "BLEU",
    "chrf": "chrF",
}
#: Titles that keep their capital inside a sentence: names of people and short forms.
_NAMES = frozenset({"f1", "f1_micro", "matthews", "pearson", "spearman", "rouge1", "rouge2", "rougeL", "bleu", "chrf"})
#: What an average is taken over, by task.
_AVERAGES = {
    "text-classification": "macro",
    "image-classification": "macro",
    "token-classification": "entities",
    "question-answering": "words",
}


def metric_title(name: str, task: str = "") -> str:
    """A metric as people call it; F1, precision and recall with what they are averaged over."""
    title = _TITLES.get(name, name.replace("_", " ").capitalize())
    average = _AVERAGES.get(task) if name in ("f1", "precision", "recall") else None
    return f"{title} ({average})" if average else title


def metric_name(name: str, task: str = "") -> str:
    """As `metric_title`, inside a sentence."""
    title = metric_title(name, task)
    return title if name in _NAMES else f"{title[:1].lower()}{title[1:]}"
