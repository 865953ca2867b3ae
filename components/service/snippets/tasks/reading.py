"""Tasks that answer questions about a text, a table or a situation, by hand."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.steps import Called, CallOf, Steps, StepsOf, part

# Question answering

_CHUNKS = """\
# forward: two logits for each token, the answer begins here and it ends here; each chunk by itself
candidates, no_answer = [], 1.0
for encoding in encoded.encodings:
    inputs = dict(zip(("input_ids", "token_type_ids"), (encoding.ids, encoding.type_ids)))
    inputs["attention_mask"] = encoding.attention_mask
    inputs = {name: torch.tensor([inputs[name]]) for name in tokenizer.model_input_names}
    with torch.no_grad():
        outputs = model(**inputs)
    # postprocess: only tokens of the text count, and the first special one, which says that there is no answer
    inside = torch.tensor([one == place_of_text for one in encoding.sequence_ids])
    special = [i for i, number in enumerate(encoding.ids) if number == tokenizer.cls_token_id]
    allowed = inside.clone()
    allowed[special] = True
    starts = outputs.start_logits[0].float().masked_fill(~allowed, -10000.0).softmax(dim=-1)
    ends = outputs.end_logits[0].float().masked_fill(~allowed, -10000.0).softmax(dim=-1)
    none = special[0] if special else 0
    no_answer = min(no_answer, float(starts[none] * ends[none]))
    scores = (starts * inside)[:, None] * (ends * inside)[None, :]
    scores = scores.triu().tril(longest - 1)  # no end before the begin, and no answer too long
    best = scores.flatten().topk(min(wanted, scores.numel()))
    for score, index in zip(best.values.tolist(), best.indices.tolist()):
        if score > 0:
            candidates.append((score, encoding, index // len(inside), index % len(inside)))
"""
_ANSWERS = """\
# from tokens to characters of the text; candidates that are the same answer are added
answers = []
for score, encoding, first, last in candidates:
    start, end = encoding.offsets[first][0], encoding.offsets[last][1]
    words = encoding.token_to_word(first), encoding.token_to_word(last)
    if align_to_words and None not in words:
        start = encoding.word_to_chars(words[0], place_of_text)[0]
        end = encoding.word_to_chars(words[1], place_of_text)[1]
    text = context[start:end]
    same = next((one for one in answers if one["answer"].lower() == text.lower()), None)
    if same is None:
        answers.append({"score": score, "start": start, "end": end, "answer": text})
    else:
        same["score"] += score
"""


def _answer(item: Any, used: dict[str, Any]) -> Steps:
    most = used.get("max_seq_len", Name("min(tokenizer.model_max_length, 384)"))
    asked = {"max_length": most, "stride": used.get("doc_stride", 128), "return_overflowing_tokens": True}
    top, widen = literal(used["top_k"]), used["align_to_words"] is not False
    cut = ""
    if "max_question_len" in used:
        cut = (
            "offsets = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)\n"
            f'ends = [end for _, end in offsets["offset_mapping"]][:{literal(used["max_question_len"])}]\n'
            "question = question[: ends[-1]]\n"
        )
    impossible = 'answers.append({"score": no_answer, "start": 0, "end": 0, "answer": ""})\n'
    body = [
        f"question = {literal(part(item, 'question'))}\ncontext = {literal(part(item, 'context'))}\n{cut}"
        f"align_to_words, longest = {widen}, {literal(used['max_answer_len'])}\n"
        f"wanted = {f'2 * {top} + 10' if widen else top}",
        "# preprocess: question and text in one sequence; a text that is too long, in several\n"
        'if tokenizer.padding_side == "right":\n    place_of_text, pair, cut = 1, (question, context), "only_second"\n'
        'else:\n    place_of_text, pair, cut = 0, (context, question), "only_first"\n'
        f"encoded = {call('tokenizer', Name('*pair'), truncation=Name('cut'), **asked)}",
        _CHUNKS.rstrip(),
        _ANSWERS + (impossible if used["handle_impossible_answer"] is True else "") + "answers = sorted("
        f'answers, key=lambda one: one["score"], reverse=True)[:{top}]\n'
        "result = answers[0] if len(answers) == 1 else answers\nprint(result)",
    ]
    return Steps(body)


# Table question answering

_TABLE_ANSWER = """\
# postprocess: cells over one half are the answer
outputs = [outputs.logits, outputs.logits_aggregation]
predicted = tokenizer.convert_logits_to_predictions(inputs, *[one for one in outputs if one is not None])
coordinates = predicted[0][0]
cells = [table.iat[place] for place in coordinates]
result = {"answer": ", ".join(cells), "coordinates": coordinates, "cells": cells}
if len(predicted) > 1:
    number = predicted[1][0]
    result["aggregator"] = model.config.aggregation_labels[number]
    if number != model.config.no_aggregation_label_index:
        result["answer"] = f"{result['aggregator']} > {result['answer']}"
print(result)"""


def _ask_table(item: Any, used: dict[str, Any]) -> Steps:
    cut = "do_not_truncate" if used.get("truncation") is False else "drop_rows_to_fit"
    asked = {"padding": used.get("padding", True), "truncation": cut, "return_tensors": "pt"}
    body = [
        "# preprocess: question and table in one sequence; token_type_ids tell each token's column and row\n"
        f"table = {call('pandas.DataFrame', part(item, 'table'), dtype=Name('object'))}\n"
        f"inputs = {call('tokenizer', Name('table'), _query(item), **asked)}\n"
        'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["token_type_ids"])',
        "# forward: one logit for each token, and one for each aggregation\n"
        "with torch.no_grad():\n    outputs = model(**inputs)\nprint(outputs)",
        _TABLE_ANSWER,
    ]
    return Steps(body, imports=("import pandas",))


# Decisions

_DECIDE = """\
# forward: the logits of the options' labels, where each answer is due; a model made for decisions has its own head
result = {}
for inputs, questions in prompts:
    with torch.no_grad():
        if hasattr(model, "decide"):
            scores = model.decide(**inputs, decision_questions=questions, decision_config=config)
        else:
            marks = inputs.pop("marks")
            logits = model(**inputs, logits_to_keep=marks - 1).logits[0]
            labels = [label_token_ids(tokenizer, one.labels) for one in questions]
            scores = [logits[i, ids] / config.temperature.get(questions[i].type, 1) for i, ids in enumerate(labels)]
    # postprocess: softmax over the options of each question
    for one, options in zip(questions, scores):
        result[one.name] = one.answer(options.float().softmax(dim=-1).tolist())
print(result)"""


def _decide(item: Any, used: dict[str, Any]) -> Steps:  # noqa: ARG001
    body = [
        "# preprocess: a prompt for each question, and after how many of its tokens the answer is due\n"
        f"request = {literal(item)}\n"
        'commit = getattr(model.config, "_commit_hash", None)\n'
        "config = DecisionConfig.from_pretrained(model_id, revision=commit)\n"
        "prompts = config.prepare_inputs(request, tokenizer)",
        _DECIDE,
    ]
    return Steps(body, imports=("from transformers.decision import DecisionConfig, label_token_ids",))


def _query(item: Any) -> Any:
    """The question of a table, under the library's name for it or the Hub's."""
    return part(item, "question" if isinstance(item, dict) and "question" in item else "query")


def _table(item: Any) -> Name:
    return Name(f'{{"query": {literal(_query(item))}, "table": {literal(part(item, "table"))}}}')


def _call_table(inputs: Any, used: dict[str, Any]) -> Called:
    if isinstance(inputs, list):
        asked = ",\n    ".join(map(_table, inputs))
        return Called(f"[{call('pipe', Name('one'), **used)} for one in asked]", before=f"asked = [\n    {asked},\n]")
    return Called(call("pipe", _table(inputs), **used))


READING_STEPS: dict[str, StepsOf] = {
    "question-answering": _answer,
    "table-question-answering": _ask_table,
    "decision": _decide,
}

READING_CALLS: dict[str, CallOf] = {"table-question-answering": _call_table}
