"""A model without its head and with it: hidden states, and what the head makes of them, from the same weights."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.calls import Call
from components.service.worker.run import facts
from components.service.worker.runners.base import Runner
from components.service.worker.score import reader
from components.service.worker.tensors import describe, flatten, token_rows

#: Label of a position that does not count in the loss, as torch's cross-entropy has it.
_IGNORED = -100
_OF_HEAD = ("loss", "pooler_output", "last_hidden_state")


def hidden_states(
    call: Call, *, task: str, path: str, model: str, texts: list[str], labels: Any, seconds: float
) -> dict[str, Any]:
    """`{tokens, inputs, without_head, with_head, loss}` and the facts of `run_task`."""
    one, load_seconds = reader(call, task, path, model, seconds)
    begun = time.perf_counter()
    inputs = _read(one, texts)
    answers = _labels(one, inputs, labels)
    told = f"{one.loaded.name} does not take these texts, or these labels, by themselves. Choose another model."
    with blaming(told, field="model"), torch.no_grad():
        whole = one.loaded.model(**inputs, **answers, output_hidden_states=True, return_dict=True)
        bare = _bare(one.loaded.model, inputs, whole)
    one.check_finite(bare["last_hidden_state"])
    base, head = _parts(one.loaded.model)
    given = {name: value for name, value in flatten(dict(whole)).items() if "logits" in name or name in _OF_HEAD}
    return {
        "tokens": [_rows(one, inputs, row) for row in range(len(texts))],
        "inputs": describe({**inputs, **answers}),
        "without_head": {
            "class": type(one.loaded.model.base_model).__name__,
            "modules": base,
            "tensors": describe(bare),
        },
        "with_head": {"class": type(one.loaded.model).__name__, "modules": head, "tensors": describe(given)},
        "loss": given["loss"].item() if "loss" in given else None,
        **facts(one, begun, load_seconds),
    }


def _read(one: Runner, texts: list[str]) -> dict[str, torch.Tensor]:
    """The texts as one batch, the shorter one padded at its end; cut where the model reads no more."""
    tokenizer, model = one.loaded.tokenizer, one.loaded.model
    with one.loaded.lock:
        rows = [list(tokenizer(text)["input_ids"]) for text in texts]
    most = min(limit for limit in (one.context, one.call.settings.scored_tokens) if limit is not None)
    if max(map(len, rows)) > most:
        one.note(f"Only the first {most:,} tokens of a text are read.")
        rows = [row[:most] for row in rows]
    longest, pad = max(map(len, rows)), tokenizer.pad_token_id
    if pad is None and any(len(row) < longest for row in rows):
        one.note("This tokenizer has no pad token, so the shorter text is padded with the token that ends a text.")
        pad = tokenizer.eos_token_id
    ids = [row + [pad or 0] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return {
        "input_ids": torch.tensor(ids, device=model.device),
        "attention_mask": torch.tensor(mask, device=model.device),
    }


def _labels(one: Runner, inputs: dict[str, torch.Tensor], labels: Any) -> dict[str, torch.Tensor]:
    """The labels that the loss is counted against; without any, what an encoder-decoder's decoder begins with."""
    model = one.loaded.model
    if model.config.is_encoder_decoder:
        return _to_write(one, inputs, labels)
    if labels is None:
        return {}
    if labels == "inputs" and one.spec.name in ("text-generation", "fill-mask"):
        one.note(
            "The labels are the input ids themselves; a causal model compares each with what the ids before foretell."
        )
        return {"labels": inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, _IGNORED)}
    one_of_many = model.config.num_labels > 1 and model.config.problem_type in (None, "single_label_classification")
    if labels == "inputs" or not type(model).__name__.endswith("ForSequenceClassification") or not one_of_many:
        raise WorkbenchError(
            "A loss is counted for classifiers with one label a text, for language models (labels: inputs), and for "
            "models that write a text from a text.",
            field="labels",
        )
    return {"labels": torch.tensor([_number(model, label) for label in labels], device=model.device)}


def _to_write(one: Runner, inputs: dict[str, torch.Tensor], labels: Any) -> dict[str, torch.Tensor]:
    model = one.loaded.model
    if labels is None:
        start = model.generation_config.decoder_start_token_id
        one.note("No text to write was given as a label, so the decoder reads only the token that it begins with.")
        return {"decoder_input_ids": torch.full_like(inputs["input_ids"][:, :1], start or 0)}
    with one.loaded.lock:
        rows = [list(one.loaded.tokenizer(text_target=str(text))["input_ids"]) for text in labels]
    longest = max(map(len, rows))
    return {"labels": torch.tensor([row + [_IGNORED] * (longest - len(row)) for row in rows], device=model.device)}


def _number(model: Any, label: Any) -> int:
    """A class, given by its name or its number."""
    names: dict[int, str] = model.config.id2label
    found = [number for number, name in names.items() if label == name or (type(label) is int and label == number)]
    if not found:
        known = ", ".join(list(names.values())[:20])
        raise WorkbenchError(f"A label for each text is needed, one of {known}.", field="labels")
    return found[0]


def _bare(model: Any, inputs: dict[str, Any], whole: Any) -> dict[str, torch.Tensor]:
    """What the model gives without its head: `last_hidden_state`, shape (batch, sequence, hidden); of an
    encoder-decoder the decoder's, and the encoder's besides."""
    if model.config.is_encoder_decoder:
        return {
            "encoder_last_hidden_state": whole.encoder_last_hidden_state,
            "last_hidden_state": whole.decoder_hidden_states[-1],
        }
    read = whole if model.base_model is model else model.base_model(**inputs, return_dict=True)
    return {"last_hidden_state": read.last_hidden_state}


def _parts(model: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The modules of the model without its head, and those that the head adds."""
    base = model.base_model
    if base is not model:
        inside = {id(module) for module in base.modules()}
        added = [(name, module) for name, module in model.named_children() if id(module) not in inside]
        return _modules(base.named_children()), _modules(added)
    head = [(name, module) for name, module in model.named_children() if "head" in name]
    return _modules(pair for pair in model.named_children() if pair not in head), _modules(head)


def _modules(named: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "class": type(module).__name__, "parameters": sum(one.numel() for one in module.parameters())}
        for name, module in named
    ]


def _rows(one: Runner, inputs: dict[str, torch.Tensor], row: int) -> list[dict[str, Any]]:
    ids, mask = inputs["input_ids"][row].tolist(), inputs["attention_mask"][row].tolist()
    return token_rows(one.loaded.tokenizer, ids, mask)
