"""Many visitors at once: the app against its own page with transformers' pipeline, or with nothing, behind it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.app import App, free_port, running, started
from tests.bench.batch import STARTER, TASK, apart, mixed
from tests.bench.crowd import Caller, Visits, visit
from tests.bench.table import HEADERS, Curve, Goal, Row, as_text

VISITORS = 32
SIZES = (1, 8, 32, 128)
#: How far a score may be from that of the pipeline in float32: the app computes large models in bfloat16 where the
#: processor is quick at it.
TOLERANCE = {"float32": 1e-4, "bfloat16": 1e-2}
#: Texts of up to this many words, as one types them.
SHORT = 40


def of_bert_base_size(folder: Path) -> Path:
    """A model of the shape of BERT-base (12 layers, 768 wide) with random weights and the starter's tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(STARTER)
    model = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), num_labels=2))
    for saved in (tokenizer, model):
        saved.save_pretrained(folder)
    return folder


def short(count: int) -> list[str]:
    return [" ".join(text.split()[:SHORT]) for text in mixed(count)]


@contextmanager
def both(folder: Path) -> Iterator[tuple[App, str]]:
    """The app, and the address of its page with the stock ways behind it."""
    port = free_port()
    with running() as app, tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "tests.bench.stock", "--port", str(port), "--home", home, str(folder)]
        with started(command, port):
            yield app, f"http://127.0.0.1:{port}"


def crowds(app: App, stock: str, model: str, texts: list[str]) -> dict[str, Callable[[int, int], Visits]]:
    """Each way of serving, as a function of the number of visitors and of their calls."""

    def asking(endpoint: str, *values: Any) -> Callable[[Caller, int], Any]:
        return lambda caller, number: caller.call(endpoint, *values, texts[number % len(texts)])

    def ours(caller: Caller, number: int) -> Any:
        return caller.call("run_task", TASK, model, texts[number % len(texts)], None, None)[0]["output"]

    def theirs(caller: Caller, number: int) -> Any:
        return caller.call("stock", texts[number % len(texts)], {"top_k": None})[0]

    def in_turn(caller: Caller, number: int) -> Any:
        return caller.call("stock_in_turn", texts[number % len(texts)], {"top_k": None})[0]

    return {
        "ours": lambda visitors, calls: visit(app.url, visitors, calls, ours),
        "stock": lambda visitors, calls: visit(stock, visitors, calls, theirs),
        "in turn": lambda visitors, calls: visit(stock, visitors, calls, in_turn),
        "empty": lambda visitors, calls: visit(stock, visitors, calls, asking("empty")),
    }


def settled(visits: Visits, reference: list[Any], dtype: str) -> Visits:
    """The same, once its answers are those of the pipeline."""
    worst = apart(list(visits.outputs), [reference[number % len(reference)] for number in range(len(visits.outputs))])
    if worst > TOLERANCE[dtype]:
        raise AssertionError(f"scores differ by {worst:.1e}")
    return visits


def measure(rounds: int) -> list[Row]:
    """32 visitors on a model of BERT-base's size, and on a starter model."""
    with tempfile.TemporaryDirectory() as folder, both(of_bert_base_size(Path(folder))) as (app, stock):
        large = large_model(app, stock, app.push(Path(folder), "bert-base-size"), rounds)
        return [*large, starter_model(app, stock, rounds)]


def large_model(app: App, stock: str, model: str, rounds: int) -> list[Row]:
    """Throughput and waits against both stock ways, of which the quicker one of each round counts."""
    texts = short(VISITORS * 2)
    ways = crowds(app, stock, model, texts)
    reference = list(ways["in turn"](1, len(texts)).outputs)
    ways["ours"](VISITORS, VISITORS)
    dtypes = {"stock": "float32", "in turn": "float32", "ours": app.call("run_task", TASK, model, "I love it")["dtype"]}
    found: dict[str, list[Visits]] = {name: [] for name in ("ours", "stock", "in turn")}
    for number in range(rounds):
        for name in list(found) if number % 2 == 0 else reversed(found):
            found[name].append(settled(ways[name](VISITORS, len(texts)), reference, dtypes[name]))
    quicker = [max(pair, key=lambda one: one.rate) for pair in zip(found["stock"], found["in turn"], strict=True)]
    against = "the same page with `pipeline` called per request"
    what = f"{VISITORS} visitors, 12 layers, 768 wide, random weights"
    note = f"Texts of 2 to {SHORT} words. The quicker of {VISITORS // 2} requests at once and one at a time counts. "
    note += f"The app computes in {dtypes['ours']}."
    return [
        Row(f"{what}: throughput", against, Goal(least=4), "calls/s", *rates(found["ours"], quicker), note),
        Row(
            f"{what}: 95 of 100 answers within",
            against,
            Goal(most=1.0),
            "s",
            [one.p95 for one in found["ours"]],
            [one.p95 for one in quicker],
        ),
    ]


def starter_model(app: App, stock: str, rounds: int) -> Row:
    """Throughput against the page's own with nothing behind it."""
    texts = short(VISITORS * 8)
    ways = crowds(app, stock, "starter/sentiment", texts)
    found: dict[str, list[Visits]] = {name: [] for name in ("ours", "empty")}
    for way in found:
        ways[way](VISITORS, VISITORS)
    for number in range(rounds):
        for name in list(found) if number % 2 == 0 else reversed(found):
            found[name].append(ways[name](VISITORS, len(texts)))
    return Row(
        f"{VISITORS} visitors, a starter model: throughput",
        "the same page with an empty function",
        Goal(least=0.8),
        "calls/s",
        *rates(found["ours"], found["empty"]),
        "The visitors' own work is done on the same cores.",
    )


def rates(ours: list[Visits], stock: list[Visits]) -> tuple[list[float], list[float]]:
    return [one.rate for one in ours], [one.rate for one in stock]


def curves(rounds: int) -> list[Curve]:
    """From 1 to 128 visitors on the model of BERT-base's size, each number once: what counts is how it grows."""
    lines: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, both(of_bert_base_size(Path(folder))) as (app, stock):
        texts = short(max(SIZES))
        ways = crowds(app, stock, app.push(Path(folder), "bert-base-size"), texts)
        ways["ours"](4, 8)
        for visitors in SIZES:
            for name in ("ours", "stock"):
                visits = ways[name](visitors, max(16, visitors))
                lines.setdefault(f"{name}, calls/s", []).append(visits.rate)
                lines.setdefault(f"{name}, 95 of 100 within, s", []).append(visits.p95)
    return [Curve("Visitors at once on a model of BERT-base's size", "visitors", SIZES, lines)]


def main() -> None:
    """Measure once and print the table."""
    print(as_text([HEADERS, *(row.cells() for row in measure(1))]))


if __name__ == "__main__":
    main()
