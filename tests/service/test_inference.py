"""Running models: the same as transformers' own pipeline, seen from inside, and refused in sentences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from task_checks import near

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.tasks import TASKS
from components.service.visitor import Visitor

CLASSIFY, GENERATE = "text-classification", "text-generation"
CLASSIFIER, GENERATOR = "local/classifier", "local/generator"


@pytest.fixture(scope="module")
def inference(settings: Settings, hub: Hub, engine: Engine, tiny_classifier: Path, tiny_generator: Path) -> Inference:
    return Inference(settings, hub, engine)


@pytest.fixture(scope="module")
def run(inference: Inference, visitor: Visitor) -> Callable[..., dict[str, Any]]:
    return lambda *args, **named: inference.run_task(*args, **named, visitor=visitor)


def raw(task: str, path: Path) -> Any:
    """transformers' own pipeline, without any of our code."""
    from transformers import pipeline

    return pipeline(task, model=str(path), device="cpu")


@pytest.mark.parametrize(
    ("inputs", "parameters"),
    [
        ("I love this film", {}),
        ("I love this film", {"top_k": 1}),
        ("I love this film", {"top_k": 2, "function_to_apply": "sigmoid"}),
        ("I love this film", {"function_to_apply": "none"}),
        (["I love this film", "I hate it"], {}),
        ({"text": "I love this film", "text_pair": "said the fox"}, {}),
        ([{"text": "one", "text_pair": "two"}, "three"], {"top_k": 1}),
    ],
)
def test_classification_gives_what_the_pipeline_gives(
    run: Callable[..., Any], tiny_classifier: Path, inputs: Any, parameters: dict[str, Any]
) -> None:
    result = run(CLASSIFY, CLASSIFIER, inputs, parameters)
    assert result["output"] == near(raw(CLASSIFY, tiny_classifier)(inputs, **{"top_k": None, **parameters}))


def test_every_label_comes_back_best_first(run: Callable[..., Any]) -> None:
    result = run("sentiment-analysis", CLASSIFIER, "I love this film")
    scores = [one["score"] for one in result["output"]]
    assert scores == sorted(scores, reverse=True)
    assert {one["label"] for one in result["output"]} == {"negative", "neutral", "positive"}
    assert sum(scores) == pytest.approx(1)
    assert (result["task"], result["model"], result["device"], result["dtype"]) == (
        CLASSIFY,
        CLASSIFIER,
        "cpu",
        "float32",
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_new_tokens": 8},
        {"max_new_tokens": 8, "return_full_text": False},
        {"max_new_tokens": 8, "num_beams": 2, "num_return_sequences": 2},
        {"max_new_tokens": 8, "repetition_penalty": 1.5, "no_repeat_ngram_size": 2},
        {"max_new_tokens": 8, "do_sample": True, "seed": 7},
        {"max_new_tokens": 8, "temperature": 1.3, "top_k": 5, "top_p": 0.9, "seed": 7},
    ],
)
@pytest.mark.parametrize("inputs", ["Once upon a time", ["Once upon", "I love this film"]])
def test_generation_gives_what_the_pipeline_gives(
    run: Callable[..., Any], tiny_generator: Path, inputs: Any, parameters: dict[str, Any]
) -> None:
    from transformers import set_seed

    result = run(GENERATE, GENERATOR, inputs, parameters)
    used = dict(result["parameters"])
    set_seed(used.pop("seed", 0))
    assert result["output"] == raw(GENERATE, tiny_generator)(inputs, **used)


def test_a_stop_text_ends_the_generation(run: Callable[..., Any]) -> None:
    whole = run(GENERATE, GENERATOR, "Once upon a time", {"max_new_tokens": 8, "return_full_text": False})
    text = whole["output"][0]["generated_text"]
    cut = run(GENERATE, GENERATOR, "Once upon a time", {**whole["parameters"], "stop": [text[:1]]})
    assert len(cut["output"][0]["generated_text"]) < len(text)


def test_a_seed_draws_the_same_again_while_others_draw_beside_it(run: Callable[..., Any]) -> None:
    def draw(seed: int) -> str:
        result = run(GENERATE, GENERATOR, "Once upon", {"max_new_tokens": 30, "do_sample": True, "seed": seed})
        text: str = result["output"][0]["generated_text"]
        return text

    alone = draw(1)
    with ThreadPoolExecutor(3) as pool:
        texts = list(pool.map(draw, [1, 2, 1, 3, 1]))
    assert [texts[0], texts[2], texts[4]] == [alone] * 3
    assert texts[1] != alone


def test_a_seed_that_was_made_up_is_told_and_draws_the_same(run: Callable[..., Any]) -> None:
    first = run(GENERATE, GENERATOR, "Once upon", {"max_new_tokens": 20, "temperature": 1.5})
    assert run(GENERATE, GENERATOR, "Once upon", first["parameters"])["output"] == first["output"]


def test_sampling_parameters_without_sampling_are_told_to_have_no_effect(run: Callable[..., Any]) -> None:
    result = run(GENERATE, GENERATOR, "Once", {"max_new_tokens": 2, "do_sample": False, "temperature": 2.0})
    assert result["notes"] == ["temperature had no effect: do_sample is off."]


# What passes between the steps


def test_the_stages_of_classification_lead_to_its_output(
    inference: Inference, visitor: Visitor, run: Callable[..., Any]
) -> None:
    seen = inference.run_stages(CLASSIFY, CLASSIFIER, "I love this film", visitor=visitor)
    assert seen["output"] == run(CLASSIFY, CLASSIFIER, "I love this film")["output"]
    before, during, after = seen["stages"]
    assert [stage["name"] for stage in seen["stages"]] == ["preprocess", "forward", "postprocess"]
    ids = next(tensor for tensor in before["tensors"] if tensor["name"] == "input_ids")
    assert ids["shape"] == [1, len(before["tokens"])]
    assert ids["sample"][0] == [token["id"] for token in before["tokens"]]
    assert (before["tokens"][0]["token"], before["tokens"][0]["special"]) == ("[CLS]", True)
    (logits,) = during["tensors"]
    assert (logits["name"], logits["shape"], logits["dtype"], logits["device"]) == ("logits", [1, 3], "float32", "cpu")
    assert logits["sample"][0] == [score["logit"] for score in after["scores"]]
    assert {score["label"]: score["score"] for score in after["scores"]} == pytest.approx(
        {one["label"]: one["score"] for one in seen["output"]}
    )


def test_the_stages_of_generation_show_the_next_tokens(inference: Inference, visitor: Visitor) -> None:
    seen = inference.run_stages(GENERATE, GENERATOR, "Once upon", {"max_new_tokens": 4}, visitor=visitor)
    during, after = seen["stages"][1:]
    likely = [token["probability"] for token in during["next_tokens"]]
    assert len(likely) == 10
    assert likely == sorted(likely, reverse=True)
    assert during["next_tokens"][0]["id"] == after["tokens"][0]["id"]
    assert "Once upon" + "".join(token["text"] for token in after["tokens"]) == seen["output"][0]["generated_text"]


def test_the_stages_of_a_list_show_its_first_text(inference: Inference, visitor: Visitor) -> None:
    seen = inference.run_stages(CLASSIFY, CLASSIFIER, ["I love", "I hate"], visitor=visitor)
    assert seen["stages"][0]["tokens"][2]["text"] == "love"
    assert "the first of 2" in seen["notes"][0]


# Followed while it is made


def test_a_stream_ends_in_what_a_call_gives(inference: Inference, visitor: Visitor, run: Callable[..., Any]) -> None:
    asked = {"max_new_tokens": 12, "do_sample": True, "seed": 5}
    items = list(inference.stream_task(GENERATE, GENERATOR, "Once upon é☃", asked, visitor=visitor))
    whole = run(GENERATE, GENERATOR, "Once upon é☃", asked)["output"]
    assert items[-1]["output"] == whole
    assert items[-1]["text"] == whole[0]["generated_text"]
    assert [item["done"] for item in items] == [False] * (len(items) - 1) + [True]
    assert items[0]["tokens"] == 1
    assert items[0]["first_token_seconds"] <= items[-1]["seconds"]
    assert items[-1]["tokens_per_second"] > 0


def test_closing_a_stream_stops_the_generation(
    inference: Inference, visitor: Visitor, engine: Engine, run: Callable[..., Any]
) -> None:
    streams = [
        inference.stream_task(GENERATE, GENERATOR, "Once upon", {"max_new_tokens": 100}, visitor=visitor)
        for _ in range(6)  # twice as many as run side by side: the last ones get a turn only if the first ones stop
    ]
    for stream in streams:
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert run(CLASSIFY, CLASSIFIER, "I love this film")["output"]


# Limits of the model


def test_a_text_longer_than_the_model_reads_is_cut_and_told(run: Callable[..., Any], tiny_classifier: Path) -> None:
    text = "I love this film " * 40
    result = run(CLASSIFY, CLASSIFIER, text)
    assert "at most 64" in result["notes"][0]
    used = result["parameters"]
    assert used["truncation"] is True
    assert result["output"] == raw(CLASSIFY, tiny_classifier)(text, **used)


def test_new_tokens_end_where_the_model_ends(run: Callable[..., Any]) -> None:
    result = run(GENERATE, GENERATOR, "a" * 120, {"max_new_tokens": 50})
    assert result["parameters"]["max_new_tokens"] == 8
    assert "room for 8" in result["notes"][0]


def test_generation_returns_what_it_has_when_the_time_is_up(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, tiny_generator: Path
) -> None:
    hurried = Inference(replace(settings, call_seconds=1e-6), hub, engine)
    items = list(hurried.stream_task(GENERATE, GENERATOR, "Once upon", {"max_new_tokens": 100}, visitor=visitor))
    assert (items[-1]["tokens"], items[-1]["reason"]) == (1, "time")
    assert "time for one call was up" in items[-1]["notes"][0]


# Refused in sentences


@pytest.fixture(scope="module")
def odd_models(models_folder: Path, tiny_classifier: Path, tiny_generator: Path) -> Path:
    """Models that do not do: of another kind, without a part, or not what they say."""
    from service_models import bert_config, wordpiece
    from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel

    config = bert_config(wordpiece())
    for name, kind in (("masked", BertForMaskedLM), ("base", BertModel)):
        kind(config).save_pretrained(models_folder / name)
        wordpiece().save_pretrained(models_folder / name)
    BertForSequenceClassification(config).save_pretrained(models_folder / "mute")

    def changed(name: str, **values: Any) -> Path:
        shutil.copytree(tiny_classifier, models_folder / name)
        file = models_folder / name / "config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
        return models_folder / name

    changed("bomb", vocab_size=200_000_000)
    changed("unknown", model_type="martian")
    changed("quantized", quantization_config={"quant_method": "gptq", "bits": 4})
    shutil.copytree(models_folder / "base", models_folder / "headless")
    file = models_folder / "headless" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "architectures": None}))
    (changed("broken") / "model.safetensors").write_bytes(b"\xff" * 100)
    (changed("pickled") / "model.safetensors").unlink()
    return models_folder


@pytest.mark.parametrize(
    ("task", "model", "words"),
    [
        (CLASSIFY, "local/masked", ["fill-mask model (BertForMaskedLM)", "no classification head"]),
        (CLASSIFY, "local/base", ["base model (BertModel)", "no classification head"]),
        (CLASSIFY, GENERATOR, ["text-generation model", "or run it with text-generation"]),
        (GENERATE, CLASSIFIER, ["text-classification model", "no language modelling head"]),
        (CLASSIFY, "local/headless", ["classifier", "random"]),
        (CLASSIFY, "local/mute", ["no tokenizer"]),
        (CLASSIFY, "local/bomb", ["describes 6,4", "files hold only"]),
        (CLASSIFY, "local/unknown", ["config.json"]),
        (CLASSIFY, "local/quantized", ["quantized"]),
        (CLASSIFY, "local/broken", ["weight file", "broken"]),
        (CLASSIFY, "local/pickled", ["safetensors"]),
    ],
)
def test_a_model_that_does_not_do_is_refused(
    run: Callable[..., Any], odd_models: Path, task: str, model: str, words: list[str]
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, "I love this film")
    assert caught.value.field == "model"
    assert str(odd_models) not in caught.value.message
    for word in words:
        assert word in caught.value.message


def test_a_hostile_tokenizer_is_told_and_the_worker_lives(
    run: Callable[..., Any], engine: Engine, models_folder: Path, tiny_classifier: Path
) -> None:
    path = models_folder / "hostile"
    shutil.copytree(tiny_classifier, path)
    rules = json.loads((path / "tokenizer.json").read_text())
    rules["pre_tokenizer"] = {
        "type": "Split",
        "pattern": {"Regex": "(a+)+$"},
        "behavior": "Isolated",
        "invert": False,
    }
    (path / "tokenizer.json").write_text(json.dumps(rules))
    pid = engine.status()["pid"]
    with pytest.raises(WorkbenchError, match="tokenizer of this model failed"):
        run(CLASSIFY, "local/hostile", "a" * 40 + "b")
    assert engine.status()["pid"] == pid


@pytest.mark.parametrize(
    ("task", "inputs", "parameters", "field", "words"),
    [
        ("nonsense", "a", {}, "task", "no task 'nonsense'"),
        (None, "a", {}, "task", "text-classification"),
        (CLASSIFY, "", {}, "inputs", "no text yet"),
        (CLASSIFY, "  \n", {}, "inputs", "no text yet"),
        (CLASSIFY, None, {}, "inputs", "text is needed"),
        (CLASSIFY, 7, {}, "inputs", "text is needed"),
        (CLASSIFY, [], {}, "inputs", "list of inputs is empty"),
        (CLASSIFY, ["a", ""], {}, "inputs", "no text yet"),
        (CLASSIFY, ["a"] * 300, {}, "inputs", "300 inputs; at most 256"),
        (CLASSIFY, "a" * 100_001, {}, "inputs", "100,001 characters; at most 100,000"),
        (CLASSIFY, ["a" * 60_000] * 2, {}, "inputs", "120,000 characters together"),
        (CLASSIFY, {"text_pair": "b"}, {}, "inputs", "text and text_pair"),
        (CLASSIFY, {"text": "a", "url": "http://127.0.0.1"}, {}, "inputs", "text and text_pair"),
        (CLASSIFY, "a\ud800", {}, "inputs", "surrogate"),
        (CLASSIFY, "a", {"topk": 1}, "parameters.topk", "no parameter 'topk'"),
        (CLASSIFY, "a", {"top_k": 0}, "parameters.top_k", "from 1 to 1000"),
        (CLASSIFY, "a", {"top_k": 1.5}, "parameters.top_k", "whole number"),
        (CLASSIFY, "a", {"top_k": True}, "parameters.top_k", "whole number"),
        (CLASSIFY, "a", {"top_k": float("nan")}, "parameters.top_k", "whole number"),
        (CLASSIFY, "a", {"function_to_apply": "tanh"}, "parameters.function_to_apply", "softmax, sigmoid, none"),
        (CLASSIFY, "a", ["top_k"], "parameters", "names and values"),
        (GENERATE, "a", {"max_new_tokens": 10**9}, "parameters.max_new_tokens", "from 1 to 1024"),
        (GENERATE, "a", {"temperature": 0}, "parameters.temperature", "from 0.01 to 100. To take the likeliest"),
        (GENERATE, "a", {"temperature": float("inf")}, "parameters.temperature", "a number"),
        (GENERATE, "a", {"do_sample": "yes"}, "parameters.do_sample", "true or false"),
        (GENERATE, "a", {"stop": [""]}, "parameters.stop", "list of texts"),
        (GENERATE, "a", {"stop": list("abcde")}, "parameters.stop", "from 1 to 4 entries"),
        (GENERATE, "a" * 400, {}, "inputs", "Shorten the prompt"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_field(
    run: Callable[..., Any], task: Any, inputs: Any, parameters: Any, field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, GENERATOR if task == GENERATE else CLASSIFIER, inputs, parameters)
    assert (caught.value.field, caught.value.kind) == (field, "input")
    assert words in caught.value.message


def test_a_parameter_that_a_slider_writes_as_a_float_is_a_whole_number(run: Callable[..., Any]) -> None:
    assert len(run(CLASSIFY, CLASSIFIER, "I love", {"top_k": 2.0})["output"]) == 2


def test_a_text_of_a_list_is_named_by_its_number(run: Callable[..., Any]) -> None:
    with pytest.raises(WorkbenchError, match="Input 2: The prompt has 400 tokens"):
        run(GENERATE, GENERATOR, ["Once", "a" * 400], {"max_new_tokens": 2})


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_what_the_page_needs(task: str) -> None:
    spec = TASKS[task]
    assert spec.examples
    assert spec.hub_model
    assert spec.starter_model == "" or spec.starter_model.startswith("starter/")
    for parameter in spec.parameters:
        assert parameter.help.endswith(".")


# Loading


def test_half_precision_is_computed_in_float32_on_a_processor_and_told(
    run: Callable[..., Any], models_folder: Path, tiny_classifier: Path
) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    shutil.copytree(tiny_classifier, models_folder / "half")
    model = AutoModelForSequenceClassification.from_pretrained(tiny_classifier, dtype=torch.bfloat16)
    model.save_pretrained(models_folder / "half")
    result = run(CLASSIFY, "local/half", "I love this film")
    assert (result["stored_dtype"], result["dtype"]) == ("BF16", "float32")


def test_positions_kept_for_padding_are_not_for_text(run: Callable[..., Any], models_folder: Path) -> None:
    from service_models import wordpiece
    from transformers import RobertaConfig, RobertaForSequenceClassification

    tokenizer = wordpiece()
    tokenizer.model_max_length = 10**30
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=42,
        pad_token_id=1,
    )
    RobertaForSequenceClassification(config).save_pretrained(models_folder / "roberta")
    tokenizer.save_pretrained(models_folder / "roberta")
    result = run(CLASSIFY, "local/roberta", "I love this film " * 20)
    assert result["parameters"]["max_length"] == 40


def test_a_text_that_the_model_mostly_cannot_read_gets_a_note(run: Callable[..., Any]) -> None:
    assert run(CLASSIFY, CLASSIFIER, "I love this film ☃")["notes"] == []
    notes = run(CLASSIFY, CLASSIFIER, ["你好 ☃ love", "☃ ☃"])["notes"]
    assert len(notes) == 1
    assert "More than 30 % of a text's tokens are unknown to local/classifier, which reads [UNK]" in notes[0]
    assert run(GENERATE, GENERATOR, "<|endoftext|><|endoftext|>", {"max_new_tokens": 1})["notes"] == []


def test_the_least_recently_used_model_leaves_when_room_is_needed(
    settings: Settings, tiny_classifier: Path, tiny_generator: Path, models_folder: Path
) -> None:
    from components.service.worker.models import Models

    shutil.copytree(tiny_classifier, models_folder / "second")
    told: list[list[dict[str, Any]]] = []
    models = Models(replace(settings, cache_bytes=300_000), told.append)

    def load(task: str, path: Path) -> float:
        return models.load(str(path), TASKS[task], path.name)[1]

    assert load(CLASSIFY, tiny_classifier) > 0
    assert load(GENERATE, tiny_generator) > 0
    assert load(CLASSIFY, tiny_classifier) == 0
    assert load(CLASSIFY, models_folder / "second") > 0
    assert [one["model"] for one in told[-1]] == ["classifier", "second"]
    assert load(GENERATE, tiny_generator) > 0


def test_a_model_over_the_limit_is_refused_by_its_size(settings: Settings, tiny_classifier: Path) -> None:
    from components.service.worker.models import Models

    models = Models(replace(settings, model_bytes=50_000), lambda _: None)
    with pytest.raises(WorkbenchError, match="more than the") as caught:
        models.load(str(tiny_classifier), TASKS[CLASSIFY], "tiny")
    assert (caught.value.kind, caught.value.field) == ("memory", "model")


def test_a_model_that_was_written_anew_is_loaded_anew(
    run: Callable[..., Any], models_folder: Path, tiny_classifier: Path
) -> None:
    from service_models import classifier

    path = models_folder / "rewritten"
    shutil.copytree(tiny_classifier, path)
    before = run(CLASSIFY, "local/rewritten", "I love this film")["output"]
    classifier(path, initializer_range=0.1)
    assert run(CLASSIFY, "local/rewritten", "I love this film")["output"] != before
