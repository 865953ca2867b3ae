"""Models run elsewhere: `huggingface_hub.InferenceClient` against this app's own Inference API, task by task."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import InferenceClient
from serving_app import serving

from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.remote import Remote
from components.service.settings import Settings, read_settings
from components.service.tasks.media import sample
from components.service.visitor import Visitor

TOKEN = "hf_ada"
CAT = base64.b64encode(sample("cat.png").read_bytes()).decode()
SOUND = base64.b64encode(sample("melody.ogg").read_bytes()).decode()
HELLO = [{"role": "user", "content": "Hello"}]
TABLE = {"City": ["Paris", "Rome"], "People": ["2", "3"]}
BOXES = [["hello", [0, 0, 100, 100]], ["world", [100, 0, 200, 100]]]
TEXT = "I love this film, said the fox."

#: A task, the module and function that builds a tiny model for it, an input and parameters.
TASKS: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("text-classification", "service_models:classifier", TEXT, {"top_k": 2}),
    ("token-classification", "text_models:tagger", TEXT, {"aggregation_strategy": "simple"}),
    ("fill-mask", "text_models:masked", "I love this [MASK].", {"top_k": 3}),
    ("zero-shot-classification", "text_models:entailer", TEXT, {"candidate_labels": ["warm", "dull"]}),
    ("feature-extraction", "text_models:encoder", "I love", {"normalize": True}),
    ("sentence-similarity", "text_models:encoder", {"source_sentence": "I love", "sentences": ["I hate", "warm"]}, {}),
    ("question-answering", "text_models:reader", {"question": "Who said?", "context": TEXT}, {}),
    ("table-question-answering", "text_models:table_reader", {"query": "People in Rome?", "table": TABLE}, {}),
    ("text-generation", "service_models:generator", "Once upon", {"max_new_tokens": 5}),
    ("text-generation", "generation_models:chat", HELLO, {"max_new_tokens": 5}),
    ("summarization", "generation_models:t5", TEXT, {}),
    ("translation", "generation_models:marian", TEXT, {}),
    ("image-classification", "vision_models:image_classifier", CAT, {"top_k": 2}),
    ("image-segmentation", "vision_models:semantic_segmenter", CAT, {}),
    ("object-detection", "vision_models:detector", CAT, {"threshold": 0.3}),
    ("zero-shot-image-classification", "vision_models:matcher_of_words", CAT, {"candidate_labels": ["cat", "dog"]}),
    ("image-to-image", "vision_models:enlarger", CAT, {}),
    ("audio-classification", "audio_models:audio_classifier", SOUND, {"top_k": 2}),
    ("automatic-speech-recognition", "audio_models:ctc", SOUND, {}),
    ("document-question-answering", "multimodal_models:layoutlm", {"image": CAT, "question": "hello"},
     {"word_boxes": BOXES}),
    ("visual-question-answering", "multimodal_models:vilt", {"image": CAT, "question": "What?"}, {"top_k": 2}),
    ("image-text-to-text", "multimodal_models:blip", CAT, {}),
    ("text-to-audio", "audio_models:musicgen", "the fox", {"do_sample": False, "max_new_tokens": 8}),
]  # fmt: skip


class Trusting(Hub):
    """A Hub that takes `hf_ada` for a token, without being asked over a network."""

    def whoami(self, visitor: Visitor) -> dict[str, Any]:
        if visitor.token not in (False, TOKEN):
            raise WorkbenchError("The Hub does not accept this token.", kind="forbidden")
        return {"name": "ada"}


@pytest.fixture(scope="module")
def elsewhere(settings: Settings, hub: Hub, inference: Inference) -> Iterator[Settings]:
    """Settings whose remote server is this app's own."""
    trusting = Trusting(settings)
    with serving(settings, trusting, inference) as address:
        yield replace(settings, remote=address)


@pytest.fixture(scope="module")
def remote(elsewhere: Settings, hub: Hub) -> Callable[..., dict[str, Any]]:
    return lambda *args, token=TOKEN: Remote(elsewhere, hub).run_task(*args, visitor=Visitor("user:ada", token))


def approximately(value: Any) -> Any:
    """The value with its numbers given or taken 1e-5."""
    if isinstance(value, float):
        return pytest.approx(value, abs=1e-5)
    if isinstance(value, dict):
        return {name: approximately(one) for name, one in value.items() if one is not None}
    return [approximately(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), TASKS, ids=[f"{row[0]} {row[1]}" for row in TASKS])
def test_the_answer_is_the_same_as_here(
    task: str, model: str, inputs: Any, parameters: dict[str, Any], models_folder: Path, inference: Inference,
    visitor: Visitor, remote: Callable[..., dict[str, Any]],
) -> None:  # fmt: skip
    from importlib import import_module

    module, _, build = model.partition(":")
    name = f"remote-{build}"
    if not (models_folder / name).exists():
        getattr(import_module(module), build)(models_folder / name)
    here = inference.run_task(task, f"local/{name}", inputs, parameters, visitor=visitor)
    there = remote(task, f"local/{name}", inputs, parameters)
    assert there["output"] == approximately(here["output"])
    assert (there["task"], there["model"]) == (task, f"local/{name}")
    assert there["where"].startswith("server 127.0.0.1:")


REFUSED: list[tuple[tuple[Any, ...], str, str, str]] = [
    (("nonsense", "a/b", "x"), "input", "task", "no task"),
    (("text-classification", "", "x"), "input", "model", "not a model id"),
    (("text-classification", "http://127.0.0.1", "x"), "input", "model", "not a model id"),
    (("text-classification", "a/b", ["x", "y"]), "input", "inputs", "One input at a time"),
    (("text-classification", "a/b", "x", {"topk": 1}), "input", "parameters.topk", "no parameter"),
    (("text-classification", "a/b", "x", {}, "http://evil"), "input", "provider", "given by its name"),
    (("mask-generation", "a/b", CAT), "input", "task", "Servers do not offer"),
    (("text-generation", "a/b", "x", {"num_beams": 2}), "input", "parameters.num_beams", "Servers do not know"),
    (("text-classification", "a/b", {"text": "x", "text_pair": "y"}), "input", "inputs.text_pair", "second text"),
    (("image-text-to-text", "a/b", {"image": CAT, "text": "y"}), "input", "inputs.text", "do not take the text"),
]


@pytest.mark.parametrize(("asked", "kind", "field", "words"), REFUSED)
def test_what_cannot_be_asked_is_told(
    remote: Callable[..., Any], asked: tuple[Any, ...], kind: str, field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        remote(*asked)
    assert (caught.value.kind, caught.value.field) == (kind, field)
    assert words in caught.value.message


def test_an_old_name_of_a_translation_holds_its_languages_elsewhere_too(
    remote: Callable[..., Any], elsewhere: Settings, models_folder: Path, inference: Inference, visitor: Visitor
) -> None:
    from generation_models import t5

    if not (models_folder / "remote-t5").exists():
        t5(models_folder / "remote-t5")
    asked = {"src_lang": "en", "tgt_lang": "de"}
    here = inference.run_task("translation", "local/remote-t5", TEXT, asked, visitor=visitor)["output"]
    assert remote("translation_en_to_de", "local/remote-t5", TEXT)["output"] == here
    address = f"{elsewhere.remote}/translation_en_to_de/local/remote-t5"
    assert InferenceClient(model=address).translation(TEXT).translation_text == here[0]["translation_text"]


def test_the_servers_own_sentence_is_told(remote: Callable[..., Any], models_folder: Path) -> None:
    from service_models import generator

    if not (models_folder / "remote-generator").exists():
        generator(models_folder / "remote-generator")
    with pytest.raises(WorkbenchError, match="text-generation model"):
        remote("text-classification", "local/remote-generator", TEXT)
    with pytest.raises(WorkbenchError, match="The prompt has"):
        remote("text-generation", "local/remote-generator", "a" * 400)


def test_only_a_visitor_s_own_token_is_used_and_never_told(
    remote: Callable[..., Any], elsewhere: Settings, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_machine")
    with pytest.raises(WorkbenchError, match="Sign in first") as caught:
        remote("text-classification", "local/classifier", TEXT, token=False)
    assert caught.value.kind == "forbidden"
    with pytest.raises(WorkbenchError) as caught:
        remote("text-classification", "local/classifier", TEXT, token="hf_wrong_one")
    assert caught.value.kind == "forbidden"
    assert "hf_wrong_one" not in caught.value.message
    assert "does not accept" in caught.value.message


def test_the_embedded_hub_has_no_providers(settings: Settings, hub: Hub) -> None:
    own = Remote(replace(settings, embedded=True), hub)
    with pytest.raises(WorkbenchError, match="embedded Hub"):
        own.run_task("text-classification", "a/b", TEXT, visitor=Visitor("machine", TOKEN))


def test_a_server_that_does_not_answer_is_told(settings: Settings, hub: Hub) -> None:
    away = Remote(replace(settings, remote="http://127.0.0.1:9"), hub)
    with pytest.raises(WorkbenchError, match="does not answer") as caught:
        away.run_task("text-classification", "a/b", TEXT, visitor=Visitor("machine", TOKEN))
    assert caught.value.kind == "hub"


def test_the_remote_server_is_named_in_the_environment() -> None:
    assert read_settings({"WORKBENCH_REMOTE": "http://gpu:7860/inference/"}, {}).remote == "http://gpu:7860/inference"
    with pytest.raises(ValueError, match="WORKBENCH_REMOTE must be an address"):
        read_settings({"WORKBENCH_REMOTE": "gpu"}, {})
