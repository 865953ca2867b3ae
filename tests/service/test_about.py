"""What models are made of: counted from tiny configurations of many architectures, and through a real embedded Hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.service.about import About
from components.service.architectures import architecture_of, family_of, reads, task_of
from components.service.contents import Contents
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot
from components.service.manage import Manager
from components.widgets.about import about_view

TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
WORDS = {"vocab_size": 50, "max_position_embeddings": 24}
PICTURE = {"image_size": 32, "patch_size": 8}
BART = {
    "d_model": 16, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
}  # fmt: skip

#: Architecture, model type, the rest of its configuration, and the titles of its parts.
ZOO: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("BertForMaskedLM", "bert", {**TINY, **WORDS}, ["Embeddings", "Encoder layers", "Head"]),
    ("BertModel", "bert", {**TINY, **WORDS}, ["Embeddings", "Encoder layers", "Pooler"]),
    ("DistilBertForSequenceClassification", "distilbert",
     {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, **WORDS}, ["Embeddings", "Layers", "Head"]),
    ("GPT2LMHeadModel", "gpt2", {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50, "n_positions": 24},
     ["Embeddings", "Layers", "Normalization", "Head, with the weights of the embeddings"]),
    ("LlamaForCausalLM", "llama", {**TINY, **WORDS, "num_key_value_heads": 1},
     ["Embeddings", "Layers", "Normalization", "Head"]),
    ("MambaForCausalLM", "mamba", {"hidden_size": 16, "num_hidden_layers": 2, "vocab_size": 50, "state_size": 4},
     ["Embeddings", "Layers", "Normalization", "Head, with the weights of the embeddings"]),
    ("T5ForConditionalGeneration", "t5",
     {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 2, "vocab_size": 50},
     ["Embeddings", "Encoder layers", "Encoder normalization", "Decoder layers", "Decoder normalization",
      "Head, with the weights of the embeddings"]),
    ("BartForConditionalGeneration", "bart", {**BART, **WORDS},
     ["Embeddings", "Encoder embeddings", "Encoder layers", "Decoder embeddings", "Decoder layers",
      "Head, with the weights of the embeddings"]),
    ("MarianMTModel", "marian", {**BART, **WORDS, "pad_token_id": 0, "decoder_start_token_id": 0},
     ["Embeddings", "Encoder embeddings", "Encoder layers", "Decoder embeddings", "Decoder layers",
      "Head, with the weights of the embeddings"]),
    ("ViTForImageClassification", "vit", {**TINY, **PICTURE}, ["Embeddings", "Layers", "Normalization", "Head"]),
    ("ResNetForImageClassification", "resnet",
     {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2]}, ["Embeddings", "Encoder layers", "Head"]),
    ("WhisperForConditionalGeneration", "whisper",
     {**BART, "vocab_size": 60, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1},
     ["Encoder convolutions", "Encoder embeddings", "Encoder layers", "Encoder normalization",
      "Decoder embeddings", "Decoder layers", "Decoder normalization",
      "Head, with the weights of the embeddings"]),
    ("Wav2Vec2ForCTC", "wav2vec2",
     {**TINY, "vocab_size": 30, "conv_dim": [8, 8], "conv_kernel": [3, 3], "conv_stride": [2, 2],
      "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2},
     ["Embeddings", "Audio convolution layers", "Normalization", "Projection", "Encoder embeddings",
      "Encoder normalization", "Encoder layers", "Head"]),
    ("CLIPModel", "clip", {"text_config": {**TINY, **WORDS}, "vision_config": {**TINY, **PICTURE}, "projection_dim": 8},
     ["Other", "Text embeddings", "Text encoder layers", "Text normalization", "Vision embeddings",
      "Vision normalization", "Vision encoder layers", "Vision projection", "Text projection"]),
    ("LlavaForConditionalGeneration", "llava",
     {"text_config": {"model_type": "llama", **TINY, **WORDS},
      "vision_config": {"model_type": "clip_vision_model", **TINY, **PICTURE}},
     ["Vision embeddings", "Vision normalization", "Vision encoder layers", "Projection", "Text embeddings",
      "Text layers", "Text normalization", "Head"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def told(engine: Engine, models_folder: Path) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What the worker tells of a configuration."""

    def tell(config: dict[str, Any]) -> dict[str, Any]:
        folder = models_folder / "about"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config))
        return dict(engine.call("about_model", {"path": str(folder), "model": "a/b"}))

    return tell


@pytest.mark.parametrize(("name", "model_type", "more", "titles"), ZOO, ids=[row[0] for row in ZOO])
def test_the_parts_of_a_model_hold_all_of_its_parameters(
    told: Callable[..., dict[str, Any]], name: str, model_type: str, more: dict[str, Any], titles: list[str]
) -> None:
    import transformers

    seen = told({"architectures": [name], "model_type": model_type, **more})
    assert [part["title"] for part in seen["parts"]] == titles
    built = getattr(transformers, name)(transformers.AutoConfig.for_model(model_type, **more))
    assert seen["parameters"] == built.num_parameters()
    assert (seen["architecture"], seen["model_type"]) == (name, model_type)
    stacks = [part for part in seen["parts"] if part["kind"] == "layers"]
    assert all(sum(one["parameters"] for one in part["of"]) == part["parameters"] for part in stacks)
    assert not any(one["name"] == "other" for part in stacks for one in part["of"])
    assert all(part["count"] in (2, 3) for part in stacks)


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        (
            {"model_type": "bert", **TINY, **WORDS},
            [{"of": "", "layers": 2, "heads": 2, "hidden": 16, "feed_forward": 32, "vocabulary": 50, "context": 24}],
        ),
        (
            {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2]},
            [{"of": "", "layers": [1, 2], "hidden": [8, 16]}],
        ),
        (
            {"model_type": "clip_vision_model", **TINY, **PICTURE},
            [{"of": "", "layers": 2, "heads": 2, "hidden": 16, "feed_forward": 32, "image_size": 32, "patch_size": 8}],
        ),
    ],
)
def test_the_sizes_are_those_of_the_configuration(
    told: Callable[..., dict[str, Any]], config: dict[str, Any], sizes: list[dict[str, Any]]
) -> None:
    assert told(config)["sizes"] == sizes


def test_a_model_of_several_states_the_sizes_of_each(told: Callable[..., dict[str, Any]]) -> None:
    name, model_type, more, _ = ZOO[-1]
    sizes = told({"architectures": [name], "model_type": model_type, **more})["sizes"]
    assert {"vision", "text"} <= {one["of"] for one in sizes}
    assert next(one for one in sizes if one["of"] == "text")["vocabulary"] == 50


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "bert", "num_hidden_layers": 10**6}, "1,000,000 of num_hidden_layers"),
        ({"model_type": "clip", "vision_config": {"num_hidden_layers": 10**6}}, "1,000,000 of num_hidden_layers"),
        ({"model_type": "bart", "decoder_layers": 10**6}, "1,000,000 of decoder_layers"),
        ({"model_type": "swin", "depths": [2, 10**7]}, "10,000,000 of depths"),
        ({"model_type": "mixtral", "num_local_experts": 10**6}, "1,000,000 of num_local_experts"),
        ({"model_type": "bert", "vocab_size": 10**15}, "more than any model has"),
        ({"model_type": "bert", "vocab_size": 10**30}, "cannot build a model"),
        ({"model_type": "bert", "hidden_size": -5}, "cannot build a model"),
        ({"model_type": "bert", "hidden_size": 10, "num_attention_heads": 3}, "cannot build a model"),
        ({"model_type": "llama", "hidden_size": "x"}, "config.json of a/b"),
        ({"model_type": "no-such-type"}, "does not know"),
        ({}, "does not know"),
    ],
)
def test_a_hostile_configuration_is_refused_in_a_sentence(
    told: Callable[..., dict[str, Any]], config: dict[str, Any], said: str
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        told(config)
    assert said in refused.value.message
    assert refused.value.field == "model"


def test_an_architecture_that_is_no_model_class_is_not_called(told: Callable[..., dict[str, Any]]) -> None:
    for name in ("pipeline", "AutoConfig", "Trainer", "BertTokenizer", "__file__", "NoSuchModel"):
        assert told({"architectures": [name], "model_type": "bert", **TINY, **WORDS})["architecture"] == "BertModel"


@pytest.fixture(scope="module")
def about(live_hub: Any, engine: Engine) -> About:
    return About(Hub(live_hub.settings), engine)


@pytest.fixture(scope="module")
def put(live_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Publish `{path: text}` as a public model of ada's; gives its id."""

    def publish(name: str, files: dict[str, str]) -> str:
        hub, folder = Hub(live_hub.settings), tmp_path_factory.mktemp(name)
        repo = str(Manager(hub).create_repo(name, False, visitor=live_hub.ada)["repo"])
        for number, text in enumerate(files.values()):
            (folder / str(number)).write_text(text)
        uploads = [{"file": str(folder / str(number)), "path": path} for number, path in enumerate(files)]
        Contents(hub).upload_files(repo, uploads, visitor=live_hub.ada)
        return repo

    return publish


def test_a_model_is_explained_without_fetching_its_weights(
    about: About, put: Callable[..., str], live_hub: Any
) -> None:
    config = {"architectures": ["BertForMaskedLM"], "model_type": "bert", **TINY, **WORDS}
    repo = put("about-bert", {"config.json": json.dumps(config), "README.md": "---\nlicense: mit\n---\n# Small\n"})
    seen = about.about_model(repo, visitor=live_hub.nobody)
    assert seen["problem"] is None
    assert (seen["task"], seen["family"], seen["reads"], seen["license"]) == ("fill-mask", "encoder", ["text"], "mit")
    assert seen["config"]["hidden_size"] == 16
    assert seen["card"]["body"].strip() == "# Small"
    assert [part["kind"] for part in seen["parts"]] == ["embeddings", "layers", "head"]
    json.dumps(seen)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"notes.txt": "nothing"}, "no config.json"),
        ({"config.json": '{"model_type": "bert", "auto_map": {"AutoModel": "m.M"}}'}, "code of its own"),
        ({"config.json": '{"model_type": "bert", "num_hidden_layers": 99999}'}, "99,999 of num_hidden_layers"),
        ({"config.json": "{"}, "broken"),
    ],
)
def test_what_cannot_be_counted_is_said_and_the_rest_is_shown(
    about: About, put: Callable[..., str], live_hub: Any, files: dict[str, str], said: str
) -> None:
    seen = about.about_model(put(f"about-{len(said)}-{len(str(files))}", files), visitor=live_hub.nobody)
    assert said in seen["problem"]
    assert (seen["parts"], seen["sizes"]) == ([], [])
    assert seen["commit"]


def test_a_model_of_this_machine_is_explained_too(live_hub: Any, engine: Engine, tiny_classifier: Path) -> None:
    hub = Hub(live_hub.settings)
    hub.add_namespace("runs", lambda name, visitor: Snapshot(f"runs/{name}", "0" * 40, tiny_classifier))
    seen = About(hub, engine).about_model("runs/x", visitor=live_hub.ada)
    assert seen["task"] == "text-classification"
    assert seen["parts"][-1]["kind"] == "head"
    assert seen["card"]["text"] == ""


@pytest.mark.parametrize(("name", "model_type", "more", "titles"), ZOO, ids=[row[0] for row in ZOO])
def test_every_part_is_drawn(
    told: Callable[..., dict[str, Any]], name: str, model_type: str, more: dict[str, Any], titles: list[str]
) -> None:
    config = {"architectures": [name], "model_type": model_type, **more}
    page = about_view(_facts_of(config, told(config)))
    drawing, bars = page.partition("Parameters by part")[::2]
    drawn = [title for title in titles if not title.lower().endswith(("normalization", "other"))]
    assert all(f"<b>{title}" in drawing or f"{title.lower()}</b>" in drawing for title in drawn)
    assert all(f">{title} " in bars for title in titles if not title.startswith("Head,"))
    assert page.count("<div") == page.count("</div>")


@pytest.mark.parametrize("where", ["id", "architecture", "family", "task", "license", "dtype", "problem"])
def test_what_a_stranger_wrote_is_shown_as_text(told: Callable[..., dict[str, Any]], where: str) -> None:
    evil = "<img src=x onerror=alert(1)>"
    config = {"architectures": ["BertModel"], "model_type": "bert", **TINY, **WORDS, "note": evil, evil: [evil]}
    seen = _facts_of(config, told(config))
    seen["parts"][0]["title"] = evil
    assert "<img" not in about_view({**seen, where: evil})


def test_a_configuration_is_shortened_for_the_page_and_not_for_the_api() -> None:
    labels = {str(number): f"label {number}" for number in range(1000)}
    page = about_view({**_facts_of({"id2label": labels, "deep": _nested(200)}, {}), "problem": "None."})
    assert "label 39" in page
    assert "label 40" not in page
    assert "960 more" in page


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else 1


def _facts_of(config: dict[str, Any], counted: dict[str, Any]) -> dict[str, Any]:
    """What `about_model` adds in the web process."""
    return {
        "id": "a/b", "task": task_of(config), "family": family_of(config), "reads": reads(config), "license": "mit",
        "memory": None, "config": config, "problem": None, "sizes": [], "parts": [], "parameters": None, "dtype": None,
        "architecture": architecture_of(config), **counted,
    }  # fmt: skip
