"""The Python behind the views into a language model: each step, the loss of a text, hidden states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.snippets.code import Name, call, literal, model_id, origin, program, remark
from components.service.snippets.model import auto_class, by_hand
from components.service.snippets.tasks.generation import READ, read_prompt, reading_source
from components.service.tasks import TaskSpec, find_task

_ROW = '{"id": number, "token": tokenizer.convert_ids_to_tokens(number), "probability": p[number].item()}'


def steps_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """`generate`, with the probability of each token that it chose.

    Args:
        arguments: `task`, `model`, `commit`, `inputs`, `parameters`, `forced`, `dtype` and `auto_class`, as
            `generation_steps` takes and states them.
        endpoint: The Hub in use.
    """
    spec = _spec(arguments)
    used = by_hand(spec, arguments)
    seed, stop = used.pop("seed", None), used.pop("stop", None)
    for name in ("return_full_text", "clean_up_tokenization_spaces"):
        used.pop(name, None)
    if stop:
        used |= {"stop_strings": stop, "tokenizer": Name("tokenizer")}
    if spec.name == "text-generation":
        read, more, begin = read_prompt(arguments.get("inputs")), READ, 'inputs["input_ids"].shape[1]'
    else:
        read, more = reading_source(arguments.get("inputs"), used)
        more, begin = {"**inputs": Name("**inputs"), **more}, "1"
    given = {**more, **used, "return_dict_in_generate": True, "output_logits": True}
    seeded = "" if seed is None else call("set_seed", seed) + "\n"
    forced = {one["step"]: one["id"] for one in arguments.get("forced") or []}
    body = _replayed(spec, given, forced) if forced else _written(given, begin)
    names = ["AutoTokenizer", auto_class(spec, arguments), *(["set_seed"] if seeded else [])]
    return _program(endpoint, arguments, spec, names, read, seeded + body)


def _written(given: dict[str, Any], begin: str) -> str:
    return (
        f"output = {_generate(given)}\n"
        f"new_ids = output.sequences[0, {begin}:].tolist()\n\n"
        "# one row for each new token: what the model gave it before it was chosen\n"
        "result = []\n"
        "for number, logits in zip(new_ids, output.logits):\n"
        "    p = logits[0].softmax(dim=-1)\n"
        f"    result.append({_ROW})\nprint(result)"
    )


def _generate(given: dict[str, Any], indent: int = 0) -> str:
    spread = [given["**inputs"]] if "**inputs" in given else []
    named = {name: value for name, value in given.items() if name != "**inputs"}
    return call("model.generate", *spread, indent=indent, **named)


def _replayed(spec: TaskSpec, given: dict[str, Any], forced: dict[int, int]) -> str:
    """In stretches: up to each step where another token is taken, then on from there."""
    most = given.pop("max_new_tokens")
    fewest = given.pop("min_new_tokens", None)
    stretch: dict[str, Any] = {"max_new_tokens": Name("stop - len(new_ids)")}
    if fewest:
        stretch["min_new_tokens"] = Name(f"max(0, min(stop, {fewest}) - len(new_ids))")
    if spec.name == "text-generation":
        prompt = 'inputs["input_ids"]'
        given |= {"input_ids": Name("ids"), "attention_mask": Name("torch.ones_like(ids)")}
    else:
        start = given.get("decoder_start_token_id", "model.generation_config.decoder_start_token_id")
        prompt = f"torch.tensor([[{start}]])"
        given |= {"decoder_input_ids": Name("ids")}
    made = _generate({**given, **stretch}, indent=4)
    return (
        f"taken = {literal(forced)}  # another token at these steps\n"
        f"prompt, new_ids, result = {prompt}, [], []\n"
        f"for stop in [*(step + 1 for step in taken), {most}]:\n"
        "    if len(new_ids) == stop:\n        continue\n"
        "    ids = torch.cat([prompt, torch.tensor([new_ids], dtype=torch.long)], dim=-1)\n"
        f"    output = {made}\n"
        "    new_ids = output.sequences[0, prompt.shape[1] :].tolist()\n"
        "    if stop - 1 in taken:\n        new_ids[stop - 1] = taken[stop - 1]\n"
        "    for number, logits in zip(new_ids[len(result) :], output.logits):\n"
        "        p = logits[0].softmax(dim=-1)\n"
        f"        result.append({_ROW})\nprint(result)"
    )


def score_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """The loss of a text, token by token; `arguments` are those of `score_text`, and `tokens` as it states them."""
    spec = find_task(arguments.get("task") or "text-generation")
    known = [token["id"] for token in arguments.get("tokens") or []]
    cut = {"truncation": True, "max_length": len(known)} if known else {}
    read = (
        f"text = {literal(arguments.get('text', ''))}\n"
        f"inputs = {call('tokenizer', Name('text'), return_tensors='pt', return_token_type_ids=False, **cut)}\n"
        'ids = inputs["input_ids"][0]'
    )
    body = _masked() if spec.name == "fill-mask" else _causal()
    return _program(endpoint, arguments, spec, ["AutoTokenizer", auto_class(spec, arguments)], read, body)


def _causal() -> str:
    return (
        "# the labels are the ids themselves: each is compared with what the ids before it foretell\n"
        'with torch.no_grad():\n    output = model(**inputs, labels=inputs["input_ids"])\n\n'
        "log_probabilities = output.logits[0, :-1].log_softmax(dim=-1)\n"
        "losses = -log_probabilities[range(len(ids) - 1), ids[1:]]\n"
        "for token, loss in zip(tokenizer.convert_ids_to_tokens(ids[1:]), losses.tolist()):\n"
        '    print(f"{token!r}: {loss:.4f}")\n'
        'result = {"loss": output.loss.item(), "perplexity": output.loss.exp().item(), "losses": losses.tolist()}\n'
        "print(result)"
    )


def _masked() -> str:
    return (
        "# each token is masked in turn, and foretold from all the others\n"
        "special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}\n"
        "places = [place for place, number in enumerate(ids.tolist()) if number not in special]\n"
        "losses = []\n"
        "for place in places:\n"
        "    masked = ids.clone()\n"
        "    masked[place] = tokenizer.mask_token_id\n"
        "    with torch.no_grad():\n        logits = model(masked[None]).logits[0, place]\n"
        "    losses.append(-logits.log_softmax(dim=-1)[ids[place]].item())\n"
        "loss = sum(losses) / len(losses)\n"
        'result = {"loss": loss, "perplexity": torch.tensor(loss).exp().item(), "losses": losses}\nprint(result)'
    )


def hidden_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """`AutoModel` beside `AutoModelFor...`; `arguments` are those of `hidden_states`."""
    spec = find_task(arguments.get("task"))
    given = arguments.get("inputs")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise WorkbenchError("There is no text yet.", field="inputs")
    padded = {"padding": True} if len(texts) > 1 else {}
    read = call("tokenizer", Name("texts"), **padded, return_tensors="pt", return_token_type_ids=False)
    pad = "if tokenizer.pad_token is None:  # as in GPT-2\n    tokenizer.pad_token = tokenizer.eos_token\n"
    reading = f'texts = {literal(texts)}\n{pad if padded else ""}inputs = {read}\nprint(inputs["input_ids"].shape)'
    labels, extra = _labels(arguments.get("labels"), spec)
    body = (
        f"{labels}"
        "with torch.no_grad():\n"
        f"    outputs = model(**inputs{extra}, output_hidden_states=True)\n"
        "if model.config.is_encoder_decoder:\n"
        "    hidden = outputs.decoder_hidden_states[-1]\n"
        "else:  # the same as AutoModel.from_pretrained(model_id) would give, from the weights that are here already\n"
        "    with torch.no_grad():\n        hidden = model.base_model(**inputs).last_hidden_state\n"
        'print("without a head, (batch, sequence, hidden):", hidden.shape)\n'
        "logits = {name: value for name, value in outputs.items() if 'logits' in name}\n"
        'print("with a head:", {name: value.shape for name, value in logits.items()})\n'
        'result = {"last_hidden_state": hidden, **logits}\n'
        'if outputs.get("loss") is not None:\n    result["loss"] = outputs["loss"]\nprint(result)'
    ).replace("'logits'", '"logits"')
    return _program(endpoint, arguments, spec, ["AutoTokenizer", auto_class(spec, arguments)], reading, body)


def _labels(labels: Any, spec: TaskSpec) -> tuple[str, str]:
    """Code that makes the labels, and how they are handed over."""
    if labels == "inputs":
        made = 'inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)'
        return f"labels = {made}  # padding does not count\n", ", labels=labels"
    if "AutoModelForSeq2SeqLM" in spec.auto_classes:
        if not labels:
            start = "torch.tensor([[model.generation_config.decoder_start_token_id]] * len(texts))"
            return f"decoder_input_ids = {start}\n", ", decoder_input_ids=decoder_input_ids"
        read = call("tokenizer", text_target=labels, padding=True, return_tensors="pt")
        ignored = 'labels = labels.masked_fill(target["attention_mask"] == 0, -100)'
        return f'target = {read}\nlabels = target["input_ids"]\n{ignored}\n', ", labels=labels"
    if not labels:
        return "", ""
    return (
        f"names = {literal(labels)}\n"
        "numbers = {name: number for number, name in model.config.id2label.items()}\n"
        "labels = torch.tensor([numbers.get(name, name) for name in names])\n"
    ), ", labels=labels"


def _program(
    endpoint: str, arguments: Mapping[str, Any], spec: TaskSpec, names: list[str], read: str, body: str
) -> str:
    known = origin(arguments)
    dtype: dict[str, Any] = {"dtype": str(arguments["dtype"])} if arguments.get("dtype") else {}
    loading = (
        f"model_id = {literal(model_id(arguments))}\n"
        f"tokenizer = {call('AutoTokenizer.from_pretrained', Name('model_id'), **known)}\n"
        f"model = {call(auto_class(spec, arguments) + '.from_pretrained', Name('model_id'), **known, **dtype)}"
    )
    imports = ["import torch", f"from transformers import {', '.join(sorted(set(names), key=str.lower))}"]
    return program(endpoint, imports, remark(arguments), loading, read, body)


def _spec(arguments: Mapping[str, Any]) -> TaskSpec:
    spec = find_task(arguments.get("task"))
    if not spec.streams:
        raise WorkbenchError(f"{spec.title} writes no text, token after token.", field="task")
    return spec


INSIDE_VIEWS = {"generation_steps": steps_snippet, "score_text": score_snippet, "hidden_states": hidden_snippet}
