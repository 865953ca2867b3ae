"""Under the hood of language models: each view equals what the library's own calls give on the same weights."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from task_checks import alike

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.generation import Generation, explain
from components.service.hub import Hub
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.visitor import Visitor

GENERATE, SUMMARIZE, TRANSLATE = "text-generation", "summarization", "translation"
TEXT = "I love this film, it is wonderful and warm."
PROMPT = "Once upon a"
CHAT = [{"role": "user", "content": "Once upon"}]
LANGUAGES = {"src_lang": "en", "tgt_lang": "fr"}
ROMANIAN = {"src_lang": "en_XX", "tgt_lang": "ro_RO"}


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    """`local/steps-gpt2` with a chat template, `steps-t5`, `steps-bart`, `steps-m2m100`, `steps-mbart`, `steps-bert`
    (masked)."""
    import generation_models
    import torch
    from service_models import bert_config, wordpiece
    from transformers import BertForMaskedLM

    generation_models.chat(models_folder / "steps-gpt2")
    for name in ("t5", "bart", "m2m100", "mbart"):
        getattr(generation_models, name)(models_folder / f"steps-{name}")
    torch.manual_seed(0)
    BertForMaskedLM(bert_config(wordpiece(), initializer_range=0.5)).save_pretrained(models_folder / "steps-bert")
    wordpiece().save_pretrained(models_folder / "steps-bert")
    return models_folder


@pytest.fixture(scope="module")
def generation(settings: Settings, hub: Hub, engine: Engine, models: Path, tiny_classifier: Path) -> Generation:
    return Generation(settings, hub, engine)


def code(view: str, shown: dict[str, Any], models: Path, **asked: Any) -> str:
    path = str(models / shown["model"].removeprefix("local/"))
    return snippet(view, {**shown, "model": path, "commit": None, **asked}, HUGGING_FACE)


# Each step


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters"),
    [
        (GENERATE, "gpt2", PROMPT, {"max_new_tokens": 6}),
        (GENERATE, "gpt2", PROMPT, {"max_new_tokens": 6, "temperature": 1.5, "top_k": 5, "top_p": 0.9, "seed": 3}),
        (GENERATE, "gpt2", CHAT, {"max_new_tokens": 5, "repetition_penalty": 1.4}),
        (SUMMARIZE, "t5", TEXT, {}),
        (SUMMARIZE, "bart", TEXT, {"max_new_tokens": 5, "do_sample": True, "seed": 8}),
        (TRANSLATE, "m2m100", TEXT, {**LANGUAGES, "max_new_tokens": 5}),
        (TRANSLATE, "mbart", TEXT, {**ROMANIAN, "max_new_tokens": 5}),
    ],
)
def test_the_steps_are_those_of_generate(
    generation: Generation,
    visitor: Visitor,
    models: Path,
    run_snippet: Any,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    shown = generation.generation_steps(task, f"local/steps-{model}", inputs, parameters, visitor=visitor)
    asked = {"task": task, "model": f"local/steps-{model}", "inputs": inputs, "parameters": shown["parameters"]}
    whole = generation._inference.run_task(**asked, visitor=visitor)["output"][0]
    written = next(iter(whole.values()))
    assert shown["text"] == (written[-1]["content"] if isinstance(written, list) else written)
    chosen = [step["chosen"] for step in shown["steps"]]
    result = run_snippet(code("generation_steps", shown, models, inputs=inputs))
    assert [(one["id"], one["token"]) for one in result] == [(one["id"], one["token"]) for one in chosen]
    assert [one["probability"] for one in result] == pytest.approx([one["probability"] for one in chosen], rel=1e-4)


def test_both_probabilities_are_those_of_the_logits_and_of_the_scores(
    generation: Generation, visitor: Visitor, models: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    used = {"max_new_tokens": 6, "do_sample": True, "temperature": 1.5, "top_k": 5, "repetition_penalty": 1.3}
    shown = generation.generation_steps(GENERATE, "local/steps-gpt2", PROMPT, {**used, "seed": 3}, visitor=visitor)
    path = models / "steps-gpt2"
    inputs = AutoTokenizer.from_pretrained(path)(PROMPT, return_tensors="pt", return_token_type_ids=False)
    model = AutoModelForCausalLM.from_pretrained(path)
    torch.manual_seed(3)
    raw = model.generate(**inputs, **used, return_dict_in_generate=True, output_scores=True, output_logits=True)
    new = raw.sequences[0, inputs["input_ids"].shape[1] :].tolist()
    assert [step["chosen"]["id"] for step in shown["steps"]] == new
    for step, number, logits, scores in zip(shown["steps"], new, raw.logits, raw.scores, strict=True):
        before, after = logits[0].softmax(-1), scores[0].softmax(-1)
        chosen, best = step["chosen"], step["alternatives"]
        assert [one["id"] for one in best] == before.topk(10).indices.tolist()
        for one in (chosen, *best):
            assert one["probability"] == pytest.approx(before[one["id"]].item(), rel=1e-4)
            assert one["after"] == pytest.approx(after[one["id"]].item(), rel=1e-4)
        assert chosen["logprob"] == pytest.approx(math.log(chosen["probability"]), rel=1e-4)
        assert chosen["rank"] == int((before > before[number]).sum()) + 1
        assert step["entropy"] == pytest.approx(-(before * before.log2()).sum().item(), rel=1e-4)
    assert sum(one["after"] > 0 for one in shown["steps"][0]["alternatives"]) <= 5


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters"),
    [
        (GENERATE, "gpt2", PROMPT, {"max_new_tokens": 7, "min_new_tokens": 7}),
        (GENERATE, "gpt2", PROMPT, {"max_new_tokens": 7, "min_new_tokens": 7, "do_sample": True, "seed": 1}),
        (SUMMARIZE, "t5", TEXT, {"max_new_tokens": 7, "min_new_tokens": 7}),
        (SUMMARIZE, "bart", TEXT, {"max_new_tokens": 7, "min_new_tokens": 7, "do_sample": True, "seed": 8}),
        (TRANSLATE, "mbart", TEXT, {**ROMANIAN, "max_new_tokens": 7, "min_new_tokens": 7}),
    ],
)
def test_another_token_is_taken_and_the_text_goes_on_from_there(
    generation: Generation,
    visitor: Visitor,
    models: Path,
    run_snippet: Any,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    def steps(forced: Any = None) -> dict[str, Any]:
        return generation.generation_steps(
            task, f"local/steps-{model}", inputs, parameters, None, forced, visitor=visitor
        )

    first = steps()
    other = first["steps"][2]["alternatives"][-1]["id"]
    changed = steps([{"step": 2, "id": other}])
    ids = [step["chosen"]["id"] for step in changed["steps"]]
    assert ids[:2] == [step["chosen"]["id"] for step in first["steps"][:2]]
    assert ids[2] == other
    assert alike(changed["steps"][2]["alternatives"], first["steps"][2]["alternatives"])
    assert len(ids) == 7
    again = steps([{"step": 2.0, "id": other}, {"step": 4, "id": changed["steps"][4]["alternatives"][1]["id"]}])
    assert [step["chosen"]["id"] for step in again["steps"]][:4] == ids[:4]
    same = steps([{"step": 3, "id": first["steps"][3]["chosen"]["id"]}])
    assert same["text"] == first["text"]
    result = run_snippet(code("generation_steps", changed, models, inputs=inputs, forced=[{"step": 2, "id": other}]))
    assert [one["id"] for one in result] == ids


def test_taking_the_end_token_ends_the_text(generation: Generation, visitor: Visitor) -> None:
    asked = {"max_new_tokens": 7, "min_new_tokens": 7}
    shown = generation.generation_steps(
        GENERATE, "local/steps-gpt2", PROMPT, asked, None, [{"step": 3, "id": 0}], visitor=visitor
    )
    assert (len(shown["steps"]), shown["reason"]) == (4, "end")
    assert shown["steps"][3]["chosen"]["special"] is True


def test_a_stop_text_ends_the_steps(generation: Generation, visitor: Visitor) -> None:
    whole = generation.generation_steps(GENERATE, "local/steps-gpt2", PROMPT, {"max_new_tokens": 7}, visitor=visitor)
    stop = whole["text"].removeprefix(PROMPT)[:1]
    shown = generation.generation_steps(
        GENERATE, "local/steps-gpt2", PROMPT, {"max_new_tokens": 7, "stop": [stop]}, visitor=visitor
    )
    assert len(shown["steps"]) < len(whole["steps"])
    assert shown["reason"] == "end"


def test_steps_are_bounded_in_number_and_time(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, models: Path
) -> None:
    hurried = Generation(replace(settings, call_seconds=1e-6), hub, engine)
    shown = hurried.generation_steps(GENERATE, "local/steps-gpt2", PROMPT, {"max_new_tokens": 100}, visitor=visitor)
    assert (len(shown["steps"]), shown["reason"]) == (1, "time")
    long = Generation(settings, hub, engine).generation_steps(
        GENERATE, "local/steps-gpt2", PROMPT, {"max_new_tokens": 120, "min_new_tokens": 120}, visitor=visitor
    )
    assert len(long["steps"]) == settings.shown_steps
    assert any("first 100 steps are shown" in note for note in long["notes"])


# The loss of a text


def test_the_loss_of_a_text_is_that_of_its_own_ids_as_labels(
    generation: Generation, visitor: Visitor, models: Path, run_snippet: Any
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    shown = generation.score_text("local/steps-gpt2", TEXT, visitor=visitor)
    path = models / "steps-gpt2"
    ids = AutoTokenizer.from_pretrained(path)(TEXT, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        raw = AutoModelForCausalLM.from_pretrained(path)(input_ids=ids, labels=ids)
    assert shown["loss"] == pytest.approx(raw.loss.item(), rel=1e-5)
    assert shown["perplexity"] == pytest.approx(raw.loss.exp().item(), rel=1e-4)
    first, *rest = shown["tokens"]
    assert "loss" not in first
    assert "first token has no loss" in shown["notes"][0]
    logarithms = raw.logits[0, :-1].log_softmax(-1)
    for row, number, log in zip(rest, ids[0, 1:].tolist(), logarithms, strict=True):
        assert row["loss"] == pytest.approx(-log[number].item(), rel=1e-4)
        assert row["probability"] == pytest.approx(log[number].exp().item(), rel=1e-4)
        assert row["rank"] == int((log > log[number]).sum()) + 1
        assert row["best"]["id"] == int(log.argmax())
    result = run_snippet(code("score_text", shown, models, text=TEXT))
    assert result["loss"] == pytest.approx(shown["loss"], rel=1e-4)
    assert result["losses"] == pytest.approx([row["loss"] for row in rest], rel=1e-4)


def test_a_masked_model_foretells_each_token_from_all_others(
    generation: Generation, visitor: Visitor, models: Path, run_snippet: Any
) -> None:
    text = f"{TEXT} {TEXT}"  # more tokens than are masked at once
    shown = generation.score_text("local/steps-bert", text, task="fill-mask", visitor=visitor)
    rows = [row for row in shown["tokens"] if "loss" in row]
    assert shown["kind"] == "masked"
    assert [row["token"] for row in shown["tokens"] if "loss" not in row] == ["[CLS]", "[SEP]"]
    result = run_snippet(code("score_text", shown, models, text=text))
    assert result["losses"] == pytest.approx([row["loss"] for row in rows], rel=1e-4)
    assert shown["loss"] == pytest.approx(sum(result["losses"]) / len(rows), rel=1e-4)
    assert shown["scored"] == len(rows) > 16


def test_a_text_longer_than_the_model_reads_is_scored_in_part(
    generation: Generation, visitor: Visitor, models: Path, run_snippet: Any
) -> None:
    shown = generation.score_text("local/steps-gpt2", TEXT * 20, visitor=visitor)
    assert len(shown["tokens"]) == 128
    assert "the first 128 were scored" in shown["notes"][0]
    result = run_snippet(code("score_text", shown, models, text=TEXT * 20))
    assert result["loss"] == pytest.approx(shown["loss"], rel=1e-4)


# With and without a head


@pytest.mark.parametrize(
    ("task", "model", "inputs", "labels", "shapes", "head"),
    [
        (
            "text-classification",
            "local/classifier",
            ["I love this film", "I hate it"],
            ["positive", 0],
            {"last_hidden_state": [2, 6, 32], "logits": [2, 3]},
            ["dropout", "classifier"],
        ),
        (
            GENERATE,
            "local/steps-gpt2",
            [TEXT, PROMPT],
            "inputs",
            {"last_hidden_state": [2, 0, 32], "logits": [2, 0, 365]},
            ["lm_head"],
        ),
        (
            "fill-mask",
            "local/steps-bert",
            "I love this film",
            None,
            {"last_hidden_state": [1, 6, 32], "logits": [1, 6, 0]},
            ["cls"],
        ),
        (
            SUMMARIZE,
            "local/steps-t5",
            TEXT,
            ["I love it"],
            {"last_hidden_state": [1, 0, 16], "logits": [1, 0, 64]},
            ["lm_head"],
        ),
        (TRANSLATE, "local/steps-m2m100", TEXT, None, {"last_hidden_state": [1, 1, 16]}, ["lm_head"]),
    ],
)
def test_hidden_states_stand_beside_what_the_head_makes_of_them(
    generation: Generation,
    visitor: Visitor,
    models: Path,
    run_snippet: Any,
    task: str,
    model: str,
    inputs: Any,
    labels: Any,
    shapes: dict[str, list[int]],
    head: list[str],
) -> None:
    shown = generation.hidden_states(task, model, inputs, None, labels, visitor=visitor)
    bare = {one["name"]: one for one in shown["without_head"]["tensors"]}
    whole = {one["name"]: one for one in shown["with_head"]["tensors"]}
    for name, shape in shapes.items():
        seen = {**bare, **whole}[name]["shape"]
        assert [known or size for known, size in zip(shape, seen, strict=True)] == seen
    assert [module["name"] for module in shown["with_head"]["modules"]] == head
    assert shown["without_head"]["modules"]
    assert (shown["loss"] is None) == (labels is None)
    result = run_snippet(code("hidden_states", shown, models, inputs=inputs, labels=labels))
    sample = bare["last_hidden_state"]["sample"][0][0]
    assert sample == pytest.approx(result["last_hidden_state"][0][0][: len(sample)], rel=1e-3, abs=1e-5)
    logits = whole["logits"]["sample"]
    assert _first(logits) == pytest.approx(_first(result["logits"]), rel=1e-3)
    if labels is not None:
        assert shown["loss"] == pytest.approx(result["loss"], rel=1e-4)


def _first(value: Any) -> float:
    while isinstance(value, list):
        value = value[0]
    return float(value)


def test_hidden_states_are_those_of_the_model_loaded_without_a_head(
    generation: Generation, visitor: Visitor, tiny_classifier: Path
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = ["I love this film", "I hate it"]
    shown = generation.hidden_states("text-classification", "local/classifier", texts, visitor=visitor)
    inputs = AutoTokenizer.from_pretrained(tiny_classifier)(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        raw = AutoModel.from_pretrained(tiny_classifier)(**inputs).last_hidden_state
    (tensor,) = shown["without_head"]["tensors"]
    assert tensor["shape"] == list(raw.shape)
    assert tensor["sample"][1][2] == pytest.approx(raw[1, 2, : len(tensor["sample"][1][2])].tolist(), rel=1e-4)
    assert shown["tokens"][1][-1]["attention"] == 0
    assert shown["without_head"]["class"] == "BertModel"


# What parameters ask for


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"max_new_tokens": 9}, ["Greedy", "after 9 new tokens"]),
        ({"do_sample": True, "seed": 4, "temperature": 1.5, "top_k": 5}, ["seed 4", "1.5 flattens", "5 likeliest"]),
        ({"do_sample": True, "temperature": 0.5, "top_p": 0.9}, ["0.5 sharpens", "probability of 0.9"]),
        ({"num_beams": 4, "length_penalty": -1.0, "early_stopping": True}, ["4 texts", "shorter", "as many texts"]),
        ({"repetition_penalty": 1.2, "no_repeat_ngram_size": 3}, ["less likely, by 1.2", "No run of 3"]),
        ({"min_new_tokens": 5, "stop": ["."]}, ["before 5 new tokens", "'.'"]),
    ],
)
def test_parameters_are_told_in_sentences(parameters: dict[str, Any], words: list[str]) -> None:
    told = " ".join(explain(parameters))
    for word in words:
        assert word in told
    assert all(sentence.endswith(".") for sentence in explain(parameters))


# Refused in sentences


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"task": "text-classification", "inputs": "a"}, "task", "writes no text"),
        ({"inputs": ["a", "b"]}, "inputs", "One text"),
        ({"inputs": ""}, "inputs", "no text yet"),
        ({"inputs": PROMPT, "parameters": {"num_beams": 2}}, "parameters.num_beams", "set num_beams to 1"),
        ({"inputs": PROMPT, "forced": {"step": 1}}, "forced", "a list such as"),
        ({"inputs": PROMPT, "forced": [{"step": 1}]}, "forced", "a list such as"),
        ({"inputs": PROMPT, "forced": [7]}, "forced", "a list such as"),
        ({"inputs": PROMPT, "forced": [{"step": -1, "id": 2}]}, "forced", "a list such as"),
        ({"inputs": PROMPT, "forced": [{"step": 1, "id": True}]}, "forced", "a list such as"),
        ({"inputs": PROMPT, "forced": [{"step": 1, "id": 2}] * 2}, "forced", "each step once"),
        ({"inputs": PROMPT, "forced": [{"step": n, "id": 2} for n in range(51)]}, "forced", "at most 50"),
        ({"inputs": PROMPT, "forced": [{"step": 9, "id": 2}]}, "forced", "no step 9"),
        ({"inputs": PROMPT, "forced": [{"step": 1, "id": 10**6}]}, "forced", "no token 1000000"),
        (
            {"inputs": PROMPT, "forced": [{"step": 1, "id": 0}, {"step": 3, "id": 5}]},
            "forced",
            "ends after 2 tokens",
        ),
    ],
)
def test_steps_that_cannot_be_shown_are_told(
    generation: Generation, visitor: Visitor, asked: dict[str, Any], field: str, words: str
) -> None:
    given = {"task": GENERATE, "model": "local/steps-gpt2", "parameters": {"max_new_tokens": 5}, **asked}
    with pytest.raises(WorkbenchError) as caught:
        generation.generation_steps(**given, visitor=visitor)
    assert caught.value.field == field
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"text": ""}, "text", "no text yet"),
        ({"text": "a"}, "text", "text of one token has no loss"),
        ({"text": TEXT, "task": "summarization"}, "task", "text-generation or fill-mask"),
        ({"text": TEXT, "model": "local/classifier"}, "model", "no language modelling head"),
        ({"text": ["a"]}, "text", "A text is needed"),
    ],
)
def test_texts_that_cannot_be_scored_are_told(
    generation: Generation, visitor: Visitor, asked: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        generation.score_text(**{"model": "local/steps-gpt2", **asked}, visitor=visitor)
    assert caught.value.field == field
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"inputs": ["a"] * 3}, "inputs", "One or two"),
        ({"inputs": []}, "inputs", "One or two"),
        ({"inputs": [7]}, "inputs", "A text is needed"),
        ({"inputs": "a", "labels": ["positive", "negative"]}, "labels", "one for each text"),
        ({"inputs": "a", "labels": ["angry"]}, "labels", "negative, neutral, positive"),
        ({"inputs": "a", "labels": [3]}, "labels", "negative, neutral, positive"),
        ({"inputs": "a", "labels": [None]}, "labels", "A text is needed"),
        ({"inputs": "a", "labels": "inputs"}, "labels", "language models"),
        ({"inputs": "a", "task": GENERATE, "model": "local/steps-gpt2", "labels": ["b"]}, "labels", "labels: inputs"),
    ],
)
def test_hidden_states_that_cannot_be_shown_are_told(
    generation: Generation, visitor: Visitor, asked: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        generation.hidden_states(
            **{"task": "text-classification", "model": "local/classifier", **asked}, visitor=visitor
        )
    assert caught.value.field == field
    assert words in caught.value.message
