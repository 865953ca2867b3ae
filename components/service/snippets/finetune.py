"""The script that does what a run does: the same rows in the same order, the same arguments, the same figures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.spec import RunSpec
from components.service.runs.splits import split_rows
from components.service.snippets.code import Name, call, program

READERS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
#: Longest sequence, or block, where the spec names none.
LENGTHS = {"text-classification": 512, "text-generation": 128, "fill-mask": 128}
AUTO_CLASSES = {"text-generation": "AutoModelForCausalLM", "fill-mask": "AutoModelForMaskedLM"}


def finetune_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """`transformers.Trainer` called as the run calls it.

    Args:
        arguments: `spec` and `dtype` as the run's state gives them (or the spec itself).
        endpoint: The Hub in use.
    """
    spec = {**_defaults(), **{k: v for k, v in dict(arguments.get("spec") or arguments).items() if v is not None}}
    task = spec.get("task")
    if task not in LENGTHS or not spec.get("model") or not spec.get("data"):
        raise WorkbenchError("A script needs a run's task, model and data.", field="arguments")
    dtype = str(arguments.get("dtype") or spec["precision"])
    classifies = task == "text-classification"
    load, reading = _data(spec["data"])
    names = _CLASSIFIER_NAMES if classifies else (AUTO_CLASSES[task], "DataCollatorForLanguageModeling", *_NAMES)
    measure = ["from sklearn.metrics import accuracy_score, f1_score"] if classifies else []
    libraries = sorted([*reading, *measure, "import torch"], key=lambda line: line.split()[1])
    imports = ["import random", "from collections.abc import Hashable, Sequence", "", *libraries]
    imports.append("from transformers import (\n" + "".join(f"    {name},\n" for name in sorted(names)) + ")")
    split = f"\n{inspect.getsource(split_rows).rstrip()}"
    steps = [_ROWS, split, _SPLIT, _ENCODE, _CLASSIFIER] if classifies else [_TEXTS, split, _SPLIT_TEXTS, _BLOCKS]
    model = "" if classifies else _LANGUAGE.replace("AutoModel", AUTO_CLASSES[task])
    return program(endpoint, imports, _constants(spec), load, *steps, model, _trainer(spec, dtype))


def _defaults() -> dict[str, Any]:
    return RunSpec(task="", model="", data={}).to_dict()


def _constants(spec: Mapping[str, Any]) -> str:
    columns = spec["columns"]
    here = str(spec["model"]).startswith("runs/")
    values = {
        "MODEL": spec["model"],
        "REVISION": None if here else spec["revision"],
        "TEXT": columns.get("text", "text"),
        "PAIR": columns.get("text_pair"),
        "LABEL": columns.get("label", "label"),
        "MAX_LENGTH": spec["max_length"] or LENGTHS[spec["task"]],
        "VALIDATION": spec["validation"],
        "SEED": spec["seed"],
    }
    if spec["task"] != "text-classification":
        del values["PAIR"], values["LABEL"]
        values["MASKED"] = spec["task"] == "fill-mask"
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    note = ["# This run is on no Hub yet: publish it, and put the repository's id here."] if here else []
    return "\n".join([*note, *lines])


def _data(data: Mapping[str, Any]) -> tuple[str, list[str]]:
    """How the rows are read, and what must be imported for it."""
    if "dataset" in data:
        named = [data["config"]] if data.get("config") else []
        pinned = {"revision": data["revision"]} if data.get("revision") else {}
        return f"data = {call('load_dataset', data['dataset'], *named, **pinned)}", [
            "from datasets import load_dataset"
        ]
    name = Path(str(data.get("name") or data.get("file") or "pasted.csv")).name
    reader = READERS.get(Path(name).suffix.lower(), "csv")
    if reader != "csv":
        return f"data = {call('load_dataset', reader, data_files=name)}", ["from datasets import load_dataset"]
    # Every cell as it is written: a label 1 is the text 1, and NA is a word.
    tabs: dict[str, Any] = {"sep": "\t"} if name.lower().endswith(".tsv") else {}
    read = call("pd.read_csv", name, dtype=Name("str"), keep_default_na=False, **tabs)
    loaded = f"table = {read}\ndata = DatasetDict(train=Dataset.from_pandas(table))"
    return loaded, ["import pandas as pd", "from datasets import Dataset, DatasetDict"]


def _trainer(spec: Mapping[str, Any], dtype: str) -> str:
    classifies = spec["task"] == "text-classification"
    arguments = call(
        "TrainingArguments",
        output_dir="checkpoints",
        num_train_epochs=spec["epochs"],
        per_device_train_batch_size=spec["batch_size"],
        per_device_eval_batch_size=2 * spec["batch_size"],
        learning_rate=spec["learning_rate"],
        weight_decay=spec["weight_decay"],
        warmup_steps=spec["warmup"],
        lr_scheduler_type=spec["schedule"],
        seed=Name("SEED"),
        bf16=dtype == "bf16",
        train_sampling_strategy="group_by_length" if classifies else "random",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=spec["keep"] == "best",
        metric_for_best_model="f1" if classifies else "loss",
        greater_is_better=classifies,
        logging_nan_inf_filter=False,
        report_to="none",
    )
    trainer = call(
        "Trainer",
        model=Name("model"),
        args=Name("arguments"),
        train_dataset=Name("encode(train)"),
        eval_dataset=Name("encode(validation)"),
        data_collator=Name("collate"),
        processing_class=Name("tokenizer"),
        compute_metrics=Name("compute_metrics" if classifies else "None"),
    )
    return f"arguments = {arguments}\ntrainer = {trainer}\n{_TRAIN}"


_NAMES = ("AutoTokenizer", "Trainer", "TrainingArguments", "set_seed")
_CLASSIFIER_NAMES = ("AutoModelForSequenceClassification", "DataCollatorWithPadding", *_NAMES)

_ROWS = '''
def rows_of(split):
    """(text, second text or None, label) of each row that has them."""
    names = getattr(split.features[LABEL], "names", None)
    rows = []
    for row in split:
        text, pair, label = row[TEXT], row[PAIR] if PAIR else None, row[LABEL]
        if names and label is not None:
            label = names[label] if 0 <= label < len(names) else None
        if isinstance(label, float) and label.is_integer():
            label = int(label)
        label = "" if label is None else str(label).strip()
        if str(text or "").strip() and label and (not PAIR or str(pair or "").strip()):
            rows.append((str(text), str(pair) if PAIR else None, label))
    return rows


def ordered(labels):
    """By number where all are numbers, else by name."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)'''

_TEXTS = '''
def texts_of(split):
    """The texts that are not empty."""
    return [str(row[TEXT]) for row in split if str(row[TEXT] or "").strip()]'''

_SPLIT = """
train = rows_of(data["train"])
if "validation" in data:
    validation = rows_of(data["validation"])
else:
    train = list(dict.fromkeys(train))
    kept, held = split_rows([label for _, _, label in train], VALIDATION, SEED)
    train, validation = [train[i] for i in kept], [train[i] for i in held]
test = rows_of(data["test"]) if "test" in data else []
names = getattr(data["train"].features[LABEL], "names", None)
labels = names or ordered({label for _, _, label in train + validation + test})"""

_SPLIT_TEXTS = """
train = texts_of(data["train"])
if "validation" in data:
    validation = texts_of(data["validation"])
else:
    train = list(dict.fromkeys(train))
    kept, held = split_rows([None] * len(train), VALIDATION, SEED)
    train, validation = [train[i] for i in kept], [train[i] for i in held]"""

_ENCODE = '''tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token


def encode(rows):
    """Ids and label of each row, cut but not padded: a batch is padded to its own longest row."""
    pairs = [pair for _, pair, _ in rows] if PAIR else None
    limit = min(MAX_LENGTH, tokenizer.model_max_length)
    batch = tokenizer([text for text, _, _ in rows], pairs, truncation=True, max_length=limit)
    return [{**{key: batch[key][i] for key in batch}, "labels": labels.index(row[2])} for i, row in enumerate(rows)]


def compute_metrics(prediction):
    """Accuracy and macro F1."""
    logits = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    gold, answers = prediction.label_ids, logits.argmax(-1)
    f1 = f1_score(gold, answers, average="macro", zero_division=0.0)
    return {"accuracy": accuracy_score(gold, answers), "f1": f1}'''

_CLASSIFIER = """
set_seed(SEED)  # the new head's weights are drawn from it
model = AutoModelForSequenceClassification.from_pretrained(
    MODEL,
    revision=REVISION,
    num_labels=len(labels),
    id2label=dict(enumerate(labels)),
    label2id={label: i for i, label in enumerate(labels)},
    problem_type="single_label_classification",
    ignore_mismatched_sizes=True,
    dtype=torch.float32,
)
model.config.pad_token_id = tokenizer.pad_token_id
collate = DataCollatorWithPadding(tokenizer)"""

_BLOCKS = '''tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)


def encode(texts):
    """Blocks of one length, cut from the texts joined by the end-of-text token; labels are the ids."""
    end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
    first, last = ([tokenizer.cls_token_id], [tokenizer.sep_token_id]) if MASKED else ([], [])
    size = min(MAX_LENGTH, tokenizer.model_max_length) - len(first + last)
    ids = [i for one in tokenizer(texts, add_special_tokens=False)["input_ids"] for i in (*one, end)]
    whole = len(ids) - len(ids) % size if len(ids) >= size else len(ids)
    blocks = [first + ids[i : i + size] + last for i in range(0, whole, size)]
    return [{"input_ids": block} if MASKED else {"input_ids": block, "labels": block} for block in blocks]'''

_LANGUAGE = """
set_seed(SEED)
model = AutoModel.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
collate = DataCollatorForLanguageModeling(tokenizer, mlm=MASKED)"""

_TRAIN = """
set_seed(SEED)  # the order of the rows and dropout are drawn from it
trainer.train()
result = trainer.evaluate()
print(result)
trainer.save_model("model")"""

#: The views of this file.
FINETUNE_VIEWS: dict[str, Callable[[Mapping[str, Any], str], str]] = {"finetune": finetune_snippet}
