"""The library's own way, in a process of its own: `python -m tests.bench.finetune.stock OPTIONS` (JSON).

With `padding` 128 as the examples of transformers do it (`run_glue.py` and its kin pad every row to one length), with 0
by the `Trainer` and a collator that pads a batch to its longest row. Both evaluate and save after every epoch, in fp32.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from seqeval.metrics import f1_score
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

Rows = list[dict[str, Any]]
BLOCK = 128


def padding(length: int) -> dict[str, Any]:
    return {"truncation": True, "max_length": length or 512, "padding": "max_length" if length else False}


def classify(splits: dict[str, Rows], tokenizer: Any, options: dict[str, Any]) -> dict[str, Any]:
    labels = sorted({row["label"] for row in chain(*splits.values())})
    pad = padding(options["padding"])
    encoded = {
        name: [{**tokenizer(row["text"], **pad), "labels": labels.index(row["label"])} for row in rows]
        for name, rows in splits.items()
    }
    model = AutoModelForSequenceClassification.from_pretrained(
        options["model"], num_labels=len(labels), ignore_mismatched_sizes=True
    )

    def scores(prediction: Any) -> dict[str, float]:
        return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}

    return {
        "model": model,
        "train_dataset": encoded["train"],
        "eval_dataset": encoded["validation"],
        "data_collator": DataCollatorWithPadding(tokenizer),
        "compute_metrics": scores,
    }


def tag(splits: dict[str, Rows], tokenizer: Any, options: dict[str, Any]) -> dict[str, Any]:
    labels = sorted({tag for row in chain(*splits.values()) for tag in row["tags"]})
    pad = padding(options["padding"])

    def encode(row: dict[str, Any]) -> dict[str, Any]:
        inputs = tokenizer(row["tokens"], is_split_into_words=True, **pad)
        words = inputs.word_ids()
        first = [word is not None and word != before for before, word in zip([None, *words], words, strict=False)]
        ids = [labels.index(row["tags"][word]) if new else -100 for word, new in zip(words, first, strict=True)]
        return {**inputs, "labels": ids}

    def scores(prediction: Any) -> dict[str, float]:
        found, gold = prediction.predictions.argmax(-1), prediction.label_ids
        kept = gold != -100
        named = [[[labels[i] for i in row[here]] for row, here in zip(ids, kept, strict=True)] for ids in (gold, found)]
        return {"f1": float(f1_score(*named))}

    encoded = {name: [encode(row) for row in rows] for name, rows in splits.items()}
    model = AutoModelForTokenClassification.from_pretrained(options["model"], num_labels=len(labels))
    return {
        "model": model,
        "train_dataset": encoded["train"],
        "eval_dataset": encoded["validation"],
        "data_collator": DataCollatorForTokenClassification(tokenizer),
        "compute_metrics": scores,
    }


def write(splits: dict[str, Rows], tokenizer: Any, options: dict[str, Any]) -> dict[str, Any]:
    def blocks(rows: Rows) -> Rows:
        ids = [i for row in rows for i in (*tokenizer(row["text"])["input_ids"], tokenizer.eos_token_id)]
        parts = [ids[i : i + BLOCK] for i in range(0, len(ids) - BLOCK + 1, BLOCK)]
        return [{"input_ids": part, "labels": part} for part in parts]

    return {
        "model": AutoModelForCausalLM.from_pretrained(options["model"]),
        "train_dataset": blocks(splits["train"]),
        "eval_dataset": blocks(splits["validation"]),
        "data_collator": default_data_collator,
    }


TASKS = {"text-classification": classify, "token-classification": tag, "text-generation": write}


def main(options: dict[str, Any]) -> dict[str, Any]:
    """Train as asked for; seconds of the whole training, and the figures of its last evaluation."""
    set_seed(options["seed"])
    data = Path(options["data"])
    splits = {
        name: [json.loads(line) for line in (data / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")]
        for name in ("train", "validation")
    }
    tokenizer = AutoTokenizer.from_pretrained(options["model"])
    parts = TASKS[options["task"]](splits, tokenizer, options)
    arguments = TrainingArguments(
        output_dir=options["out"],
        num_train_epochs=options["epochs"],
        per_device_train_batch_size=options["batch_size"],
        per_device_eval_batch_size=options["batch_size"],
        learning_rate=options["learning_rate"],
        seed=options["seed"],
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        use_cpu=not torch.cuda.is_available(),
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(args=arguments, processing_class=tokenizer, **parts)
    begun = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - begun
    metrics = trainer.evaluate()
    finite = {name.removeprefix("eval_"): value for name, value in metrics.items() if np.isfinite(value)}
    return {"seconds": seconds, "examples": len(parts["train_dataset"]), **finite}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    Path(asked["answer"]).write_text(json.dumps(main(asked)))
