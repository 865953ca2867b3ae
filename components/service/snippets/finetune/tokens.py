"""Scripts for words into tags: named entities, chunks, parts of speech."""

from __future__ import annotations

import inspect

from components.service.errors import WorkbenchError
from components.service.runs.schemes import OUTSIDE, bioes
from components.service.snippets.code import literal
from components.service.snippets.finetune.labels import MODEL, PADDING, chosen, head
from components.service.snippets.finetune.recipe import Plan, Recipe
from components.service.snippets.finetune.tables import of_texts
from components.service.worker.columns import label_name

_MODEL = "AutoModelForTokenClassification"


def token_classification(plan: Plan) -> Recipe:
    """A tag for each word, learned and read at its first token; figures of whole entities.

    Raises:
        WorkbenchError: The tags are not known yet.
    """
    if not plan.labels:
        raise WorkbenchError("The tags are known once the run has read its data: ask again then.", field="labels")
    columns, texts = plan.spec["columns"], of_texts(plan.spec["data"])
    functions = "" if texts else f"\n{inspect.getsource(label_name)}\n"
    names = "" if texts else _NAMES
    typed = ["from collections.abc import Sequence", "from typing import Any"]
    return Recipe(
        metric=chosen(plan, ("f1", "precision", "recall", "accuracy", "loss")),
        columns={"TOKENS": columns.get("tokens", "tokens"), "TAGS": columns.get("tags", "tags")},
        rows=functions + _ROWS.format(names=names, tag="tag" if texts else "label_name(tag, names)"),
        group="strata",
        model=MODEL + head(_MODEL) + "\n" + PADDING,
        inputs=_ENCODE + _figures(plan.labels) + _COLLATE,
        names=(_MODEL, "AutoTokenizer", "DataCollatorForTokenClassification"),
        imports=(
            "import ast",
            "import torch",
            "from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score",
            *([] if texts else typed),
        ),
        kept="likeliest",
    )


def _figures(labels: list[str]) -> str:
    """Defines `figures`, which reads the tags as seqeval knows them."""
    marks = bioes(labels)
    if marks == labels:
        return _FIGURES.replace("TAG", "LABELS")
    if marks == [f"S-{label}" for label in labels]:
        made = '[f"S-{label}" for label in LABELS]  # a word stands for itself'
    elif marks == [label if label == OUTSIDE else f"I-{label}" for label in labels]:
        made = '[label if label == "O" else f"I-{label}" for label in LABELS]  # words side by side are one'
    else:
        made = literal(marks)
    return f"\n\n# The tags as seqeval reads them.\nMARKS = {made}\n{_FIGURES.replace('TAG', 'MARKS')}"


_NAMES = '    names = getattr(getattr(split.features[TAGS], "feature", None), "names", None) or []\n'

_ROWS = '''
def listed(cell):
    """The items of a cell: a list, also one that is written out, or a text with spaces between them."""
    if isinstance(cell, str):
        return ast.literal_eval(cell) if cell.startswith("[") else cell.split()
    return cell or []


def rows_of(split):
    """The rows that have a tag for each token."""
{names}    rows = [
        {{"tokens": [str(one) for one in listed(row[TOKENS])], "tags": [{tag} for tag in listed(row[TAGS])]}}
        for row in split
    ]
    whole = [row for row in rows if row["tokens"] and len(row["tokens"]) == len(row["tags"])]
    return [row for row in whole if None not in row["tags"]]'''

_ENCODE = '''
def first_tokens(batch, example, words):
    """The first token of each word that has one of its own, and the word's place."""
    found, start = {}, 0
    for place, word in enumerate(words):
        token = batch.char_to_token(example, start) if word else None
        if token is not None:
            found.setdefault(token, place)
        start += len(word) + 1
    return found


def encode(rows):
    """Words joined by spaces, as a model sees a text later; a long row goes on in further examples.

    A word's first token has its tag as label; the loss passes over the others (-100).
    """
    limit = min(MAX_LENGTH, tokenizer.model_max_length)
    texts = [" ".join(row["tokens"]) for row in rows]
    batch = tokenizer(texts, truncation=True, max_length=limit, return_overflowing_tokens=True)
    examples = []
    for i, number in enumerate(batch.pop("overflow_to_sample_mapping")):
        first = first_tokens(batch, i, rows[number]["tokens"])
        labels = [-100] * len(batch["input_ids"][i])
        for token, word in first.items():
            labels[token] = LABELS.index(rows[number]["tags"][word])
        if first:
            examples.append({**{name: batch[name][i] for name in batch}, "labels": labels})
    return examples


def likeliest(logits, labels):
    """What is kept of a batch: the tag of each token."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(-1)
'''

_FIGURES = '''

def figures(predictions, gold):
    """Precision, recall and F1 of whole entities, and accuracy of words."""
    found = [[TAG[i] for i in row[tags != -100]] for row, tags in zip(predictions, gold)]
    right = [[TAG[i] for i in tags[tags != -100]] for tags in gold]
    scores = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    entities = {name: score(right, found, zero_division=0) for name, score in scores.items()}
    return {**entities, "accuracy": accuracy_score(right, found)}
'''

_COLLATE = """

collate = DataCollatorForTokenClassification(tokenizer)"""
