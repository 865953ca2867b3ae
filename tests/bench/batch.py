"""A batch through the app's HTTP against `pipeline(list, batch_size=32)`, on the same rows and model.

The answers have to be the same within `TOLERANCE`, or there is no figure.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.app import App, running
from tests.bench.machine import ROOT
from tests.bench.table import Goal, Row, in_turns

TASK = "text-classification"
WORDS = ("love", "this", "film", "and", "it", "is", "wonderful", "awful", "dull", "far", "too", "long", "but", "great")
ROWS, FEWER = 2000, 1000
TOLERANCE = 1e-5
#: Rows of a pass, where the model alone is measured.
STACK = 64
STARTER = ROOT / "components/starter/repos/models/starter/sentiment"


def mixed(count: int) -> list[str]:
    """Texts of 2 to 200 words, most of them short, as reviews are: lengths are log-normal with a median of 16."""
    draw = random.Random(0)
    lengths = [min(200, max(2, int(draw.lognormvariate(2.8, 0.8)))) for _ in range(count)]
    return [" ".join(draw.choices(WORDS, k=length)) for length in lengths]


def of_minilm_size(folder: Path) -> Path:
    """A model of the shape of all-MiniLM-L6-v2 (6 layers, 384 wide) with random weights and the starter's tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(STARTER)
    shape = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    model = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), num_labels=2, **shape))
    for saved in (tokenizer, model):
        saved.save_pretrained(folder)
    return folder


def apart(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference of a score between two lists of answers."""

    def by_label(output: list[dict[str, Any]]) -> dict[str, float]:
        return {one["label"]: one["score"] for one in output}

    pairs = [(by_label(one), by_label(two)) for one, two in zip(ours, theirs, strict=True)]
    if any(one.keys() != two.keys() for one, two in pairs):
        raise AssertionError("the answers have different labels")
    return max(abs(one[label] - two[label]) for one, two in pairs for label in one)


def measure(rounds: int) -> list[Row]:
    """A starter model, where all around the model counts, and one of MiniLM's size, where the model does."""
    with tempfile.TemporaryDirectory() as folder, running() as app:
        large = app.push(of_minilm_size(Path(folder)), "minilm-size")
        return [
            compare(app, "starter/sentiment", STARTER, ROWS, "a starter model", rounds),
            compare(app, large, Path(folder), FEWER, "6 layers, 384 wide, random weights", rounds),
        ]


def compare(app: App, model: str, folder: Path, count: int, told: str, rounds: int) -> Row:
    """Both ways on one model, warm, in turns."""
    from transformers import pipeline

    rows = mixed(count)
    stock = pipeline(TASK, model=str(folder), device="cpu")
    outputs: dict[str, list[Any]] = {}

    def ours() -> None:
        outputs["ours"] = [row["output"] for row in app.call("run_batch", TASK, model, rows)["rows"]]

    def theirs() -> None:
        outputs["stock"] = stock(rows, batch_size=32, top_k=None, truncation=True)

    app.call("run_batch", TASK, model, rows[:32])
    stock(rows[:32], batch_size=32)
    seconds = in_turns(rounds, stock=theirs, ours=ours, bare=bare(stock, rows))
    if (worst := apart(outputs["ours"], outputs["stock"])) > TOLERANCE:
        raise AssertionError(f"scores differ by {worst:.1e}")
    return Row(
        f"{count:,} rows in Batch: {told}",
        "pipeline(list, batch_size=32)",
        Goal(least=3),
        "rows/s",
        *([count / one for one in seconds[way]] for way in ("ours", "stock")),
        f"From the request to the whole answer. Texts of 2 to 200 words; scores differ by at most {worst:.0e}. The "
        f"model alone reads {count / min(seconds['bare']):,.0f} rows a second, sorted by length and ready as tensors.",
    )


def bare(pipe: Any, rows: list[str]) -> Callable[[], None]:
    """The passes of a pipeline's model over rows that are sorted and tokenized, of which no way can do without one."""
    import torch

    texts = sorted(rows, key=len)
    batches = [
        pipe.tokenizer(texts[start : start + STACK], padding=True, truncation=True, return_tensors="pt")
        for start in range(0, len(texts), STACK)
    ]

    def passes() -> None:
        with torch.inference_mode():
            for batch in batches:
                pipe.model(**batch)

    return passes
