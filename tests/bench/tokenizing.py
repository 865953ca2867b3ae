"""1 MB of text through the inspector's `tokenize` against the bare `tokenizer(text)`, in turns on the same machine.

    python -m tests.bench.tokenizing [--folder TOKENIZER] [--text FILE] [--rounds 7]

Without a folder a byte-level BPE is trained on the text itself. Ours counts the call into the worker process, both
ways, and the answer with its window, its stages and its round trip.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from components.service.engine import Engine
from components.service.hub import Hub, Snapshot
from components.service.settings import Settings
from components.service.tokens import Tokens
from components.service.visitor import Visitor

SIZE = 1_000_000


def words(seed: int = 0) -> str:
    """A text of made-up words in the proportions of a language: a few very frequent, most rare."""
    draw = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "ing")]
    known = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, len(known) + 1)]
    picked = draw.choices(known, weights, k=SIZE // 4)
    return " ".join(word + "." * (place % 12 == 11) for place, word in enumerate(picked))[:SIZE]


def train(text: str, folder: Path) -> None:
    """A byte-level BPE of 20,000 entries."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=20_000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)


def measure(folder: Path, text: str, rounds: int, home: Path) -> dict[str, Any]:
    """Medians in seconds of both, in turns, and the size of our answer in bytes."""
    settings = Settings(home=home, cache=home / "cache")
    hub, engine = Hub(settings), Engine(settings)
    hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", "0" * 40, folder))
    tokens, me = Tokens(settings, hub, engine), Visitor("machine")
    bare = AutoTokenizer.from_pretrained(folder)
    times: tuple[list[float], list[float]] = ([], [])
    try:
        tokens.tokenize("local/bench", text, visitor=me)
        for _ in range(rounds):
            began = time.perf_counter()
            ids = bare(text)["input_ids"]
            times[0].append(time.perf_counter() - began)
            began = time.perf_counter()
            answer = tokens.tokenize("local/bench", text, visitor=me)
            times[1].append(time.perf_counter() - began)
            assert answer["counts"]["tokens"] == len(ids)
    finally:
        engine.close()
    return {
        "bare": statistics.median(times[0]),
        "ours": statistics.median(times[1]),
        "bytes": len(orjson.dumps(answer)),
    }


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    text = given.text.read_text()[:SIZE] if given.text else words()
    with tempfile.TemporaryDirectory() as home:
        folder = given.folder or Path(home) / "tokenizer"
        if given.folder is None:
            train(text, folder)
        seen = measure(folder, text, given.rounds, Path(home))
    print(f"{'':28}{'bare':>12}{'inspector':>12}{'ratio':>8}")
    print(f"{'1 MB of text, s':28}{seen['bare']:12.3f}{seen['ours']:12.3f}{seen['ours'] / seen['bare']:8.2f}")
    print(f"{'answer, kB':28}{'':12}{seen['bytes'] / 1000:12.0f}")
    print(f"medians of {given.rounds} rounds, in turns")


if __name__ == "__main__":
    main()
