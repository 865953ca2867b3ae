"""Scripts for texts, or pairs of texts, into one class, any number of labels, or a number."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.tasks import BY_PROBLEM
from components.service.snippets.code import Name, call
from components.service.snippets.finetune.reading import label_reading
from components.service.snippets.finetune.recipe import Plan, Recipe

#: transformers' name of each kind of labels: it decides the loss.
PROBLEM_TYPES = {
    "single": "single_label_classification",
    "multi": "multi_label_classification",
    "regression": "regression",
}


def text_classification(plan: Plan) -> Recipe:
    """A sequence classification head whose outputs are classes, labels or one number."""
    columns = plan.spec["columns"]
    pair, problem = columns.get("text_pair"), plan.problem
    functions, names, label, imports = label_reading(plan, "LABEL")
    pairs = {"PAIR": pair} if pair else {}
    there = 'row["label"]' if problem == "single" else 'row["label"] is not None'
    roles = ["text", *(["text_pair"] if pair else [])]
    row = {"text": 'str(row[TEXT] or "")', **({"text_pair": 'str(row[PAIR] or "")'} if pair else {}), "label": label}
    cells = ", ".join(f'"{role}": {read}' for role, read in row.items())
    filled = " and ".join(f'row["{role}"].strip()' for role in roles)
    return Recipe(
        metric=chosen(plan, BY_PROBLEM[problem]),
        columns={"TEXT": columns.get("text", "text"), **pairs, "LABEL": columns.get("label", "label")},
        rows=functions + _ROWS.format(names=names, cells=cells, there=f"{filled} and {there}"),
        group='row["label"]' if problem == "single" else "strata",
        model=MODEL + head("AutoModelForSequenceClassification", problem) + "\n" + PADDING,
        inputs=_encode(problem, paired=bool(pair)) + figures(plan) + "\n\ncollate = DataCollatorWithPadding(tokenizer)",
        names=("AutoModelForSequenceClassification", "AutoTokenizer", "DataCollatorWithPadding"),
        imports=(*imports, *measures(plan), "import numpy as np", "import torch"),
    )


def chosen(plan: Plan, metrics: tuple[str, ...]) -> str:
    """What the best weights are chosen by.

    Raises:
        WorkbenchError: It measures another kind of labels.
    """
    metric = str(plan.spec["metric"] or metrics[0])
    if metric not in metrics:
        raise WorkbenchError(f"{metric} does not measure this. Choose one of: {', '.join(metrics)}.", field="metric")
    return metric


def head(auto_class: str, problem: str = "") -> str:
    """Makes `model`: one with a head of as many outputs as there are labels, or one for a number."""
    several: dict[str, Any] = {
        "num_labels": Name("len(LABELS)"),
        "id2label": Name("dict(enumerate(LABELS))"),
        "label2id": Name("{label: i for i, label in enumerate(LABELS)}"),
    }
    kind: dict[str, Any] = {"problem_type": PROBLEM_TYPES[problem]} if problem else {}
    return "model = " + call(
        f"{auto_class}.from_pretrained",
        Name("MODEL"),
        revision=Name("REVISION"),
        **({"num_labels": 1} if problem == "regression" else several),
        **kind,
        ignore_mismatched_sizes=True,
        dtype=Name("torch.float32"),
    )


def figures(plan: Plan) -> str:
    """Defines `figures`: what an evaluation gives beside the loss."""
    return _FIGURES[plan.problem].replace("MATTHEWS", _MATTHEWS if plan.spec["metric"] == "matthews" else "")


def measures(plan: Plan) -> list[str]:
    """What `figures` imports."""
    if plan.problem == "regression":
        return [
            "from scipy.stats import pearsonr, spearmanr",
            "from sklearn.metrics import mean_absolute_error, mean_squared_error",
        ]
    more = ", matthews_corrcoef" if plan.spec["metric"] == "matthews" else ""
    return [f"from sklearn.metrics import accuracy_score{more}, precision_recall_fscore_support"]


def _encode(problem: str, *, paired: bool) -> str:
    texts = '[row["text"] for row in rows]' + (', [row["text_pair"] for row in rows]' if paired else "")
    return _ENCODE.replace("TEXTS", texts).replace("TARGET", _TARGETS[problem])


_ROWS = '''
def rows_of(split):
    """The rows that have all of their cells."""
{names}    rows = [{{{cells}}} for row in split]
    return [row for row in rows if {there}]'''


#: Loads the tokenizer; the model comes next.
MODEL = """tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
set_seed(SEED)  # the new head's weights are drawn from it
"""

#: Lets a batch hold rows of different lengths.
PADDING = """if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
model.config.pad_token_id = tokenizer.pad_token_id"""

_TARGETS = {
    "single": 'LABELS.index(row["label"])',
    "multi": '[float(label in row["label"]) for label in LABELS]',
    "regression": 'row["label"]',
}

_ENCODE = '''
def encode(rows):
    """Ids and label of each row, cut but not padded: a batch is padded to its own longest row."""
    limit = min(MAX_LENGTH, tokenizer.model_max_length)
    batch = tokenizer(TEXTS, truncation=True, max_length=limit)
    labels = [TARGET for row in rows]
    return [{**{name: batch[name][i] for name in batch}, "labels": labels[i]} for i in range(len(rows))]
'''

_MATTHEWS = ', "matthews": matthews_corrcoef(gold, answers)'

_FIGURES = {
    "single": '''

def figures(predictions, gold):
    """Accuracy, and precision, recall and F1 of the mean class."""
    answers = np.argmax(predictions, -1)
    parts = precision_recall_fscore_support(gold, answers, average="macro", zero_division=0.0)
    macro = dict(zip(("precision", "recall", "f1"), parts))
    return {"accuracy": accuracy_score(gold, answers), **macroMATTHEWS}''',
    "multi": '''

def figures(predictions, gold):
    """Rows with all labels right, and precision, recall and F1 of the mean label among those that occur."""
    gold, answers = np.array(gold).astype(int), (np.array(predictions) >= 0).astype(int)  # a probability of 0.5
    used = (gold | answers).any(0)
    parts = precision_recall_fscore_support(gold[:, used], answers[:, used], average="macro", zero_division=0.0)
    return {"accuracy": accuracy_score(gold, answers), **dict(zip(("precision", "recall", "f1"), parts))}''',
    "regression": '''

def figures(predictions, gold):
    """Mean squared and absolute error, and the correlations of the numbers and of their ranks."""
    answers = np.array(predictions)[:, 0]
    errors = {"mse": mean_squared_error(gold, answers), "mae": mean_absolute_error(gold, answers)}
    return {**errors, "pearson": pearsonr(gold, answers).statistic, "spearman": spearmanr(gold, answers).statistic}''',
}
