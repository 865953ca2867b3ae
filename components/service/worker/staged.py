"""A text's way through a tokenizer, one stage at a time, and whether that is what the whole tokenizer does."""

from __future__ import annotations

import copy
import json
from typing import Any

from components.service.worker.findings import count

#: How much text is taken apart, in characters, and how many entries of a stage are told.
STAGED_CHARS = 20_000


def stages(tokenizer: Any, text: str, most_items: int) -> tuple[list[dict[str, Any]], bool]:
    """The stages of tokenizing `text`, and whether they end in the ids that the tokenizer itself gives.

    Each stage is `{name, title, component, note, items, total}`, items `{text, id?, token?, start?, end?, special?}`;
    offsets are in characters of the normalized text. In the last stage `text` is token and id together.
    """
    plain = tokenizer(text, add_special_tokens=False)["input_ids"]
    whole = tokenizer(text, return_special_tokens_mask=True)
    walk = _fast(tokenizer, text) if tokenizer.is_fast else _slow(tokenizer, text)
    ids = [item["id"] for item in walk[-1]["items"]]
    inner = [number for number, mask in zip(whole["input_ids"], whole["special_tokens_mask"], strict=True) if not mask]
    walk.append(_post_processed(tokenizer, whole))
    for stage in walk:
        stage["total"] = len(stage["items"])
        stage["items"] = stage["items"][:most_items]
    return walk, ids == plain == inner


def _fast(tokenizer: Any, text: str) -> list[dict[str, Any]]:
    """Normalizer, pre-tokenizer and model of a fast tokenizer, called by themselves on what lies between the added
    tokens, which are found in the text before anything else."""
    backend = tokenizer.backend_tokenizer
    normal, words, tokens = [], [], []
    offset = 0
    for section, start, added in _sections(tokenizer, text):
        if added is not None:
            normalized = section
            words.append({"text": section, "start": offset, "end": offset + len(section), "special": True})
            tokens.append({"text": tokenizer.convert_ids_to_tokens(added), "id": added, "special": True})
        else:
            normalized = backend.normalizer.normalize_str(section) if backend.normalizer else section
            for word, (begin, end) in _pre_tokenize(backend.pre_tokenizer, normalized, first=start == 0):
                words.append({"text": word, "start": offset + begin, "end": offset + end})
                tokens += [{"text": token.value, "id": token.id} for token in backend.model.tokenize(word)]
        normal.append(normalized)
        offset += len(normalized)
    return [
        _normalized(backend.normalizer, text, "".join(normal)),
        _stage(
            "pre_tokenized",
            "Words",
            backend.pre_tokenizer,
            "The pre-tokenizer splits the text; no token reaches over a border.",
            words,
        ),
        _stage("model", "Tokens", backend.model, "The model splits each word into pieces of its vocabulary.", tokens),
    ]


def _sections(tokenizer: Any, text: str) -> list[tuple[str, int, int | None]]:
    """The text split at its added tokens, as (text, start, id of the added token or None).

    Which they are is read off the whole tokenizer's result: an id of an added token whose characters spell it (an
    unknown word has such an id too, but spells otherwise).
    """
    added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    sections: list[tuple[str, int, int | None]] = []
    cursor = 0
    for number, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        content = added.get(number)
        if content is None or text[start:end].strip().casefold() != content.strip().casefold():
            continue
        if start > cursor:
            sections.append((text[cursor:start], cursor, None))
        sections.append((text[start:end], start, number))
        cursor = end
    if cursor < len(text):
        sections.append((text[cursor:], cursor, None))
    return sections


def _pre_tokenize(pre_tokenizer: Any, text: str, *, first: bool) -> list[tuple[str, tuple[int, int]]]:
    if pre_tokenizer is None:
        return [(text, (0, len(text)))] if text else []
    words: list[tuple[str, tuple[int, int]]] = _placed(pre_tokenizer, first=first).pre_tokenize_str(text)
    return words


def _placed(pre_tokenizer: Any, *, first: bool) -> Any:
    """The pre-tokenizer for a section: some mark only the beginning of the whole text (`prepend_scheme: first`)."""
    state = pre_tokenizer.__getstate__()
    if first or b'"prepend_scheme":"first"' not in state:
        return pre_tokenizer
    placed = copy.deepcopy(pre_tokenizer)
    placed.__setstate__(state.replace(b'"prepend_scheme":"first"', b'"prepend_scheme":"never"'))
    return placed


def _slow(tokenizer: Any, text: str) -> list[dict[str, Any]]:
    """The two steps that a Python-backed tokenizer shows."""
    tokens = tokenizer.tokenize(text)
    ids = tokenizer.convert_tokens_to_ids(tokens)
    items = [{"text": token, "id": number} for token, number in zip(tokens, ids, strict=True)]
    note = "This tokenizer is written in Python and does all of its splitting in one step."
    return [_stage("model", "Tokens", None, note, items) | {"component": type(tokenizer).__name__}]


def _normalized(normalizer: Any, text: str, normalized: str) -> dict[str, Any]:
    if normalizer is None:
        note = "This tokenizer has no normalizer: the text stays as it is."
    elif normalized == text:
        note = "The normalizer left this text as it is."
    else:
        note = "The normalizer rewrote the text."
    items = [{"text": normalized, "start": 0, "end": len(normalized)}]
    return _stage("normalized", "Normalized text", normalizer, note, items)


def _post_processed(tokenizer: Any, whole: Any) -> dict[str, Any]:
    ids = whole["input_ids"]
    items = [
        {"text": f"{token} {number}", "token": token, "id": number, "special": bool(mask)}
        for token, number, mask in zip(
            tokenizer.convert_ids_to_tokens(ids), ids, whole["special_tokens_mask"], strict=True
        )
    ]
    component = tokenizer.backend_tokenizer.post_processor if tokenizer.is_fast else None
    added = sum(1 for item in items if item["special"])
    told = count(added, "special token is", "special tokens are") if added else "No special token is"
    note = f"{told} added. Each token is shown with its id, the number of its row in the vocabulary."
    return _stage("post_processed", "Ids", component, note, items)


def _stage(name: str, title: str, component: Any, note: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "title": title, "component": _names(component), "note": note, "items": items}


def _names(component: Any) -> str | None:
    """The type of a component, and of those it is a sequence of: `Sequence(NFD, Lowercase)`."""
    if component is None:
        return None
    name = type(component).__name__
    if name != "Sequence":
        return name
    state = json.loads(component.__getstate__())
    parts = next((value for value in state.values() if isinstance(value, list)), [])
    return f"Sequence({', '.join(part['type'] for part in parts)})"
