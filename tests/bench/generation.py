"""Texts streamed to several visitors at once: the worker against one `generate` after the other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from components.service.engine import Engine
from components.service.hub import Hub, Snapshot
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.visitor import Visitor
from tests.bench.machine import ROOT
from tests.bench.table import HEADERS, Curve, Goal, Row, as_text, in_turns

VISITORS = 8
SIZES = (1, 8, 32, 128)
NEW_TOKENS = 48
STORIES = ROOT / "components/starter/repos/models/starter/stories"
ASKED = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False}
PROMPTS = [f"Once upon a time there were {number} small foxes that" for number in range(2, 2 + VISITORS)]


def of_distilgpt2_size(folder: Path) -> Path:
    """A model of the shape of distilgpt2 (6 layers, 768 wide) with random weights and the starter's tokenizer."""
    import torch
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(STORIES)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    for saved in (tokenizer, GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_layer=6, **ends))):
        saved.save_pretrained(folder)
    return folder


@contextmanager
def streaming(folder: Path) -> Iterator[Callable[[str], tuple[float, float, Any]]]:
    """Follows one text through a worker of its own: the seconds to its first token and to its end, and the text."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), cache=Path(home) / "cache")
        hub, engine = Hub(settings), Engine(settings)
        hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", "0" * 40, folder))
        inference, me = Inference(settings, hub, engine), Visitor("machine")

        def follow(prompt: str) -> tuple[float, float, Any]:
            began = time.perf_counter()
            items = inference.stream_task("text-generation", "local/model", prompt, ASKED, visitor=me)
            next(items)
            first = time.perf_counter() - began
            *_, last = items
            return first, time.perf_counter() - began, last["output"]

        try:
            yield follow
        finally:
            engine.close()


def together(follow: Callable[[str], Any], visitors: int, texts: int) -> tuple[float, list[float], list[Any]]:
    """So many texts for so many visitors at a time: tokens a second, the seconds to each first token, the texts."""
    began = time.perf_counter()
    with ThreadPoolExecutor(visitors) as pool:
        done = list(pool.map(follow, [PROMPTS[number % VISITORS] for number in range(texts)]))
    seconds = time.perf_counter() - began
    return texts * NEW_TOKENS / seconds, [first for first, _, _ in done], [output for _, _, output in done]


def measure(rounds: int) -> list[Row]:
    """A starter model, where all around the model counts, and one of distilgpt2's size, where the model does."""
    with tempfile.TemporaryDirectory() as folder:
        large = of_distilgpt2_size(Path(folder))
        return [
            *compare(large, "6 layers, 768 wide, random weights", rounds),
            *compare(STORIES, "a starter model", rounds),
        ]


def compare(folder: Path, told: str, rounds: int) -> list[Row]:
    """Both ways in turns; the texts have to be the same."""
    from transformers import pipeline

    pipe = pipeline("text-generation", model=str(folder), device="cpu")

    def one_after_another() -> tuple[float, list[Any]]:
        began = time.perf_counter()
        outputs = [pipe(prompt, **ASKED) for prompt in PROMPTS]
        return VISITORS * NEW_TOKENS / (time.perf_counter() - began), outputs

    rates: dict[str, list[float]] = {"ours": [], "stock": []}
    firsts: dict[str, list[float]] = {"several": [], "alone": []}
    with streaming(folder) as follow:
        together(follow, VISITORS, VISITORS)
        one_after_another()
        for _ in range(rounds):
            rate, first, outputs = together(follow, VISITORS, VISITORS)
            stock, reference = one_after_another()
            if outputs != reference:
                raise AssertionError("the texts differ from those that are written alone")
            firsts["alone"].append(median(follow(prompt)[0] for prompt in PROMPTS[:3]))
            firsts["several"].append(median(first))
            rates["ours"].append(rate)
            rates["stock"].append(stock)
    what = f"text streamed to {VISITORS} visitors: {told}"
    note = f"{NEW_TOKENS} tokens each, after prompts of about ten words; every text is that of `generate` alone."
    begin = "All ask at the same moment. Nobody waits for company: the first prompt is read at once, and those that "
    begin += "come meanwhile in the next pass, so that most wait for two. By the bare model, a pass over all prompts "
    begin += f"takes {one_pass(pipe):.1f} times one over the first alone."
    return [
        Row(what, "one `generate` after the other", Goal(least=2.5), "tokens/s", rates["ours"], rates["stock"], note),
        Row(
            f"{what}, first token", "one visitor alone", Goal(most=1.5), "s", firsts["several"], firsts["alone"], begin
        ),
    ]


def one_pass(pipe: Any) -> float:
    """How many times as long as the first prompt the model reads all prompts, in one pass."""
    import torch

    tokenizer, model = pipe.tokenizer, pipe.model
    shortest = min(len(tokenizer(prompt)["input_ids"]) for prompt in PROMPTS)
    every = tokenizer(PROMPTS, truncation=True, max_length=shortest, return_tensors="pt")["input_ids"]

    def read(ids: torch.Tensor) -> None:
        with torch.inference_mode():
            model(input_ids=ids)

    seconds = in_turns(5, one=lambda: read(every[:1]), all=lambda: read(every))
    return median(seconds["all"]) / median(seconds["one"])


def curves(rounds: int) -> list[Curve]:
    """From 1 to 128 visitors on the starter model, each number once: what counts is how it grows."""
    lines: dict[str, list[float]] = {"tokens/s": [], "median first token, s": []}
    with streaming(STORIES) as follow:
        together(follow, VISITORS, VISITORS)
        for visitors in SIZES:
            rate, firsts, _ = together(follow, visitors, visitors)
            lines["tokens/s"].append(rate)
            lines["median first token, s"].append(median(firsts))
    return [Curve("Texts streamed at once by a starter model", "visitors", SIZES, lines)]


def main() -> None:
    """Measure once and print the table."""
    print(as_text([HEADERS, *(row.cells() for row in measure(1))]))


if __name__ == "__main__":
    main()
