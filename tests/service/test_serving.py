"""The Inference API, asked by `huggingface_hub.InferenceClient` and by strangers, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient
from serving_app import serving

from components.service.engine import Engine
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.visitor import Visitor
from components.serving.http import events

CLASSIFY, GENERATE = "text-classification/local/classifier", "text-generation/local/generator"
CHAT = "text-generation/local/chat"
HELLO = [{"role": "user", "content": "I love this film"}]
TEMPLATE = "{% for message in messages %}{{ message.content }} {% endfor %}"


@pytest.fixture(scope="module")
def inference(
    settings: Settings, hub: Hub, engine: Engine, models_folder: Path, tiny_classifier: Path, tiny_generator: Path
) -> Inference:
    import shutil

    shutil.copytree(tiny_generator, models_folder / "chat")
    (models_folder / "chat" / "chat_template.jinja").write_text(TEMPLATE)
    return Inference(settings, hub, engine)


@pytest.fixture(scope="module")
def address(settings: Settings, hub: Hub, inference: Inference) -> Iterator[str]:
    """A server with the routes of the Inference API over the service."""
    with serving(replace(settings, media_bytes=100_000, text_chars=50_000), hub, inference) as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> Callable[[str], InferenceClient]:
    return lambda path: InferenceClient(model=f"{address}/{path}", timeout=60)


@pytest.fixture(scope="module")
def run(inference: Inference, visitor: Visitor) -> Callable[..., Any]:
    return lambda *args: inference.run_task(*args, visitor=visitor)["output"]


# Tasks with one answer


def test_labels_are_those_of_the_task(client: Callable[..., Any], run: Callable[..., Any]) -> None:
    got = client(CLASSIFY).text_classification("I love this film", top_k=2)
    assert [dict(one) for one in got] == run(
        "text-classification", "local/classifier", "I love this film", {"top_k": 2}
    )


def test_a_list_of_texts_gets_a_list_of_lists(address: str, run: Callable[..., Any]) -> None:
    texts = ["I love", "warm"]
    got = httpx.post(f"{address}/{CLASSIFY}", json={"inputs": texts}, timeout=60).json()
    assert got == run("text-classification", "local/classifier", texts)


# Text generation


def test_text_is_generated_without_its_prompt(client: Callable[..., Any], run: Callable[..., Any]) -> None:
    asked = {"max_new_tokens": 8, "seed": 3, "temperature": 1.2, "return_full_text": False}
    whole = run("text-generation", "local/generator", "Once upon", asked)[0]["generated_text"]
    one = client(GENERATE)
    given = {name: value for name, value in asked.items() if name != "return_full_text"}
    assert one.text_generation("Once upon", **given) == whole
    assert one.text_generation("Once upon", **given, return_full_text=True) == "Once upon" + whole
    assert "".join(one.text_generation("Once upon", **given, stream=True)) == whole


def test_details_and_streams_tell_each_token_with_its_likelihood(
    client: Callable[..., Any], tiny_generator: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    told = client(GENERATE).text_generation("Once upon", max_new_tokens=6, details=True, top_n_tokens=2)
    assert told.details.finish_reason in ("length", "eos_token")
    assert told.details.generated_tokens == len(told.details.tokens)
    tokenizer = AutoTokenizer.from_pretrained(tiny_generator)
    prompt = tokenizer("Once upon", return_tensors="pt")["input_ids"]
    ids = torch.cat([prompt, torch.tensor([[token.id for token in told.details.tokens]])], dim=1)
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(tiny_generator)(ids).logits[0].log_softmax(-1)
    expected = [float(logits[place - 1, ids[0, place]]) for place in range(prompt.shape[1], ids.shape[1])]
    assert [token.logprob for token in told.details.tokens] == pytest.approx(expected, abs=1e-4)
    assert [[one["id"] for one in top] for top in told.details.top_tokens] == [
        logits[place - 1].topk(2).indices.tolist() for place in range(prompt.shape[1], ids.shape[1])
    ]
    one = client(GENERATE)
    followed = list(one.text_generation("Once upon", max_new_tokens=6, details=True, stream=True))
    assert [dict(event.token) for event in followed] == [dict(token) for token in told.details.tokens]
    assert [event.generated_text for event in followed[:-1]] == [None] * (len(followed) - 1)
    assert followed[-1].generated_text == told.generated_text
    assert followed[-1].details.input_length == prompt.shape[1]


def test_what_generation_cannot_do_is_told(client: Callable[..., Any]) -> None:
    from huggingface_hub.errors import ValidationError

    with pytest.raises(ValidationError, match="no parameter 'frequency_penalty'"):
        client(GENERATE).text_generation("Once", frequency_penalty=0.5)
    with pytest.raises(ValidationError, match="top_n_tokens must be from 0 to 5"):
        client(GENERATE).text_generation("Once", top_n_tokens=50)


# Chats


def test_a_chat_is_answered_as_the_task_answers_it(client: Callable[..., Any], run: Callable[..., Any]) -> None:
    whole = run("text-generation", "local/chat", HELLO, {"max_new_tokens": 8})[0]["generated_text"][-1]["content"]
    one = client(CHAT)
    got = one.chat_completion(HELLO, max_tokens=8)
    assert got.choices[0].message.content == whole
    assert got.choices[0].finish_reason in ("length", "stop")
    assert got.usage.total_tokens == got.usage.prompt_tokens + got.usage.completion_tokens
    assert got.usage.completion_tokens <= 8
    chunks = list(one.chat_completion(HELLO, max_tokens=8, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks if chunk.choices) == whole
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == got.choices[0].finish_reason
    assert chunks[-1].usage.total_tokens == got.usage.total_tokens


def test_a_chat_finds_its_model_in_the_request(address: str) -> None:
    one = InferenceClient(base_url=address, timeout=60)
    got = one.chat.completions.create(model="local/chat", messages=HELLO, max_tokens=3)
    assert got.choices[0].message.content
    assert got.model == "local/chat"


def test_a_stop_text_ends_the_answer_before_it_and_never_shows(client: Callable[..., Any]) -> None:
    one = client(CHAT)
    whole = one.chat_completion(HELLO, max_tokens=12).choices[0].message.content
    stop = whole[3:5]
    got = one.chat_completion(HELLO, max_tokens=12, stop=[stop]).choices[0]
    assert (got.message.content, got.finish_reason) == (whole[: whole.index(stop)], "stop")
    chunks = list(one.chat_completion(HELLO, max_tokens=12, stop=[stop], stream=True))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == got.message.content


def test_a_seed_draws_the_same_chat_again(client: Callable[..., Any]) -> None:
    def draw(seed: int) -> str:
        got = client(CHAT).chat_completion(HELLO, max_tokens=20, temperature=1.5, seed=seed)
        return str(got.choices[0].message.content)

    assert draw(1) == draw(1) != draw(2)


def test_likelihoods_come_where_they_are_asked_for(client: Callable[..., Any]) -> None:
    got = client(CHAT).chat_completion(HELLO, max_tokens=4, logprobs=True, top_logprobs=3).choices[0]
    assert [len(one.top_logprobs) for one in got.logprobs.content] == [3] * len(got.logprobs.content)
    assert all(one.logprob == one.top_logprobs[0].logprob for one in got.logprobs.content)
    assert client(CHAT).chat_completion(HELLO, max_tokens=4).choices[0].logprobs is None


def test_parts_of_text_are_one_text(client: Callable[..., Any]) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "I love "}, {"type": "text", "text": "this film"}]}]
    one, two = (client(CHAT).chat_completion(messages, max_tokens=4) for messages in (HELLO, parts))
    assert one.choices[0].message.content == two.choices[0].message.content


# Refused


REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("an unknown task", "nonsense/a/b", {"inputs": "a"}, 400, "no task 'nonsense'"),
    ("no inputs", CLASSIFY, {}, 400, 'needs "inputs"'),
    ("an empty text", CLASSIFY, {"inputs": ""}, 400, "no text yet"),
    ("no object", CLASSIFY, ["a"], 400, "JSON object"),
    ("no JSON", CLASSIFY, b"inputs=a", 400, "not JSON"),
    ("deep JSON", CLASSIFY, b"[" * 50_000, 400, "not JSON"),
    ("odd parameters", CLASSIFY, {"inputs": "a", "parameters": [1]}, 422, "names and values"),
    ("an unknown parameter", CLASSIFY, {"inputs": "a", "parameters": {"topk": 1}}, 422, "no parameter 'topk'"),
    ("a parameter out of range", CLASSIFY, {"inputs": "a", "parameters": {"top_k": 0}}, 422, "from 1 to 1000"),
    ("a body too long", CLASSIFY, b"x" * 400_000, 413, "longer than"),
    ("a model of another kind", "text-classification/local/generator", {"inputs": "a"}, 400, "text-generation model"),
    ("no id", "text-classification/..%2F..%2Fetc", {"inputs": "a"}, 400, "not a model id"),
    ("an address in place of a model", "text-classification/http://127.0.0.1", {"inputs": "a"}, 400, "not a model id"),
    ("a chat without messages", f"{CHAT}/v1/chat/completions", {"messages": []}, 400, 'needs "messages"'),
    ("a model without a template", f"{GENERATE}/v1/chat/completions", {"messages": HELLO}, 400, "no chat template"),
    ("a strange role", f"{CHAT}/v1/chat/completions", {"messages": [{"role": "x", "content": "a"}]}, 400, "Roles are"),
    ("tools", f"{CHAT}/v1/chat/completions", {"messages": HELLO, "tools": [{"type": "function"}]}, 422, "tools"),
    ("two answers", f"{CHAT}/v1/chat/completions", {"messages": HELLO, "n": 2}, 422, "n is not done"),
    ("odd parameters of a chat", f"{CHAT}/v1/chat/completions", {"messages": HELLO, "best": 1}, 422, "'best'"),
    ("too many tokens", f"{CHAT}/v1/chat/completions", {"messages": HELLO, "max_tokens": 10**9}, 422, "from 1 to"),
    ("no tokens", f"{CHAT}/v1/chat/completions", {"messages": HELLO, "max_tokens": 0}, 422, "from 1 to"),
    ("many likelihoods", f"{CHAT}/v1/chat/completions", {"messages": HELLO, "top_logprobs": 99}, 422, "from 0 to 20"),
    ("an image", f"{CHAT}/v1/chat/completions",
     {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1"}}]}]},
     400, "Only text"),
    ("beams", GENERATE, {"inputs": "a", "parameters": {"num_beams": 2}, "stream": True}, 422, "num_beams"),
    ("a stream of two", GENERATE, {"inputs": ["a", "b"], "stream": True}, 400, "one text at a time"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "words"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_cannot_be_served_is_told(address: str, path: str, body: Any, status: int, words: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    got = httpx.post(f"{address}/{path}", content=content, headers={"Content-Type": "application/json"}, timeout=60)
    assert (got.status_code, set(got.json())) == (status, {"error", "error_type"})
    assert words in got.json()["error"]


def test_a_body_of_unknown_length_is_read_only_so_far(address: str) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 10_000

    try:
        assert httpx.post(f"{address}/{CLASSIFY}", content=endless(), timeout=60).status_code == 413
    except httpx.WriteError:
        pass  # the server may have closed the connection before all was written


@pytest.mark.parametrize("key", ["EMPTY", "none", "-"])
def test_a_client_that_insists_on_a_key_needs_none(address: str, key: str) -> None:
    asked = {"model": "local/chat", "messages": HELLO, "max_tokens": 2, "metadata": {"a": "b"}, "store": False}
    headers = {"Authorization": f"Bearer {key}"}
    got = httpx.post(f"{address}/v1/chat/completions", json=asked, headers=headers, timeout=60)
    assert got.json()["choices"][0]["message"]["role"] == "assistant"


def test_a_stream_is_cut_at_its_line_feeds_alone() -> None:
    """Client libraries cut it wherever Unicode ends a line."""
    texts = ["a\u2028b", "c\x85d", "e\x0bf\x1cg", "h\n"]

    async def read() -> str:
        answer = await events((one for one in texts), lambda text: [{"text": text}])
        return "".join([str(part) async for part in answer.body_iterator])

    with ThreadPoolExecutor(1) as pool:  # in this thread a browser of another test may have left its loop running
        answered = pool.submit(lambda: asyncio.run(read())).result()
    lines = [line for line in answered.splitlines() if line]
    assert [json.loads(line.removeprefix("data: "))["text"] for line in lines] == texts


def test_health_and_info_are_told(address: str) -> None:
    assert InferenceClient(provider="hf-inference").health_check(f"{address}/{CLASSIFY}")
    told = InferenceClient(provider="hf-inference").get_endpoint_info(model=f"{address}/{CLASSIFY}")
    assert told == {"model_id": "local/classifier", "task": "text-classification"}
    assert httpx.get(f"{address}/{CLASSIFY}").status_code == 405


def test_a_client_that_leaves_stops_its_stream(address: str, client: Callable[..., Any]) -> None:
    asked = {"inputs": "Once upon", "parameters": {"max_new_tokens": 100}, "stream": True}
    for _ in range(6):  # more than run side by side: the last ones get a turn only if the first ones stop
        with httpx.stream("POST", f"{address}/{GENERATE}", json=asked, timeout=60) as got:
            assert next(got.iter_lines()).startswith("data:")
    assert client(CLASSIFY).text_classification("I love")
