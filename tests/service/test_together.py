"""Calls of several visitors in one pass: each gets what it gets alone, and nobody waits for company."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from task_checks import near

from components.service.errors import WorkbenchError
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.visitor import Visitor
from components.service.worker.calls import Call
from components.service.worker.lanes import MOST, Job, Lanes
from components.service.worker.models import Models
from components.service.worker.run import run_task
from components.service.worker.stream import stream_task
from components.service.worker.together import lane_of, run_together

CLASSIFY = "text-classification"
TEXTS = ["I love this film", "warm", "I hate this so much!", "It is awful, dull and far too long. " * 12, "so simple"]
MASKS = [f"{text} [MASK]" for text in TEXTS[:3]] + ["no mask here"]
ASKED = [{"question": "Who said?", "context": text} for text in ("said the fox. " * 40, "I love this", "it is warm")]
TOGETHER: list[tuple[str, str, list[Any], dict[str, Any]]] = [
    (CLASSIFY, "service_models:classifier", TEXTS, {"top_k": 2}),
    (CLASSIFY, "service_models:classifier", [*TEXTS[:3], {"text": "I love", "text_pair": "the fox"}], {}),
    ("token-classification", "text_models:tagger", TEXTS, {}),
    ("token-classification", "text_models:tagger", TEXTS, {"stride": 8}),
    ("fill-mask", "text_models:masked", MASKS, {}),
    ("zero-shot-classification", "text_models:entailer", TEXTS, {"candidate_labels": ["warm", "very awful", "dull"]}),
    ("feature-extraction", "text_models:encoder", TEXTS, {}),
    ("feature-extraction", "text_models:encoder", TEXTS, {"pooling": "mean", "normalize": True}),
    ("question-answering", "text_models:reader", ASKED, {"top_k": 2}),
    ("image-classification", "vision_models:image_classifier", [{"sample": "cat.png"}, {"sample": "street.png"}], {}),
]


@pytest.fixture(scope="module")
def worker(settings: Settings) -> Iterator[Models]:
    models = Models(settings, lambda _: None)
    yield models
    models.clear()


@pytest.fixture(scope="module")
def ask(settings: Settings, worker: Models, models_folder: Path) -> Callable[..., Job]:
    """A call as the worker holds it: takes its number, the task, `module:model`, the input and the parameters."""

    def job(number: int, task: str, model: str, item: Any, parameters: dict[str, Any]) -> Job:
        module, _, build = model.partition(":")
        path = models_folder / build
        if not path.exists():
            getattr(import_module(module), build)(path)
        asked = {"task": task, "path": str(path), "model": build, "inputs": item, "parameters": parameters}
        return Job(number, Call(settings, worker, lambda _: None), "run_task", {**asked, "seconds": 60.0})

    return job


def alone(job: Job) -> dict[str, Any]:
    try:
        return run_task(job.call, **job.arguments)
    except WorkbenchError as error:
        return {"error": error.message}


def told(value: dict[str, Any]) -> dict[str, Any]:
    """What has to be as it is alone: all but the times."""
    return {name: one for name, one in value.items() if name not in ("seconds", "load_seconds")}


@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), TOGETHER)
def test_each_call_gets_what_it_gets_alone_in_fewer_passes(
    ask: Callable[..., Job], worker: Models, task: str, model: str, inputs: list[Any], parameters: dict[str, Any]
) -> None:
    if isinstance(inputs[0], dict) and "sample" in inputs[0]:
        from components.service.tasks.media import sample

        inputs = [{"path": str(sample(one["sample"]))} for one in inputs]
    jobs = [ask(number, task, model, item, parameters) for number, item in enumerate(inputs)]
    assert len({lane_of(job.name, job.arguments) for job in jobs}) == 1
    expected = [alone(job) for job in jobs]
    passes: list[int] = []
    from components.service.tasks import TASKS

    loaded, _ = worker.load(jobs[0].arguments["path"], TASKS[task], "again")
    with loaded.model.register_forward_hook(lambda *_: passes.append(1)):
        for job in jobs:
            alone(job)
        apart = len(passes)
        list(run_together(jobs))  # the first time it looks whether padding may be trusted
        passes.clear()
        got = {job.number: value for job, value in run_together(jobs)}
    assert len(passes) < apart
    assert got.keys() == {job.number for job, value in zip(jobs, expected, strict=True) if "error" not in value}
    for number, value in got.items():
        assert told(value) == near(told(expected[number]))


def test_a_model_that_reads_the_padding_is_given_none(ask: Callable[..., Job], worker: Models) -> None:
    from components.service.tasks import TASKS

    jobs = [ask(number, CLASSIFY, "service_models:classifier", text, {}) for number, text in enumerate(TEXTS)]
    worker.clear()
    loaded, _ = worker.load(jobs[0].arguments["path"], TASKS[CLASSIFY], "maskless")

    def without_mask(_model: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        return args, {**kwargs, "attention_mask": None}

    with loaded.model.register_forward_pre_hook(without_mask, with_kwargs=True):
        expected = [alone(job)["output"] for job in jobs]
        got = {job.number: value["output"] for job, value in run_together(jobs)}
    assert loaded.takes_padding is False
    assert [got[job.number] for job in jobs] == near(expected)
    worker.clear()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("run_stages", {}),
        ("run_task", {"task": "text-generation"}),
        ("run_task", {"inputs": ["a list", "of texts"]}),
    ],
)
def test_what_cannot_share_a_pass_has_no_lane(ask: Callable[..., Job], name: str, change: dict[str, Any]) -> None:
    assert lane_of(name, {**ask(0, CLASSIFY, "service_models:classifier", "a", {}).arguments, **change}) is None


def test_other_parameters_are_another_lane(ask: Callable[..., Job]) -> None:
    asked = [{}, {"top_k": 1}, {"top_k": 2}]
    lanes = {lane_of("run_task", ask(0, CLASSIFY, "service_models:classifier", "a", one).arguments) for one in asked}
    assert len(lanes) == 3


class Served:
    """What lanes had served, batch by batch; the first batch waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.done = threading.Semaphore(0)

    def serve(self, jobs: list[Job]) -> None:
        self.batches.append([job.number for job in jobs])
        self.begun.set()
        assert self.go.wait(20)
        for _ in jobs:
            self.done.release()

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self.done.acquire(timeout=20)


def test_a_lone_call_begins_at_once_and_those_that_come_meanwhile_go_together(ask: Callable[..., Job]) -> None:
    served = Served()
    with ThreadPoolExecutor(2) as pool:
        lanes = Lanes(pool.submit, served.serve)
        jobs = [ask(number, CLASSIFY, "service_models:classifier", "a", {}) for number in range(MOST + 6)]
        lanes.add("lane", jobs[0])
        assert served.begun.wait(20)
        for job in jobs[1:]:
            lanes.add("lane", job)
        lanes.add("other", jobs[0])  # has a thread of its own
        served.go.set()
        served.wait(len(jobs) + 1)
    own = [batch for batch in served.batches if batch != [0]]
    assert served.batches.count([0]) == 2
    assert own == [list(range(1, MOST + 1)), list(range(MOST + 1, MOST + 6))]


def test_calls_at_once_through_the_worker_are_answered_each_with_its_own(
    inference: Inference, visitor: Visitor, tiny_classifier: Path
) -> None:
    texts = [f"{text} {number}" for number, text in enumerate(TEXTS * 4)]
    texts[7] = ""

    def call(text: str) -> Any:
        try:
            return inference.run_task(CLASSIFY, "local/classifier", text, visitor=visitor)["output"]
        except WorkbenchError as error:
            return error.message

    expected = [call(text) for text in texts]
    with ThreadPoolExecutor(len(texts)) as pool:
        got = list(pool.map(call, texts))
    assert got == near(expected)
    assert "no text yet" in got[7]


GENERATE = "text-generation"
PROMPTS = ["Once upon a time", "I love", "It is awful, dull and far too long", "the fox said that", "warm"]
WRITTEN: list[dict[str, Any]] = [
    {"max_new_tokens": 12},
    {"max_new_tokens": 9, "min_new_tokens": 9, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2},
    {"max_new_tokens": 12, "do_sample": True, "seed": 5, "temperature": 1.2},
    {"max_new_tokens": 12, "seed": 7, "top_k": 20, "top_p": 0.9, "typical_p": 0.9},
    {"max_new_tokens": 6, "num_beams": 2},
    {"max_new_tokens": 12, "return_full_text": False, "stop": ["a"]},
]


@pytest.fixture(scope="module")
def write(ask: Callable[..., Job]) -> Callable[..., list[dict[str, Any]]]:
    """Streams a text for each prompt, one after another or all at once; gives what each told, item by item."""

    def stream(job: Job) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        stream_task(replace(job.call, emit=items.append), **job.arguments)
        return items

    def all_prompts(parameters: dict[str, Any], threads: int) -> list[list[dict[str, Any]]]:
        jobs = [ask(0, GENERATE, "service_models:generator", prompt, parameters) for prompt in PROMPTS]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(stream, jobs))

    return all_prompts


@pytest.mark.parametrize("parameters", WRITTEN)
def test_texts_written_at_the_same_time_are_those_written_alone(
    write: Callable[..., Any], parameters: dict[str, Any]
) -> None:
    def lasting(items: list[dict[str, Any]]) -> Any:
        return [item["text"] for item in items], items[-1]["output"], items[-1]["reason"], items[-1]["parameters"]

    alone, together = write(parameters, 1), write(parameters, len(PROMPTS))
    assert [lasting(one) for one in together] == [lasting(one) for one in alone]


def test_several_texts_share_their_steps(write: Callable[..., Any], ask: Callable[..., Job], worker: Models) -> None:
    from components.service.tasks import TASKS

    length = {"max_new_tokens": 14, "min_new_tokens": 14}
    write(length, 2)  # the first time it looks whether the model can
    loaded, _ = worker.load(ask(0, GENERATE, "service_models:generator", "", {}).arguments["path"], TASKS[GENERATE], "")
    passes: list[int] = []
    with loaded.model.register_forward_hook(lambda *_: passes.append(1)):
        write(length, len(PROMPTS))
    assert len(passes) < 14 * len(PROMPTS) / 2


def test_a_failure_and_a_stop_at_the_table_are_ones_own(ask: Callable[..., Job], worker: Models) -> None:
    from components.service.tasks import TASKS

    jobs = [
        ask(0, GENERATE, "service_models:generator", prompt, {"max_new_tokens": 20, "min_new_tokens": 20})
        for prompt in PROMPTS
    ]
    told: list[list[Any]] = [[] for _ in jobs]

    def stream(number: int) -> Any:
        def emit(item: Any) -> None:
            told[number].append(item)
            if number == 1 and len(told[1]) == 3:
                jobs[1].call.cancelled.set()
            if number == 2 and len(told[2]) == 3:
                raise ValueError("the visitor's own")

        call = replace(jobs[number].call, emit=emit)
        try:
            return stream_task(call, **jobs[number].arguments)
        except ValueError as error:
            return str(error)

    loaded, _ = worker.load(jobs[0].arguments["path"], TASKS[GENERATE], "")
    with loaded.writing.join(loaded.model), ThreadPoolExecutor(len(jobs)) as pool:  # nobody is alone
        ended = list(pool.map(stream, range(len(jobs))))
    assert ended == [None, None, "the visitor's own", None, None]
    assert [len(items) for number, items in enumerate(told) if number not in (1, 2)] == [21, 21, 21]
    assert len(told[1]) < 10
    assert told[0][-1]["output"] == alone(jobs[0])["output"]


def test_a_model_whose_steps_cannot_be_shared_writes_each_text_by_itself(ask: Callable[..., Job]) -> None:
    from transformers import BloomConfig, BloomForCausalLM

    from components.service.worker.runners.shared import Writing

    model = BloomForCausalLM(BloomConfig(vocab_size=40, hidden_size=16, n_layer=1, n_head=2)).eval()
    writing = Writing()
    with writing.join(model) as first, writing.join(model) as second:
        assert (first, second) == (None, None)
