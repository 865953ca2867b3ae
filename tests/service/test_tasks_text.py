"""Tasks that read text: the same as transformers' own pipelines or as references by hand, and refused in sentences."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import task_checks
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as how

from components.service.errors import WorkbenchError
from components.service.inference import Inference
from components.service.settings import HUGGING_FACE
from components.service.snippets import snippet
from components.service.visitor import Visitor

NER, FILL, ZERO, EMBED = "token-classification", "fill-mask", "zero-shot-classification", "feature-extraction"
SIMILAR, ANSWER, TABLE, DECIDE = "sentence-similarity", "question-answering", "table-question-answering", "decision"
TEXT = "I love this wonderful film, said the small fox é☃."
LONG = "I love this film " * 30
LABELS = {"candidate_labels": ["a film", "a fox", "dull"]}
TABLE_INPUT = {"query": "how long is the film", "table": {"name": ["fox", "film"], "length": ["7", "12"]}}
LONG_TABLE = {"query": "how long", "table": {"name": ["fox", "film"] * 20, "length": ["7", "12"] * 20}}
PAIR = {"question": "who said it ?", "context": "I love this film, said the small fox. It is wonderful."}
LONG_PAIR = {**PAIR, "context": PAIR["context"] * 12}
QUESTIONS = {
    "refund": {"type": "noul", "instructions": "Is a refund requested?"},
    "tone": {"type": "choice", "criteria": {"calm": "A polite message", "angry": None}},
    "urgency": {"type": "score", "criteria": ["Can wait", "This week", "Today"]},
}
REQUEST = {"state": "I was charged twice.", "questions": QUESTIONS}
SENTENCES = {"source_sentence": "I love this film", "sentences": ["I hate it", "I love this film", "the small fox"] * 7}
near = partial(task_checks.near, rel=1e-4)


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    """`local/TASK` for each task that reads text."""
    from text_models import MAKERS

    for task, make in MAKERS.items():
        make(models_folder / task)
    return models_folder


@pytest.fixture(scope="module")
def run(inference: Inference, visitor: Visitor) -> Callable[..., dict[str, Any]]:
    def run(task: str, inputs: Any, parameters: Any = None, model: str = "") -> dict[str, Any]:
        return inference.run_task(task, f"local/{model or task}", inputs, parameters, visitor=visitor)

    return run


@pytest.fixture(scope="module")
def pipe(models: Path) -> Callable[[str], Any]:
    """transformers' own pipeline of a task, without any of our code."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

    made: dict[str, Any] = {}

    def pipe(task: str) -> Any:
        path = str(models / task)
        if task not in made and task == DECIDE:
            model, tokenizer = AutoModelForCausalLM.from_pretrained(path), AutoTokenizer.from_pretrained(path)
            made[task] = pipeline(task, model=model, tokenizer=tokenizer, device="cpu")
        return made.setdefault(task, made.get(task) or pipeline(task, model=path, device="cpu"))

    return pipe


# The same as the library's own

SAME: list[tuple[str, Any, dict[str, Any]]] = [
    (NER, TEXT, {}),
    (NER, TEXT, {"aggregation_strategy": "none", "ignore_labels": ["I-PER", "O"]}),
    (NER, TEXT, {"aggregation_strategy": "first"}),
    (NER, TEXT, {"aggregation_strategy": "average", "ignore_labels": []}),
    (NER, [TEXT, LONG], {"aggregation_strategy": "max", "stride": 9}),
    (FILL, "I [MASK] this film", {}),
    (FILL, "I [MASK] this film", {"top_k": 1000}),
    (FILL, "I [MASK] this film", {"targets": ["love", "hate"], "top_k": 3}),
    (FILL, ["I [MASK] this [MASK]", "[MASK]"], {"top_k": 2}),
    (ZERO, TEXT, LABELS),
    (ZERO, TEXT, {**LABELS, "multi_label": True, "hypothesis_template": "It is about {}."}),
    (ZERO, [TEXT, "I hate it"], {"candidate_labels": ["a film"]}),
    (EMBED, TEXT, {}),
    (EMBED, [TEXT, "I hate it"], {}),
    (TABLE, TABLE_INPUT, {}),
    (TABLE, [TABLE_INPUT, LONG_TABLE], {"padding": "max_length"}),
    (TABLE, TABLE_INPUT, {"sequential": True}),
    (DECIDE, REQUEST, {}),
    (DECIDE, [REQUEST, {"state": {"a": [1, None]}, "questions": {"x": QUESTIONS["refund"]}}], {}),
]


@pytest.mark.parametrize(("task", "inputs", "parameters"), SAME)
def test_a_task_gives_what_the_pipeline_gives(
    run: Callable[..., Any], pipe: Callable[[str], Any], task: str, inputs: Any, parameters: dict[str, Any]
) -> None:
    result = run(task, inputs, parameters)
    used = {name: value for name, value in result["parameters"].items() if task == NER or name in parameters}
    items = inputs if isinstance(inputs, list) else [inputs]
    raw = pipe(task)
    raw.tokenizer.model_max_length = used.pop("max_length", raw.tokenizer.model_max_length)
    made = [_converted(task, raw(deepcopy(item), **used)) for item in items]  # it changes its inputs
    assert near(made if isinstance(inputs, list) else made[0]) == result["output"]
    assert made[0] or task == NER  # every token may have a label that is ignored


def test_a_model_made_for_decisions_scores_the_options_itself(
    run: Callable[..., Any], run_snippet: Any, models: Path
) -> None:
    from text_models import judge
    from transformers import AutoTokenizer, JevForDecision, pipeline

    path = judge(models / "judge")
    raw = pipeline(DECIDE, model=JevForDecision.from_pretrained(path), tokenizer=AutoTokenizer.from_pretrained(path))
    result = run(DECIDE, REQUEST, model="judge")
    assert result["auto_class"] == "AutoModelForDecision"
    assert near(raw(REQUEST)) == result["output"]
    asked = {**result, "model": str(path), "commit": None, "inputs": REQUEST}
    for view in ("pipeline", "stages"):
        assert near(run_snippet(snippet(view, asked, HUGGING_FACE))) == result["output"]


def _converted(task: str, made: Any) -> Any:
    if task == ZERO:
        return [{"label": label, "score": score} for label, score in zip(made["labels"], made["scores"], strict=True)]
    return made


# Names that people use, beside the Hub's own


def test_other_names_of_a_task_an_input_and_a_mask_are_understood(run: Callable[..., Any]) -> None:
    assert run("ner", TEXT, model=NER)["output"] == run(NER, TEXT)["output"]
    asked = {"question": TABLE_INPUT["query"], "table": TABLE_INPUT["table"]}
    assert run(TABLE, asked)["output"] == run(TABLE, TABLE_INPUT)["output"]
    filled = run(FILL, "I <mask> this film")
    assert filled["output"] == run(FILL, "I [MASK] this film")["output"]
    assert filled["notes"] == [f"<mask> was replaced by [MASK], the mask of local/{FILL}."]


# Answers


def answers_by_hand(path: Path, question: str, context: str, longest: int, most: int, stride: int) -> list[Any]:
    """Every span of every chunk with its score, as (score, text), spans of the same text added, best first."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    model, tokenizer = AutoModelForQuestionAnswering.from_pretrained(path), AutoTokenizer.from_pretrained(path)
    cut = {"truncation": "only_second", "max_length": most, "stride": stride, "return_overflowing_tokens": True}
    found: list[list[tuple[float, str]]] = []
    for chunk in tokenizer(question, context, **cut).encodings:
        with torch.no_grad():
            out = model(torch.tensor([chunk.ids]), attention_mask=torch.tensor([chunk.attention_mask]))
        places = [0, *(i for i, one in enumerate(chunk.sequence_ids) if one == 1)]
        starts = dict(zip(places, out.start_logits[0, places].softmax(-1).tolist(), strict=True))
        ends = dict(zip(places, out.end_logits[0, places].softmax(-1).tolist(), strict=True))
        spans = [(a, b) for a in places[1:] for b in places[1:] if a <= b < a + longest]
        found.append([(starts[a] * ends[b], context[chunk.offsets[a][0] : chunk.offsets[b][1]]) for a, b in spans])
    return found


@pytest.mark.parametrize("inputs", [PAIR, LONG_PAIR])
def test_the_best_answers_are_the_likeliest_spans(run: Callable[..., Any], models: Path, inputs: Any) -> None:
    asked = {"top_k": 5, "align_to_words": False, "max_answer_len": 4, "doc_stride": 10}
    result = run(ANSWER, inputs, asked)["output"]
    chunks = answers_by_hand(models / ANSWER, inputs["question"], inputs["context"], 4, 64, 10)
    added: dict[str, float] = {}
    for spans in chunks:
        for score, text in sorted(spans, reverse=True)[:5]:
            added[text.lower()] = added.get(text.lower(), 0) + score
    best = sorted(added.items(), key=lambda pair: -pair[1])[:5]
    assert [(one["answer"].lower(), one["score"]) for one in result] == [(text, near(score)) for text, score in best]
    for one in result:
        assert inputs["context"][one["start"] : one["end"]] == one["answer"]


def test_one_answer_is_an_object_and_is_widened_to_whole_words(run: Callable[..., Any]) -> None:
    answer = run(ANSWER, LONG_PAIR)["output"]
    assert set(answer) == {"answer", "score", "start", "end"}
    context, start, end = LONG_PAIR["context"], answer["start"], answer["end"]
    assert answer["answer"] == context[start:end]
    letters = [context[place : place + 1].isalpha() for place in (start - 1, start, end - 1, end)]
    assert not (letters[0] and letters[1])
    assert not (letters[2] and letters[3])


def test_that_there_is_no_answer_is_what_the_first_special_token_says(run: Callable[..., Any], models: Path) -> None:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    asked = {"question": PAIR["question"], "context": "said the fox"}
    answers = run(ANSWER, asked, {"top_k": 50, "handle_impossible_answer": True})["output"]
    (none,) = [one for one in answers if one["answer"] == ""]
    model = AutoModelForQuestionAnswering.from_pretrained(models / ANSWER)
    encoded = AutoTokenizer.from_pretrained(models / ANSWER)(*asked.values(), return_tensors="pt")
    places = [0, *(i for i, one in enumerate(encoded.sequence_ids()) if one == 1)]
    with torch.no_grad():
        out = model(**encoded)
    score = out.start_logits[0, places].softmax(-1)[0] * out.end_logits[0, places].softmax(-1)[0]
    assert none == {"answer": "", "score": near(float(score)), "start": 0, "end": 0}
    assert all(one["answer"] for one in run(ANSWER, asked, {"top_k": 50})["output"])


@how(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    context=strategies.text("abdf é☃\n. \u0301你", min_size=1, max_size=150).filter(lambda text: text.strip()),
    widened=strategies.booleans(),
)
def test_an_answer_is_always_a_piece_of_the_text(run: Callable[..., Any], context: str, widened: bool) -> None:
    asked = {"top_k": 3, "align_to_words": widened, "max_seq_len": 24, "doc_stride": 4}
    found = run(ANSWER, {"question": "what", "context": context}, asked)["output"]
    for one in found if isinstance(found, list) else [found]:
        assert one["answer"] == context[one["start"] : one["end"]]
        assert one["score"] > 0


def test_a_pipeline_that_was_brought_back_is_in_the_librarys_registry(models: Path) -> None:
    from transformers import pipeline

    from components.service.worker.revived import pipeline_class

    for task in (ANSWER, SIMILAR):
        made = pipeline(task, model=str(models / task), device="cpu") if pipeline_class(task) else None
        assert type(made) is pipeline_class(task)


# What passes between the steps

STAGES: list[tuple[str, Any, dict[str, Any], str]] = [
    (NER, LONG, {"stride": 5}, "table"),
    (FILL, "I [MASK] this film", {}, "scores"),
    (ZERO, TEXT, LABELS, "scores"),
    (EMBED, TEXT, {"pooling": "mean"}, "tensors"),
    (SIMILAR, SENTENCES, {}, "tensors"),
    (ANSWER, LONG_PAIR, {"handle_impossible_answer": True}, "table"),
    (TABLE, TABLE_INPUT, {}, "table"),
    (DECIDE, REQUEST, {}, "scores"),
]


@pytest.mark.parametrize(("task", "inputs", "parameters", "key"), STAGES)
def test_the_stages_lead_to_the_output(
    inference: Inference, visitor: Visitor, run: Callable[..., Any], task: str, inputs: Any, parameters: Any, key: str
) -> None:
    seen = inference.run_stages(task, f"local/{task}", inputs, parameters, visitor=visitor)
    assert seen["output"] == near(run(task, inputs, parameters)["output"])
    before, during, after = seen["stages"]
    ids = next(one for one in before["tensors"] if one["name"].endswith("input_ids"))
    assert ids["shape"][-1] == len(before["tokens"])
    assert during["tensors"]
    assert after[key]
    for stage in seen["stages"]:
        assert stage["note"].endswith(".")
        table = stage.get("table", {"header": [], "rows": []})
        assert all(len(row) == len(table["header"]) for row in table["rows"])


def test_what_the_stages_show_is_what_the_output_is_made_of(inference: Inference, visitor: Visitor) -> None:
    def last(task: str, inputs: Any, parameters: Any = None) -> tuple[Any, Any]:
        seen = inference.run_stages(task, f"local/{task}", inputs, parameters, visitor=visitor)
        return seen["stages"][2], seen["output"]

    shown, output = last(NER, "the fox", {"aggregation_strategy": "none", "ignore_labels": []})
    assert shown["table"]["rows"] == near([[one["word"], one["entity"], one["score"]] for one in output])
    shown, output = last(FILL, "I [MASK] this film", {"top_k": 10})
    assert [one["score"] for one in shown["scores"]] == near([one["score"] for one in output])
    shown, output = last(TABLE, TABLE_INPUT)
    chosen = [[row[2] - 1, list(TABLE_INPUT["table"]).index(row[1])] for row in shown["table"]["rows"] if row[3] > 0.5]
    assert chosen == output["coordinates"]
    assert max(shown["scores"], key=lambda one: one["score"])["label"] == output["aggregator"]
    shown, output = last(DECIDE, REQUEST)
    assert shown["scores"][0]["score"] == near(output["refund"]["noul"])


# The Python behind them

SNIPPETS: list[tuple[str, Any, dict[str, Any]]] = [
    (NER, TEXT, {}),
    (NER, LONG, {"aggregation_strategy": "none"}),
    (NER, [LONG, TEXT], {"aggregation_strategy": "first", "stride": 5, "ignore_labels": ["B-LOC"]}),
    (FILL, "I <mask> this [MASK]", {"top_k": 2}),
    (FILL, ["I [MASK] this " + LONG], {"targets": ["love", "said"]}),
    (ZERO, LONG, {**LABELS, "multi_label": True}),
    (ZERO, [TEXT, LONG], {**LABELS, "hypothesis_template": "It's {}\"."}),
    (EMBED, [TEXT, LONG], {"pooling": "mean", "normalize": True, "truncation_direction": "left"}),
    (EMBED, TEXT, {}),
    (SIMILAR, SENTENCES, {"pooling": "max"}),
    (ANSWER, PAIR, {"top_k": 3, "handle_impossible_answer": True}),
    (ANSWER, [LONG_PAIR], {"align_to_words": False, "max_question_len": 2, "doc_stride": 7}),
    (TABLE, TABLE_INPUT, {}),
    (TABLE, [LONG_TABLE], {"padding": "max_length"}),
    (DECIDE, REQUEST, {}),
]


@pytest.mark.parametrize(("task", "inputs", "parameters"), SNIPPETS)
def test_a_snippet_gives_the_result_that_was_shown(
    run: Callable[..., Any], run_snippet: Any, models: Path, task: str, inputs: Any, parameters: Any
) -> None:
    shown = run(task, inputs, parameters)
    asked = {**shown, "model": str(models / task), "commit": None, "inputs": inputs}
    assert near(run_snippet(snippet("pipeline", asked, HUGGING_FACE))) == shown["output"]
    by_hand = run_snippet(snippet("stages", asked, HUGGING_FACE))
    assert near(by_hand) == (shown["output"][0] if isinstance(inputs, list) else shown["output"])


QUOTES = {
    ANSWER: {"question": '"""', "context": "\\'); import os #"},
    SIMILAR: {"source_sentence": "'); import os #", "sentences": ['"""', "\\"]},
    TABLE: {"question": "'); import os #", "table": {'"); import os #': ["'"]}},
    DECIDE: {"state": "'); import os #", "questions": {'""")': {"type": "noul"}}},
}


@pytest.mark.parametrize("view", ["pipeline", "stages"])
@pytest.mark.parametrize("task", [NER, FILL, ZERO, EMBED, SIMILAR, ANSWER, TABLE, DECIDE])
def test_what_a_visitor_writes_stays_a_value(task: str, view: str) -> None:
    inputs = QUOTES.get(task, '\'"""); import os #')
    asked = {"task": task, "model": "a/b", "inputs": inputs, "parameters": {}}
    assert "os" not in compile(snippet(view, asked, HUGGING_FACE), "snippet", "exec").co_names


@pytest.mark.parametrize("inputs", [None, "text", {}])
@pytest.mark.parametrize("task", [SIMILAR, ANSWER, TABLE])
def test_a_snippet_of_inputs_without_their_parts_is_refused(task: str, inputs: Any) -> None:
    with pytest.raises(WorkbenchError) as caught:
        snippet("stages", {"task": task, "model": "a/b", "inputs": inputs}, HUGGING_FACE)
    assert caught.value.field == "inputs"


# Limits, and models that do not do


@pytest.mark.parametrize(
    ("task", "inputs", "parameters", "note"),
    [
        (NER, LONG, {}, "Give a stride to read all of it"),
        (FILL, "I [MASK] " + LONG, {}, "reads at most 64"),
        (FILL, "I [MASK]", {"targets": ["love", "xylophone"]}, "'xylophone' is no single token"),
        (FILL, "I [MASK]", {"targets": ["said the"]}, "'said' was scored in its place"),
        (ZERO, LONG, LABELS, "the end of the text was left out"),
        (SIMILAR, {"source_sentence": LONG, "sentences": ["a"]}, {}, "at most 64 are read"),
        (ANSWER, PAIR, {"max_seq_len": 500}, "max_seq_len was lowered"),
        (TABLE, LONG_TABLE, {}, "of the 40 rows"),
        (EMBED, "☃ ☃ ☃", {}, "unknown to"),
    ],
)
def test_what_was_done_differently_is_told(
    run: Callable[..., Any], task: str, inputs: Any, parameters: Any, note: str
) -> None:
    assert note in " ".join(run(task, inputs, parameters)["notes"])


def test_a_tokenizer_that_states_no_limit_is_cut_where_its_model_ends(run: Callable[..., Any], models: Path) -> None:
    from text_models import changed

    for task, inputs, parameters in ((NER, LONG, {"stride": 5}), (ZERO, LONG, LABELS), (ANSWER, LONG_PAIR, {})):
        name = f"endless-{task}"
        shutil.copytree(models / task, models / name)
        changed(models / name, "tokenizer_config.json", model_max_length=10**30)
        assert run(task, inputs, parameters, model=name)["output"] == run(task, inputs, parameters)["output"]


@pytest.fixture(scope="module")
def odd(models: Path) -> Path:
    """Models that have the head, and still do not do."""
    from text_models import changed, two_sided

    def copy(task: str, name: str) -> Path:
        shutil.copytree(models / task, models / name)
        return models / name

    changed(copy(FILL, "maskless"), "tokenizer_config.json", mask_token=None)
    opinions = {"id2label": {0: "bad", 1: "fair", 2: "good"}, "label2id": {"bad": 0, "fair": 1, "good": 2}}
    changed(copy(ZERO, "opinions"), "config.json", **opinions)
    two_sided(models / "two-sided")
    copy(DECIDE, "mute-decider").joinpath("chat_template.jinja").unlink()
    _break(copy(NER, "broken-names"), "classifier.bias")
    _break(copy(FILL, "broken-masks"), "cls.predictions.bias")
    _break(copy(ZERO, "broken-topics"), "classifier.bias")
    _break(copy(EMBED, "broken-vectors"), "embeddings.LayerNorm.bias")
    _break(copy(ANSWER, "broken-answers"), "qa_outputs.bias")
    _break(copy(TABLE, "broken-tables"), "aggregation_classifier.bias")
    _break(copy(DECIDE, "broken-decisions"), "model.norm.weight")
    return models


def _break(path: Path, weight: str) -> None:
    """Set one weight to what is no number."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(path / "model.safetensors")
    tensors[weight] = tensors[weight] * float("nan")
    save_file(tensors, path / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "words"),
    [
        (FILL, "maskless", "I [MASK]", {}, "no mask token"),
        (ZERO, "opinions", TEXT, LABELS, "none of its labels (bad, fair, good)"),
        (DECIDE, "mute-decider", REQUEST, {}, "no chat template"),
        (NER, ANSWER, TEXT, {}, "has no token classification head"),
        (ANSWER, NER, PAIR, {}, "or run it with token-classification"),
        (TABLE, FILL, TABLE_INPUT, {}, "no table question answering head"),
        (NER, TABLE, TEXT, {}, "table-question-answering model"),
        (DECIDE, FILL, REQUEST, {}, "no decision or language modelling head"),
        (EMBED, "two-sided", TEXT, {}, "needs other inputs"),
        (NER, "broken-names", TEXT, {}, "weights are broken"),
        (FILL, "broken-masks", "I [MASK]", {}, "weights are broken"),
        (ZERO, "broken-topics", TEXT, LABELS, "weights are broken"),
        (EMBED, "broken-vectors", TEXT, {}, "weights are broken"),
        (SIMILAR, "broken-vectors", SENTENCES, {}, "weights are broken"),
        (ANSWER, "broken-answers", PAIR, {}, "weights are broken"),
        (TABLE, "broken-tables", TABLE_INPUT, {}, "weights are broken"),
        (DECIDE, "broken-decisions", REQUEST, {}, "weights are broken"),
    ],
)
def test_a_model_that_does_not_do_is_told(
    run: Callable[..., Any], odd: Path, task: str, model: str, inputs: Any, parameters: Any, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, inputs, parameters, model=model)
    assert caught.value.field == "model"
    assert words in caught.value.message
    assert str(odd) not in caught.value.message


HUGE = {"query": "how long", "table": {f"c{number}": ["1"] for number in range(300)}}
WIDE = {"query": "how long", "table": {f"small fox {number}": ["1"] for number in range(60)}}
TALL = {"query": "how long", "table": {"name": ["the small fox"] * 60}}


@pytest.mark.parametrize(
    ("task", "inputs", "parameters", "field", "words"),
    [
        (NER, "", {}, "inputs", "no text yet"),
        (NER, TEXT, {"aggregation_strategy": "words"}, "parameters.aggregation_strategy", "none, simple, first"),
        (NER, TEXT, {"aggregation_strategy": "none", "stride": 3}, "parameters.aggregation_strategy", "joined"),
        (NER, TEXT, {"stride": 62}, "parameters.stride", "under 62"),
        (NER, TEXT, {"ignore_labels": [1]}, "parameters.ignore_labels", "list of texts"),
        (FILL, TEXT, {}, "inputs", "no mask in the text. Write [MASK]"),
        (FILL, LONG + "[MASK]", {}, "inputs", "nearer to the text's begin"),
        (FILL, "[MASK]", {"top_k": 0}, "parameters.top_k", "from 1 to 1000"),
        (FILL, "[MASK]", {"targets": [" "]}, "parameters.targets", "no token for the target"),
        (FILL, "[MASK]", {"targets": []}, "parameters.targets", "from 1 to 100"),
        (ZERO, TEXT, {}, "parameters.candidate_labels", "needs candidate labels"),
        (ZERO, TEXT, {"candidate_labels": []}, "parameters.candidate_labels", "from 1 to 50"),
        (ZERO, TEXT, {"candidate_labels": ["a"] * 51}, "parameters.candidate_labels", "from 1 to 50"),
        (ZERO, TEXT, {"candidate_labels": ["love " * 39] * 2}, "", ""),
        (ZERO, TEXT, {"candidate_labels": ["x " * 99]}, "parameters.candidate_labels", "Shorten the labels"),
        *(
            (ZERO, TEXT, {**LABELS, "hypothesis_template": template}, "parameters.hypothesis_template", "{} in it once")
            for template in ("This.", "{} {}", "{0}", "{:999999999}", "{0.__class__}", "{", "{{}}", "{!r}")
        ),
        (EMBED, TEXT, {"pooling": "sum"}, "parameters.pooling", "none, mean, cls"),
        (EMBED, TEXT, {"truncation_direction": "up"}, "parameters.truncation_direction", "left, right"),
        (SIMILAR, "a", {}, "inputs", "source_sentence and sentences"),
        (SIMILAR, {"source_sentence": "a", "sentences": "b"}, {}, "inputs.sentences", "list of 1 to 256"),
        (SIMILAR, {"source_sentence": "a", "sentences": [""]}, {}, "inputs.sentences", "no text yet"),
        (SIMILAR, {"source_sentence": "a", "sentences": ["b"] * 257}, {}, "inputs.sentences", "list of 1 to 256"),
        (SIMILAR, {"source_sentence": "a", "sentences": ["b"]}, {"pooling": "none"}, "parameters.pooling", "mean, cls"),
        (ANSWER, {"question": "a"}, {}, "inputs", "question and context"),
        (ANSWER, {"question": "a", "context": " "}, {}, "inputs.context", "no text yet"),
        (ANSWER, {"question": LONG, "context": "a"}, {}, "inputs.question", "Shorten the question"),
        (ANSWER, PAIR, {"doc_stride": 60}, "parameters.doc_stride", "under"),
        (ANSWER, PAIR, {"max_answer_len": 0}, "parameters.max_answer_len", "from 1 to 500"),
        (ANSWER, PAIR, {"top_k": 101}, "parameters.top_k", "from 1 to 100"),
        (TABLE, {"query": "a", "table": {}}, {}, "inputs.table", "columns of one length"),
        (TABLE, {"query": "a", "table": {"b": []}}, {}, "inputs.table", "columns of one length"),
        (TABLE, {"query": "a", "table": {"b": ["c"], "d": []}}, {}, "inputs.table", "columns of one length"),
        (TABLE, {"query": " ", "table": {"b": ["c"]}}, {}, "inputs.query", "no text yet"),
        (TABLE, HUGE, {}, "inputs.table", "300 columns"),
        (TABLE, WIDE, {}, "inputs.table", "Shorten"),
        (TABLE, TALL, {"truncation": False}, "inputs.table", "Shorten the table"),
        (DECIDE, {"state": "a"}, {}, "inputs", "state and questions"),
        (DECIDE, {**REQUEST, "assets": {"a": "http://127.0.0.1"}}, {}, "inputs", "state and questions"),
        (DECIDE, {"state": "a", "questions": {"b": {"type": "essay"}}}, {}, "inputs.questions", "must be one of"),
        (DECIDE, {"state": "a", "questions": {"b": {"type": "choice"}}}, {}, "inputs.questions", "criteria"),
        (DECIDE, {"state": "a", "questions": "why"}, {}, "inputs.questions", "questions"),
        (
            DECIDE,
            {"state": "a", "questions": {str(number): {"type": "noul"} for number in range(21)}},
            {},
            "inputs.questions",
            "at most 20",
        ),
        (DECIDE, {"state": "a" * 2000, "questions": QUESTIONS}, {}, "inputs.state", "reads at most 1,024"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_field(
    run: Callable[..., Any], task: str, inputs: Any, parameters: Any, field: str, words: str
) -> None:
    if not field:
        assert run(task, inputs, parameters)["output"]
        return
    with pytest.raises(WorkbenchError) as caught:
        run(task, inputs, parameters)
    assert (caught.value.field, caught.value.kind) == (field, "input")
    assert words in caught.value.message
