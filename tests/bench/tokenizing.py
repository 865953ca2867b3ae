"""Long texts through the inspector against the bare `tokenizer(text)`, and what is sent to the page for them.

The tokenizer is a byte-level BPE of 20,000 entries that is trained on the text itself.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.app import App, running
from tests.bench.table import Curve, Goal, Row, in_turns

SIZE = 1_000_000
SIZES = (1_000, 10_000, 100_000, 1_000_000, 4_000_000)
SENT = 300.0


def words(size: int) -> str:
    """A text of made-up words in the proportions of a language: a few very frequent, most rare. ASCII: a character is
    a byte."""
    draw = random.Random(0)
    syllables = [a + b for a in "bdfgklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "ing")]
    known = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, len(known) + 1)]
    picked = draw.choices(known, weights, k=size // 4)
    return " ".join(word + "." * (place % 12 == 11) for place, word in enumerate(picked))[:size]


def train(text: str, folder: Path) -> Any:
    """A byte-level BPE of 20,000 entries, saved and opened again as a visitor's would be."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=20_000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


@contextmanager
def prepared() -> Iterator[tuple[App, str, Any]]:
    """The app, the id of a model that has the tokenizer, and the tokenizer."""
    with tempfile.TemporaryDirectory() as folder, running() as app:
        bare = train(words(SIZE), Path(folder))
        yield app, app.push(Path(folder), "bench"), bare


def ways(app: App, model: str, bare: Any, text: str) -> tuple[dict[str, Callable[[], Any]], dict[str, Any]]:
    """Both ways for a text, warmed up, and where they leave what they made."""
    made: dict[str, Any] = {}

    def ours() -> None:
        made["ours"] = app.ask("tokenize", model, text)

    def stock() -> None:
        made["stock"] = bare(text)["input_ids"]

    ours()
    stock()
    if made["ours"].value[0]["counts"]["tokens"] != len(made["stock"]):
        raise AssertionError("the inspector counts other tokens")
    return {"stock": stock, "ours": ours}, made


def measure(rounds: int) -> list[Row]:
    """Time through HTTP, and bytes to the page."""
    text = words(SIZE)
    with prepared() as (app, model, bare):
        both, _ = ways(app, model, bare, text)
        seconds = in_turns(3 * rounds, **both)
        page = app.press("tok-run", {"tok-text": text, "Tokenizer of": model})
    return [
        Row(
            "1 MB of text in the inspector",
            "tokenizer(text)",
            Goal(most=1.5),
            "s",
            seconds["ours"],
            seconds["stock"],
            "Through HTTP, from the request with the text to the whole answer: tokens, stages, offsets, round trip.",
        ),
        Row(
            "1 MB of text in the inspector: sent to the page",
            f"a limit of {SENT:g} kB",
            Goal(most=1),
            "kB",
            [page.bytes / 1000],
            [SENT],
            "All messages of the page's own handler of the Tokenize button, uncompressed.",
        ),
    ]


def curves(rounds: int) -> list[Curve]:
    """From 1 kB to 4 MB of text."""
    lines: dict[str, list[float]] = {"inspector, s": [], "tokenizer(text), s": [], "answer, kB": []}
    with prepared() as (app, model, bare):
        for size in SIZES:
            both, made = ways(app, model, bare, words(size))
            seconds = in_turns(max(2, rounds), **both)
            lines["inspector, s"].append(median(seconds["ours"]))
            lines["tokenizer(text), s"].append(median(seconds["stock"]))
            lines["answer, kB"].append(made["ours"].bytes / 1000)
    return [Curve("Text in the inspector", "bytes of text", SIZES, lines)]
