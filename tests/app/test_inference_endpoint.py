"""The running app as the Hub's own client library sees it: the Inference API beside the page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from gradio_client import Client
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

SENTIMENT, STORIES = "text-classification/starter/sentiment", "text-generation/starter/stories"
COURSE = "I've been waiting for a HuggingFace course my whole life."


def client(app: Any, path: str, **more: Any) -> InferenceClient:
    return InferenceClient(model=f"{app.url}/inference/{path}", timeout=60, **more)


def test_the_client_library_runs_a_starter_model(app: Any) -> None:
    assert client(app, SENTIMENT).text_classification(COURSE)[0].label == "positive"


def test_the_client_library_follows_a_story(app: Any) -> None:
    one = client(app, STORIES)
    whole = one.text_generation("Once upon a time", max_new_tokens=12)
    assert whole
    assert "".join(one.text_generation("Once upon a time", max_new_tokens=12, stream=True)) == whole


def test_a_model_for_stories_does_not_chat_and_says_so(app: Any) -> None:
    one = InferenceClient(base_url=f"{app.url}/inference", timeout=60)
    with pytest.raises(HfHubHTTPError, match="no chat template"):
        one.chat_completion([{"role": "user", "content": "Hello"}], model="starter/stories")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Authorization": f"Bearer hf_{'x' * 34}"}, 401),
    ],
)
def test_the_door_and_the_token_count_here_too(app: Any, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{app.url}/inference/{SENTIMENT}", json={"inputs": COURSE}, headers=headers, timeout=60)
    assert answer.status_code == status
    assert "x" * 34 not in answer.text


def test_a_model_that_is_not_there_is_404(app: Any) -> None:
    answer = httpx.post(f"{app.url}/inference/text-classification/nobody/nothing", json={"inputs": "a"}, timeout=60)
    assert answer.status_code == 404


def test_a_batch_and_a_comparison_are_endpoints(app: Any) -> None:
    page = Client(app.url, verbose=False)
    rows = {"text": f'text,label\n"{COURSE}",positive\nI hate this so much!,negative\n'}
    result = page.predict("sentiment-analysis", "", rows, {}, "label", api_name="/run_batch")
    assert [row["output"][0]["label"] for row in result["rows"]] == ["positive", "negative"]
    assert result["metrics"]["accuracy"] == 1.0
    models = ["starter/sentiment", "starter/sentiment@main"]
    found = page.predict("text-classification", models, [COURSE], api_name="/compare_models")
    assert found["agreement"] == [[1.0, 1.0], [1.0, 1.0]]


def test_a_provider_is_not_to_be_had_on_the_embedded_hub(app: Any) -> None:
    page = Client(app.url, verbose=False)
    with pytest.raises(Exception, match="embedded Hub"):
        page.predict("text-classification", "starter/sentiment", COURSE, api_name="/run_remote")


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ("image-classification/starter/pictures", {"inputs": {"file": "/etc/passwd", "name": "cat.png"}}),
        ("image-classification/starter/pictures", {"inputs": [{"file": "app.py"}]}),
        ("visual-question-answering/starter/pictures", {"inputs": {"image": {"file": "/etc/passwd"}, "question": "a"}}),
        ("document-question-answering/starter/pictures", {"inputs": {"image": "a"}, "word_boxes": {"file": "app.py"}}),
    ],
)
def test_a_path_in_a_request_opens_no_file_of_the_server(app: Any, task: str, body: dict[str, Any]) -> None:
    answer = httpx.post(f"{app.url}/inference/{task}", json=body, timeout=60)
    assert answer.status_code == 400
    assert "uploaded" in answer.json()["error"]
