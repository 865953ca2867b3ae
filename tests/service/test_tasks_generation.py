"""Tasks that write text: each kind of model gives what its library's own calls give by hand, and is refused in
sentences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.service.batch import Batch
from components.service.compare import Compare
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.tasks import find_task
from components.service.visitor import Visitor

SUMMARIZE, TRANSLATE, REWRITE, GENERATE = "summarization", "translation", "text2text-generation", "text-generation"
KEYS = {SUMMARIZE: "summary_text", TRANSLATE: "translation_text", REWRITE: "generated_text"}
TEXT = "I love this film, it is wonderful and warm."
CHAT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Once upon"}]


@pytest.fixture(scope="module")
def models(models_folder: Path, tiny_generator: Path) -> Path:
    """`local/generator`, `t5`, `bart`, `marian`, `targets` (a Marian of two languages), `m2m100`, `nllb`, `mbart`,
    `chat`."""
    import generation_models

    for name in ("t5", "bart", "marian", "m2m100", "nllb", "mbart", "chat"):
        getattr(generation_models, name)(models_folder / name)
    generation_models.marian(models_folder / "targets", ("fra", "deu"))
    return models_folder


# An encoder-decoder, by hand

#: Task, model, parameters as a visitor gives them; then what is put before the text, the language of the text, the
#: token that the new text begins with, and the arguments of `generate`.
CASES: list[tuple[str, str, dict[str, Any], str, str | None, str | None, dict[str, Any]]] = [
    (
        SUMMARIZE,
        "t5",
        {},
        "summarize: ",
        None,
        None,
        {"num_beams": 2, "max_new_tokens": 11, "min_new_tokens": 4, "length_penalty": 2.0},
    ),
    (
        SUMMARIZE,
        "t5",
        {"num_beams": 1, "max_new_tokens": 7, "prefix": ""},
        "",
        None,
        None,
        {"num_beams": 1, "max_new_tokens": 7, "min_new_tokens": 4},
    ),
    (SUMMARIZE, "bart", {"max_new_tokens": 6}, "", None, None, {"num_beams": 2, "max_new_tokens": 6}),
    (
        TRANSLATE,
        "t5",
        {"src_lang": "en", "tgt_lang": "de"},
        "translate English to German: ",
        None,
        None,
        {"max_new_tokens": 9},
    ),
    (TRANSLATE, "t5", {}, "translate English to French: ", None, None, {"max_new_tokens": 9}),
    (TRANSLATE, "marian", {"max_new_tokens": 6}, "", None, None, {"max_new_tokens": 6}),
    (TRANSLATE, "targets", {"tgt_lang": "deu", "max_new_tokens": 6}, ">>deu<< ", None, None, {"max_new_tokens": 6}),
    (
        TRANSLATE,
        "m2m100",
        {"src_lang": "en", "tgt_lang": "fr", "max_new_tokens": 6},
        "",
        "en",
        "__fr__",
        {"max_new_tokens": 6},
    ),
    (
        TRANSLATE,
        "mbart",
        {"src_lang": "en_XX", "tgt_lang": "ro_RO", "max_new_tokens": 8, "temperature": 3.0, "seed": 1},
        "",
        "en_XX",
        "ro_RO",
        {"max_new_tokens": 8, "do_sample": True, "temperature": 3.0},
    ),
    (
        TRANSLATE,
        "nllb",
        {
            "src_lang": "eng_Latn",
            "tgt_lang": "fra_Latn",
            "max_new_tokens": 6,
            "min_new_tokens": 5,
            "num_beams": 2,
            "early_stopping": True,
        },
        "",
        "eng_Latn",
        "fra_Latn",
        {"max_new_tokens": 6, "min_new_tokens": 5, "num_beams": 2, "early_stopping": True},
    ),
    (
        REWRITE,
        "t5",
        {"do_sample": True, "temperature": 1.5, "top_k": 20, "seed": 4, "max_new_tokens": 8},
        "",
        None,
        None,
        {"do_sample": True, "temperature": 1.5, "top_k": 20, "max_new_tokens": 8},
    ),
    (
        REWRITE,
        "bart",
        {"num_return_sequences": 2, "max_new_tokens": 6, "repetition_penalty": 1.5, "no_repeat_ngram_size": 2},
        "",
        None,
        None,
        {
            "num_beams": 2,
            "num_return_sequences": 2,
            "max_new_tokens": 6,
            "repetition_penalty": 1.5,
            "no_repeat_ngram_size": 2,
        },
    ),
]


def by_hand(path: Path, text: str, source: str | None, first: str | None, seed: int, **given: Any) -> list[str]:
    """What the model itself writes, with the library's own tokenizer and `generate`."""
    import warnings

    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Marian's tokenizer recommends a package
        tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForSeq2SeqLM.from_pretrained(path)
    if source is not None:
        tokenizer.src_lang = source
    if first is not None:
        language = tokenizer.convert_tokens_to_ids(first)
        # The decoder of the first mBART starts from the language; other models are made to write it first.
        start = {"decoder_start_token_id": language, "forced_bos_token_id": None}
        given |= start if path.name == "mbart" else {"forced_bos_token_id": language}
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    torch.manual_seed(seed)
    written = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **given)
    texts: list[str] = tokenizer.batch_decode(written, skip_special_tokens=True)
    return texts


@pytest.mark.parametrize(("task", "model", "given", "before", "source", "first", "used"), CASES)
def test_an_encoder_decoder_writes_what_it_writes_by_hand(
    run: Callable[..., Any],
    models: Path,
    run_snippet: Any,
    task: str,
    model: str,
    given: dict[str, Any],
    before: str,
    source: str | None,
    first: str | None,
    used: dict[str, Any],
) -> None:
    result = run(task, model, TEXT, given)
    texts = by_hand(models / model, before + TEXT, source, first, given.get("seed", 0), **used)
    assert result["output"] == [{KEYS[task]: text} for text in texts]
    assert any(texts)
    assert {name: result["parameters"][name] for name in used} == used
    again = run(task, model, TEXT, result["parameters"])
    assert again["output"] == result["output"]
    for view in ("pipeline", "stages"):
        arguments = {**result, "model": str(models / model), "commit": None, "inputs": TEXT}
        assert run_snippet(snippet(view, arguments, HUGGING_FACE)) == result["output"], view


def test_a_list_of_texts_gives_a_list_of_outputs_and_its_snippet_the_same(
    run: Callable[..., Any], models: Path, run_snippet: Any
) -> None:
    result = run(SUMMARIZE, "t5", [TEXT, "Once upon a time"], {"do_sample": True, "seed": 3})
    assert [len(one) for one in result["output"]] == [1, 1]
    arguments = {**result, "model": str(models / "t5"), "commit": None, "inputs": [TEXT, "Once upon a time"]}
    assert run_snippet(snippet("pipeline", arguments, HUGGING_FACE)) == result["output"]


def test_an_old_name_of_a_translation_holds_its_languages(run: Callable[..., Any]) -> None:
    named = run("translation_en_to_de", "t5", TEXT)
    assert named["task"] == TRANSLATE
    assert named["parameters"]["prefix"] == "translate English to German: "
    assert named["output"] == run(TRANSLATE, "t5", TEXT, {"src_lang": "en", "tgt_lang": "de"})["output"]
    assert find_task("translation_xx_to_yy").name == TRANSLATE


def test_languages_count_in_a_batch_and_a_comparison_as_in_a_call(
    settings: Settings, hub: Hub, engine: Engine, models: Path, visitor: Visitor
) -> None:
    before = "translate English to German: "
    batch = Batch(settings, hub, engine, Data(settings, hub, engine))
    done = batch.run_batch("Translation_en_to_de", "local/t5", [TEXT], visitor=visitor)
    assert done["facts"]["parameters"]["prefix"] == before
    named = ["local/t5", "local/t5@main"]
    compared = Compare(settings, batch).compare_models("translation_en_to_de", named, [TEXT], visitor=visitor)
    assert [one["parameters"]["prefix"] for one in compared["models"]] == [before, before]
    asked = {"src_lang": "en", "tgt_lang": "ro"}
    named = ["local/t5", "local/m2m100"]
    compared = Compare(settings, batch).compare_models(TRANSLATE, named, [TEXT], asked, visitor=visitor)
    assert "does not translate en to ro" in compared["models"][0]["error"]
    assert "error" not in compared["models"][1]


def test_parameters_of_generate_may_come_in_an_object_as_the_hub_specifies(run: Callable[..., Any]) -> None:
    nested = run(SUMMARIZE, "t5", TEXT, {"generate_parameters": {"max_new_tokens": 5}, "truncation": "only_first"})
    assert nested["output"] == run(SUMMARIZE, "t5", TEXT, {"max_new_tokens": 5})["output"]


def test_what_a_translation_does_with_its_languages_is_told(run: Callable[..., Any]) -> None:
    assert "as no languages were given, it translates en to fr" in run(TRANSLATE, "t5", TEXT)["notes"][0]
    notes = run(TRANSLATE, "marian", TEXT, {"src_lang": "en", "tgt_lang": "fr"})["notes"]
    assert notes == ["local/marian translates one pair of languages: src_lang and tgt_lang had no effect."]


def test_a_text_longer_than_the_encoder_reads_is_cut_and_told(
    run: Callable[..., Any], models: Path, run_snippet: Any
) -> None:
    result = run(SUMMARIZE, "t5", TEXT * 9)
    assert result["parameters"]["max_input_tokens"] == 48
    assert "at most 48: the rest was left out" in result["notes"][0]
    for view in ("pipeline", "stages"):
        arguments = {**result, "model": str(models / "t5"), "commit": None, "inputs": TEXT * 9}
        assert run_snippet(snippet(view, arguments, HUGGING_FACE)) == result["output"]


# What passes between the steps


def test_the_stages_of_an_encoder_decoder_lead_to_its_output(inference: Inference, visitor: Visitor) -> None:
    asked = {"src_lang": "en", "tgt_lang": "fr", "max_new_tokens": 4}
    seen = inference.run_stages(TRANSLATE, "local/m2m100", TEXT, asked, visitor=visitor)
    before, during, after = seen["stages"]
    tensors = {tensor["name"]: tensor["shape"] for tensor in during["tensors"]}
    length = len(before["tokens"])
    assert before["tokens"][0]["token"] == "__en__"
    assert "'__fr__'" in before["note"]
    assert tensors["encoder_last_hidden_state"] == [1, length, 16]
    assert len(during["next_tokens"]) == 10
    assert after["tokens"][0]["token"] == "__fr__"
    assert seen["output"][0]["translation_text"]
    summary = inference.run_stages(SUMMARIZE, "local/t5", TEXT, {"num_beams": 1}, visitor=visitor)
    assert "'summarize: '" in summary["stages"][0]["note"]
    assert summary["stages"][1]["next_tokens"][0]["probability"] > summary["stages"][1]["next_tokens"][9]["probability"]


# Followed while it is made


@pytest.mark.parametrize(
    ("task", "model", "inputs", "asked"),
    [
        (SUMMARIZE, "t5", TEXT, {"num_beams": 1}),
        (SUMMARIZE, "t5", TEXT, {}),
        (REWRITE, "bart", TEXT, {"do_sample": True, "num_beams": 1, "seed": 1, "max_new_tokens": 9}),
        (TRANSLATE, "nllb", TEXT, {"src_lang": "eng_Latn", "tgt_lang": "fra_Latn", "min_new_tokens": 5}),
        (GENERATE, "chat", CHAT, {"max_new_tokens": 6}),
        (GENERATE, "chat", [*CHAT, {"role": "assistant", "content": "Once"}], {"max_new_tokens": 6}),
        (GENERATE, "chat", TEXT, {"max_new_tokens": 6, "num_beams": 3, "num_return_sequences": 3}),
    ],
)
def test_a_stream_ends_in_what_a_call_gives(
    inference: Inference,
    visitor: Visitor,
    run: Callable[..., Any],
    task: str,
    model: str,
    inputs: Any,
    asked: dict[str, Any],
) -> None:
    items = list(inference.stream_task(task, f"local/{model}", inputs, asked, visitor=visitor))
    assert items[-1]["output"] == run(task, model, inputs, asked)["output"]
    assert [item["tokens"] for item in items[:3]] == [1, 2, 3]
    assert 0 < items[0]["first_token_seconds"] <= items[-1]["seconds"]
    assert items[-1]["reason"] in ("end", "length")
    written = items[-1]["output"][0].get(KEYS.get(task, "generated_text"))
    assert items[-1]["text"] == (written[-1]["content"] if isinstance(written, list) else written)
    if items[-1]["parameters"].get("num_beams", 1) == 1:
        first = items[0]["text"].removesuffix(items[0]["new_text"])
        assert first + "".join(item["new_text"] for item in items) == items[-1]["text"]
    else:
        assert any("best so far" in note for note in items[-1]["notes"])


def test_an_encoder_decoder_stops_when_the_time_is_up(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, models: Path
) -> None:
    hurried = Inference(replace(settings, call_seconds=1e-6), hub, engine)
    result = hurried.run_task(REWRITE, "local/t5", TEXT, {"max_new_tokens": 100}, visitor=visitor)
    assert "time for one call was up" in result["notes"][0]


# Chats


@pytest.mark.parametrize(
    "messages", [CHAT, CHAT[1:], [*CHAT, {"role": "assistant", "content": "Once"}], [CHAT, CHAT[1:]]]
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_chat_goes_on_as_in_the_pipeline(
    run: Callable[..., Any], models: Path, run_snippet: Any, messages: Any, whole: bool
) -> None:
    from transformers import pipeline

    result = run(GENERATE, "chat", messages, {"max_new_tokens": 5, "return_full_text": whole})
    raw = pipeline(GENERATE, model=str(models / "chat"), device="cpu")
    assert result["output"] == raw(messages, **result["parameters"])
    first = messages[0] if isinstance(messages[0], list) else messages
    by_view = {"pipeline": messages, "stages": first}
    for view, asked in by_view.items():
        arguments = {**result, "model": str(models / "chat"), "commit": None, "inputs": asked}
        shown = result["output"] if asked is messages else result["output"][0]
        assert run_snippet(snippet(view, arguments, HUGGING_FACE)) == shown


# Refused in sentences


@pytest.fixture(scope="module")
def odd(models: Path) -> Path:
    """Models whose own settings are hostile or broken."""
    import generation_models

    greedy = {"num_beams": 100_000, "max_length": 10**9, "custom_generate": "evil/repo", "trust_remote_code": True}
    generation_models.t5(models / "greedy", task_specific_params={"summarization": {"prefix": "x: ", **greedy}})
    generation_models.t5(models / "garbled", task_specific_params={"summarization": [1, 2]})

    def settings(name: str, source: str, **values: Any) -> None:
        shutil.copytree(models / source, models / name)
        file = models / name / "generation_config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    settings("unstarted", "t5", decoder_start_token_id=None, bos_token_id=None)
    settings("contrastive", "t5", penalty_alpha=0.6, top_k=4)
    settings("stopping", "chat", stop_strings=["a"], eos_token_id=[0, 5])
    settings("wordy", "bart", num_beams="many", repetition_penalty=-2)
    return models


def test_a_model_may_not_ask_for_more_than_a_visitor(run: Callable[..., Any], odd: Path) -> None:
    result = run(SUMMARIZE, "greedy", "I love", {"max_new_tokens": 4})
    assert result["parameters"]["num_beams"] == 8
    assert "asks for 100,000 num_beams; 8 were taken" in result["notes"][0]
    assert run(SUMMARIZE, "greedy", "I love", {"num_beams": 1})["parameters"]["max_new_tokens"] == 1024


@pytest.mark.parametrize(
    ("task", "model", "words"),
    [
        (SUMMARIZE, "garbled", "generation settings of local/garbled are broken"),
        (SUMMARIZE, "unstarted", "decoder_start_token_id"),
        (REWRITE, "contrastive", "could not generate with local/contrastive"),
        (GENERATE, "stopping", "could not generate with local/stopping"),
        (REWRITE, "wordy", "could not generate with local/wordy"),
        (GENERATE, "t5", "text-to-text (encoder-decoder)"),
        (TRANSLATE, "chat", "text-generation model"),
    ],
)
def test_a_model_with_settings_that_do_not_do_is_told(
    run: Callable[..., Any], odd: Path, task: str, model: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, TEXT)
    assert caught.value.field == "model"
    assert words in caught.value.message
    assert str(odd) not in caught.value.message


@pytest.mark.parametrize(("task", "kind"), [(GENERATE, "chat"), (REWRITE, "t5")])
def test_broken_weights_are_told(run: Callable[..., Any], models: Path, task: str, kind: str) -> None:
    from safetensors.torch import load_file, save_file

    path = models / f"broken-{kind}"
    shutil.copytree(models / kind, path)
    weights = load_file(path / "model.safetensors")
    name = next(key for key in weights if "final" in key or "ln_f" in key)
    save_file({**weights, name: weights[name] * float("nan")}, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WorkbenchError, match="no finite numbers") as caught:
        run(task, path.name, TEXT, {"max_new_tokens": 2})
    assert caught.value.field == "model"


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "field", "words"),
    [
        (SUMMARIZE, "t5", "", {}, "inputs", "no text yet"),
        (SUMMARIZE, "t5", {"text": TEXT}, {}, "inputs", "A text is needed"),
        (SUMMARIZE, "t5", TEXT, {"num_beams": 9}, "parameters.num_beams", "from 1 to 8"),
        (SUMMARIZE, "t5", TEXT, {"length_penalty": "long"}, "parameters.length_penalty", "a number"),
        (SUMMARIZE, "t5", TEXT, {"early_stopping": "never"}, "parameters.early_stopping", "true or false"),
        (SUMMARIZE, "t5", TEXT, {"generate_parameters": {"beams": 2}}, "parameters.beams", "no parameter 'beams'"),
        (SUMMARIZE, "t5", TEXT, {"generate_parameters": 7}, "parameters.generate_parameters", "must be an object"),
        (SUMMARIZE, "t5", TEXT * 9, {"truncation": "do_not_truncate"}, "inputs", "at most 48. Shorten it"),
        (
            SUMMARIZE,
            "t5",
            TEXT,
            {"min_new_tokens": 9, "max_new_tokens": 3},
            "parameters.min_new_tokens",
            "cannot both be",
        ),
        (TRANSLATE, "t5", TEXT, {"src_lang": "fr", "tgt_lang": "en"}, "parameters.src_lang", "en to de, en to fr"),
        (TRANSLATE, "t5", TEXT, {"tgt_lang": "fr"}, "parameters.src_lang", "any language to fr"),
        (TRANSLATE, "targets", TEXT, {}, "parameters.tgt_lang", "deu, fra"),
        (TRANSLATE, "targets", TEXT, {"tgt_lang": "x" * 300}, "parameters.tgt_lang", "200 characters"),
        (TRANSLATE, "m2m100", TEXT, {}, "parameters.src_lang", "af, am, ar"),
        (TRANSLATE, "m2m100", TEXT, {"src_lang": "en", "tgt_lang": "klingon"}, "parameters.tgt_lang", "by one of"),
        (TRANSLATE, "nllb", TEXT, {"src_lang": "eng_Latn", "tgt_lang": "<pad>"}, "parameters.tgt_lang", "ace_Arab"),
        (GENERATE, "generator", CHAT, {}, "inputs", "no chat template"),
        (GENERATE, "chat", [{"role": "user"}], {}, "inputs", "list of messages"),
        (GENERATE, "chat", [{"role": "boss", "content": "a"}], {}, "inputs", "Roles are"),
        (GENERATE, "chat", [{"role": "user", "content": ["a"]}], {}, "inputs", "content of each message is a text"),
        (GENERATE, "chat", [{"role": "tool", "content": "a"}], {}, "inputs", "refuses these messages: No tools here"),
        (GENERATE, "chat", [{"role": "user", "content": "a" * 300}], {}, "inputs", "Shorten the prompt"),
        (GENERATE, "chat", [{"role": "user", "content": "a" * 200_000}], {}, "inputs", "at most 100,000"),
    ],
)
def test_what_cannot_be_written_is_told_with_its_field(
    run: Callable[..., Any], task: str, model: str, inputs: Any, parameters: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, inputs, parameters)
    assert (caught.value.field, caught.value.kind) == (field, "input")
    assert words in caught.value.message
