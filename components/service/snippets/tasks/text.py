"""Tasks that read text and judge it, by hand."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.steps import Called, CallOf, Steps, StepsOf, part
from components.service.tasks.text import MASKS

#: What a result adds to its parameters where a text was cut.
CUT = ("truncation", "max_length")

_TOKENS = 'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])'


def _classify(item: Any, used: dict[str, Any]) -> Steps:
    texts = [item[name] for name in ("text", "text_pair") if name in item] if isinstance(item, dict) else [item]
    cut = {name: used[name] for name in CUT if name in used}
    limit = "" if used.get("top_k") is None else f"[:{literal(used['top_k'])}]"
    scores = {
        "softmax": "logits.softmax(dim=-1)[0]",
        "sigmoid": "logits.sigmoid()[0]",
        "none": "logits[0]",
        None: "(logits.sigmoid() if model.config.num_labels == 1 else logits.softmax(dim=-1))[0]",
    }[used.get("function_to_apply")]
    body = [
        "# preprocess: from the text to ids, shape (batch, sequence)\n"
        f"inputs = {call('tokenizer', *texts, return_tensors='pt', **cut)}\n{_TOKENS}",
        "# forward: from ids to one logit for each label, shape (batch, labels)\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits.float()\nprint(logits)",
        "# postprocess: from logits to scores\n"
        f"scores = {scores}.tolist()\n"
        'result = [{"label": model.config.id2label[i], "score": s} for i, s in enumerate(scores)]\n'
        f'result = sorted(result, key=lambda one: one["score"], reverse=True){limit}\nprint(result)',
    ]
    return Steps(body)


def _limit(used: dict[str, Any], tokenizer: str = "pipe.tokenizer") -> str:
    """Code that lets the tokenizer cut where the app cut: not every tokenizer knows what its model reads."""
    return f"{tokenizer}.model_max_length = {literal(used.pop('max_length'))}" if "max_length" in used else ""


def _each(inputs: Any, variable: str, code: str) -> str:
    """Code that turns `result` by the expression `code` of `variable`, each of a list of results where it is one."""
    if isinstance(inputs, list):
        return f"result = [{code} for {variable} in result]"
    return f"{variable} = result\nresult = {code}"


# Token classification


_BEST = (
    "with torch.no_grad():\n"
    '    logits = model(input_ids=torch.tensor([inputs["input_ids"]])).logits[0].float()\n'
    "scores, best = logits.softmax(dim=-1).max(dim=-1)\nprint(logits.shape)"
)
_READ_TOKENS = """\
offsets = inputs["offset_mapping"] if tokenizer.is_fast else [(None, None)] * len(best)
tokens = []
for place, number in enumerate(inputs["input_ids"]):
    start, end = offsets[place]
    word = tokenizer.convert_ids_to_tokens(number)
    if number == tokenizer.unk_token_id and start is not None:
        word = text[start:end]
    label = model.config.id2label[int(best[place])]
    if not inputs["special_tokens_mask"][place]:
        found = {"entity": label, "score": float(scores[place]), "index": place}
        tokens.append({**found, "word": word, "start": start, "end": end})
print(tokens)"""
_JOIN = """\
# neighbours with the same label, whatever stands before its hyphen, become one entity
groups = []
for token in tokens:
    kind = token["entity"].removeprefix("B-").removeprefix("I-")
    if groups and groups[-1][0] == kind and not token["entity"].startswith("B-"):
        groups[-1][1].append(token)
    else:
        groups.append((kind, [token]))
result = []
for _, group in groups:
    entity = group[0]["entity"].split("-", 1)[-1]
    score = sum(token["score"] for token in group) / len(group)
    word = tokenizer.convert_tokens_to_string([token["word"] for token in group])
    found = {"entity_group": entity, "score": score, "word": word}
    if entity not in ignored:
        result.append({**found, "start": group[0]["start"], "end": group[-1]["end"]})"""


def _label_tokens(item: Any, used: dict[str, Any]) -> Steps:
    """By hand where tokens are joined simply; whole words and chunks fill a page, so the library's pipeline does it."""
    strategy, ignored = used["aggregation_strategy"], used.get("ignore_labels", ["O"])
    limit = _limit(used, "tokenizer")
    asked = call(
        "tokenizer",
        Name("text"),
        truncation=True,
        return_special_tokens_mask=True,
        return_offsets_mapping=Name("tokenizer.is_fast"),
    )
    joined = {
        "none": 'result = [token for token in tokens if token["entity"] not in ignored]',
        "simple": _JOIN,
    }.get(strategy if "stride" not in used else "chunks", "")
    pipe = call("pipeline", "token-classification", model=Name("model"), tokenizer=Name("tokenizer"), device="cpu")
    body = [
        limit,
        "# preprocess: from the text to ids, and where each token stands in the text\n"
        f"text = {literal(item)}\ninputs = {asked}\n"
        'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"]))',
        f"# forward: from ids to one logit a label for each token, shape (batch, tokens, labels)\n{_BEST}",
        f"# postprocess: from logits to labelled tokens\n{_READ_TOKENS}",
        f"# and from these to entities\nignored = {literal(ignored)}\n{joined}\nprint(result)"
        if joined
        else f"# whole words, or chunks, are joined by the library\npipe = {pipe}\n"
        f"result = {call('pipe', Name('text'), **used)}\nprint(result)",
    ]
    return Steps([part for part in body if part], names=() if joined else ("pipeline",))


def _call_label_tokens(inputs: Any, used: dict[str, Any]) -> Called:
    limit = _limit(used)
    return Called(call("pipe", inputs, **used), before=limit)


# Fill-mask


def _with_mask(text: str, tokenizer: str) -> Name:
    """The text with the mask of the model itself."""
    found = [mask for mask in MASKS if mask in str(text)]
    return Name(literal(text) + "".join(f".replace({literal(mask)}, {tokenizer}.mask_token)" for mask in found))


def _fill(item: Any, used: dict[str, Any]) -> Steps:
    cut = {name: used[name] for name in CUT if name in used}
    only, most = "", literal(used["top_k"])
    if "targets" in used:
        most = f"min({most}, len(wanted))"
        only = (
            f"targets, known = {literal(used['targets'])}, tokenizer.get_vocab()\n"
            'first = [tokenizer(one, add_special_tokens=False)["input_ids"][0] for one in targets]\n'
            "wanted = {known.get(one, number) for one, number in zip(targets, first)}\n"
            "left_out = torch.ones(logits.shape[-1], dtype=torch.bool)\n"
            "left_out[list(wanted)] = False\n"
        )
    body = [
        "# preprocess: from the text to ids, shape (batch, sequence)\n"
        f"text = {_with_mask(item, 'tokenizer')}\n"
        f"inputs = {call('tokenizer', Name('text'), return_tensors='pt', **cut)}\n{_TOKENS}",
        "# forward: from ids to one logit for each token of the vocabulary, at every position\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits\nprint(logits.shape)",
        "# postprocess: from the logits at each mask to the likeliest tokens\n"
        f'{only}ids, result = inputs["input_ids"][0], []\n'
        "masks = (ids == tokenizer.mask_token_id).nonzero()[:, 0].tolist()\n"
        "for mask in masks:\n"
        "    scores = logits[0, mask].softmax(dim=-1)\n"
        + ("    scores = scores.masked_fill(left_out, -1)\n" if only else "")
        + f"    best = scores.topk({most})\n"
        "    fills = []\n"
        "    for score, number in zip(best.values.tolist(), best.indices.tolist()):\n"
        "        filled = ids.clone()\n        filled[mask] = number\n"
        "        filled = filled[filled != tokenizer.pad_token_id] if tokenizer.pad_token_id is not None else filled\n"
        "        sequence = tokenizer.decode(filled, skip_special_tokens=len(masks) == 1)\n"
        '        token = {"token": number, "token_str": tokenizer.decode([number])}\n'
        '        fills.append({"score": score, **token, "sequence": sequence})\n'
        "    result.append(fills)\n"
        "result = result[0] if len(masks) == 1 else result\nprint(result)",
    ]
    return Steps(body)


def _call_fill(inputs: Any, used: dict[str, Any]) -> Called:
    cut = {name: used.pop(name) for name in CUT if name in used}
    named = {**used, **({"tokenizer_kwargs": cut} if cut else {})}
    if not isinstance(inputs, list):
        return Called(call("pipe", _with_mask(inputs, "pipe.tokenizer"), **named))
    texts = ",\n    ".join(_with_mask(text, "pipe.tokenizer") for text in inputs)
    return Called(f"[{call('pipe', Name('text'), **named)} for text in texts]", before=f"texts = [\n    {texts},\n]")


# Zero-shot classification


def _zero_shot(item: Any, used: dict[str, Any]) -> Steps:
    labels = used.get("candidate_labels") or []
    alone = used["multi_label"] is True or len(labels) == 1
    limit = _limit(used, "tokenizer")
    scores = (
        "contradiction = -1 if entailment == 0 else 0\n"
        "scores = logits[:, [contradiction, entailment]].softmax(dim=-1)[:, 1].tolist()\n"
        if alone
        else "scores = logits[:, entailment].softmax(dim=0).tolist()\n"
    )
    asked = call("tokenizer", Name("text"), Name("sentence"), truncation="only_first", return_tensors="pt", indent=4)
    body = [
        limit,
        f"text = {literal(item)}\nlabels = {literal(labels)}\ntemplate = {literal(used['hypothesis_template'])}",
        "# preprocess and forward: does a sentence made of the label follow from the text?\n"
        "logits = []\n"
        "for label in labels:\n"
        "    sentence = template.format(label)\n"
        f"    inputs = {asked}\n"
        "    with torch.no_grad():\n        logits.append(model(**inputs).logits[0].float())\n"
        "    print(sentence, logits[-1])\n"
        "logits = torch.stack(logits)",
        "# postprocess: from the logits of entailment to scores\n"
        "names = model.config.label2id.items()\n"
        'entailment = next(i for name, i in names if name.lower().startswith("entail"))\n'
        f"{scores}"
        'result = [{"label": label, "score": score} for label, score in zip(labels, scores)]\n'
        'result = sorted(result, key=lambda one: one["score"], reverse=True)\nprint(result)',
    ]
    return Steps([part for part in body if part])


def _call_zero_shot(inputs: Any, used: dict[str, Any]) -> Called:
    limit = _limit(used)
    pairs = '[{"label": label, "score": score} for label, score in zip(one["labels"], one["scores"])]'
    return Called(call("pipe", inputs, **used), before=limit, after=_each(inputs, "one", pairs))


# Vectors


def _pooled(used: dict[str, Any], hidden: str) -> str:
    """Code that makes `vectors` of hidden states, shape (batch, sequence, hidden), of texts without padding."""
    pooling = {"none": "", "mean": ".mean(dim=1)", "cls": "[:, 0]", "last": "[:, -1]", "max": ".max(dim=1).values"}
    vectors = hidden + pooling.get(str(used.get("pooling")), pooling["mean"])
    return f"torch.nn.functional.normalize({vectors}, dim=-1)" if used.get("normalize") else vectors


def _side(used: dict[str, Any], tokenizer: str) -> str:
    return f'{tokenizer}.truncation_side = "left"\n' if used["truncation_direction"] == "left" else ""


def _embed(item: Any, used: dict[str, Any]) -> Steps:
    cut = {name: used[name] for name in CUT if name in used}
    body = [
        "# preprocess: from the text to ids, shape (batch, sequence)\n"
        f"{_side(used, 'tokenizer') if cut else ''}"
        f"inputs = {call('tokenizer', item, return_tensors='pt', **cut)}\n{_TOKENS}",
        "# forward: from ids to hidden states, shape (batch, sequence, hidden)\n"
        "with torch.no_grad():\n    hidden = model(**inputs)[0]\nprint(hidden.shape)",
        f"# postprocess: the vectors\nresult = ({_pooled(used, 'hidden')}).tolist()\nprint(result)",
    ]
    return Steps(body)


def _call_embed(inputs: Any, used: dict[str, Any]) -> Called:
    named: dict[str, Any] = {}
    if "max_length" in used:
        named = {"truncation": True, "tokenize_kwargs": {"max_length": used["max_length"]}}
    raw = used["pooling"] == "none" and used["normalize"] is not True
    return Called(
        call("pipe", inputs, **named),
        before=_side(used, "pipe.tokenizer").rstrip() if named else "",
        after="" if raw else _each(inputs, "one", f"({_pooled(used, 'torch.tensor(one)')}).tolist()"),
        imports=() if raw else ("import torch",),
    )


def _compare(item: Any, used: dict[str, Any]) -> Steps:
    cut = {"truncation": True, "max_length": used["max_length"]} if "max_length" in used else {}
    vector = _pooled({"pooling": used.get("pooling")}, "hidden")
    asked = call("tokenizer", Name("text"), return_tensors="pt", indent=4, **cut)
    source, sentences = part(item, "source_sentence"), part(item, "sentences")
    body = [
        f"texts = [{literal(source)}, *{literal(sentences)}]",
        "# preprocess and forward: one vector for each sentence, made of those of its tokens\n"
        "encoder = model.get_encoder() if model.config.is_encoder_decoder else model\n"
        "vectors = []\nfor text in texts:\n"
        f"    inputs = {asked}\n"
        f"    with torch.no_grad():\n        hidden = encoder(**inputs)[0]\n    vectors.append({vector}[0])",
        "# postprocess: the cosine of the angle between the first vector and each other\n"
        "vectors = torch.nn.functional.normalize(torch.stack(vectors), dim=-1)\n"
        "result = (vectors[1:] @ vectors[0]).tolist()\nprint(result)",
    ]
    return Steps(body)


TEXT_STEPS: dict[str, StepsOf] = {
    "text-classification": _classify,
    "token-classification": _label_tokens,
    "fill-mask": _fill,
    "zero-shot-classification": _zero_shot,
    "feature-extraction": _embed,
    "sentence-similarity": _compare,
}

TEXT_CALLS: dict[str, CallOf] = {
    "token-classification": _call_label_tokens,
    "fill-mask": _call_fill,
    "zero-shot-classification": _call_zero_shot,
    "feature-extraction": _call_embed,
}
