"""A text's way through a tokenizer, one stage at a time, and whether that is what the whole tokenizer does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.service.worker.findings import count
from components.service.worker.tokenizing.anatomy import Anatomy
from components.service.worker.tokenizing.encoding import special_mask
from components.service.worker.tokenizing.reader import components
from components.service.worker.tokenizing.replay import LONGEST_WORD, replay
from components.service.worker.tokenizing.rows import printable
from components.service.worker.tokenizing.sections import Piece

#: How much of a text is taken apart, in characters; how many entries of a stage are told; how many words are
#: replayed, and with how many characters in all.
STAGED_CHARS = 20_000
STAGE_ITEMS = 200
REPLAYS = 60
REPLAYED_CHARS = 1_000
#: Most characters of the normalized text that are told, and of one item of another stage.
_SHOWN_CHARS = 2_000
_ITEM_CHARS = 500


def stages(anatomy: Anatomy, text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The stages of tokenizing `text`, and whether they end in the ids that the tokenizer itself gives.

    Returns:
        Stages `{name, title, component, note, items, total}` (see `Tokens.tokenize`) and
        `{equal, staged, encoded, first_difference, note, characters}`: numbers of ids, the first place where they
        differ, and how many characters of the text were taken apart.
    """
    tokenizer = anatomy.tokenizer
    plain = tokenizer(text, add_special_tokens=False)["input_ids"]
    whole = tokenizer(text, return_special_tokens_mask=True)
    walk, ids = _fast(anatomy, text) if tokenizer.is_fast else _slow(tokenizer, text)
    masks = special_mask(whole)
    inner = [number for number, mask in zip(whole["input_ids"], masks, strict=True) if not mask]
    walk += _post_processed(anatomy, whole["input_ids"], masks)
    for stage in walk:
        stage["total"] = stage.get("total", len(stage["items"]))
        stage["items"] = [_short(stage["name"], item) for item in stage["items"][:STAGE_ITEMS]]
    return walk, {**_check(anatomy, ids, plain, inner), "characters": len(text)}


def _short(stage: str, item: dict[str, Any]) -> dict[str, Any]:
    """The item with its text cut where it is very long, for it may be all of the text."""
    most = _SHOWN_CHARS if stage in ("added_tokens", "normalized") else _ITEM_CHARS
    return {**item, "text": printable(item["text"][:most])}


def _check(anatomy: Anatomy, ids: list[int], plain: list[int], inner: list[int]) -> dict[str, Any]:
    """The staged ids against those of the tokenizer's own call, with and without special tokens around."""
    other = plain if ids != plain else inner
    equal = ids == plain == inner
    differing = (place for place, (ours, theirs) in enumerate(zip(ids, other, strict=False)) if ours != theirs)
    note = "These steps, one by one, give exactly the ids of the whole call."
    if not equal:
        note = "These steps do not give the ids of the whole call. Trust the whole call."
        if getattr(anatomy.model, "dropout", None) or getattr(anatomy.model, "alpha", None):
            note += " This tokenizer draws its pieces by chance, so no two calls need be alike."
    return {
        "equal": equal,
        "staged": len(ids),
        "encoded": len(other),
        "first_difference": None if equal else next(differing, min(len(ids), len(other))),
        "note": note,
    }


def _fast(anatomy: Anatomy, text: str) -> tuple[list[dict[str, Any]], list[int]]:
    """A fast tokenizer's stages, each called by itself, and the ids that they end in."""
    sections = anatomy.sections
    cut = sections.added(text)
    normal = [(piece, part) for piece in cut for part in sections.normalized(piece)]
    words: list[dict[str, Any]] = []
    tokens: list[dict[str, Any]] = []
    for _, part in normal:
        for word, start, end in sections.words(part):
            item = {"text": word, "start": start, "end": end, "special": part.added is not None}
            made = _tokens(anatomy, part, word)
            tokens += [{"text": token, "id": number, "word": len(words)} for token, number in made]
            words.append({**item, "tokens": len(made)})
    told = [_added(cut), _normalized(anatomy, text, normal), _words(anatomy, words), _model(anatomy, words, tokens)]
    return told, [token["id"] for token in tokens]


def _tokens(anatomy: Anatomy, part: Piece, word: str) -> list[tuple[str, int]]:
    if part.added is None:
        return [(token.value, token.id) for token in anatomy.model.tokenize(word)]
    return [(part.added, anatomy.backend.token_to_id(part.added))]


def _added(cut: Sequence[Piece]) -> dict[str, Any]:
    items = [
        {"text": piece.text, "start": piece.start, "end": piece.end, "special": piece.added is not None}
        for piece in cut
    ]
    found = sum(1 for item in items if item["special"])
    told = count(found, "added token was", "added tokens were") if found else "No added token was"
    note = f"{told} found in the text as it is. They are cut out before anything else, and kept whole."
    return _stage("added_tokens", "Added tokens", None, note, items)


def _normalized(anatomy: Anatomy, text: str, normal: Sequence[tuple[Piece, Piece]]) -> dict[str, Any]:
    normalizer = anatomy.backend.normalizer
    whole = "".join(part.text for _, part in normal)
    if normalizer is None:
        note = "This tokenizer has no normalizer: the text stays as it is."
    elif whole == text:
        note = "The normalizer left this text as it is."
    else:
        note = "The normalizer rewrote the text."
    items = []
    shown = 0
    for _, part in normal:
        changes = _changes(text, part, _SHOWN_CHARS - shown)
        items.append(
            {
                "text": part.text[: _SHOWN_CHARS - shown],
                "before": text[part.start : part.end][: _SHOWN_CHARS - shown],
                "start": part.start,
                "end": part.end,
                "special": part.added is not None,
                "changes": changes,
            }
        )
        shown += len(part.text)
        if shown >= _SHOWN_CHARS:
            break
    return {**_stage("normalized", "Normalized text", normalizer, note, items), "total": len(normal)}


def _changes(text: str, part: Piece, most: int) -> list[dict[str, Any]]:
    """A normalized part against the text it comes from, as runs `{start, before, after}` that are alike or are not,
    from the alignment that the library keeps; none where nothing changed."""
    if part.text == text[part.start : part.end]:
        return []
    runs: list[dict[str, Any]] = []
    cursor = part.start
    place = 0
    while place < min(len(part.text), most):
        start, end = part.spans[place]
        made = [place]
        while made[-1] + 1 < len(part.text) and part.spans[made[-1] + 1] == (start, end):
            made.append(made[-1] + 1)
        if start > cursor:
            _run(runs, cursor, text[cursor:start], "")
        after = part.text[place : made[-1] + 1]
        _run(runs, start, text[max(start, cursor) : end], after)
        cursor, place = max(cursor, end), made[-1] + 1
    if place == len(part.text) and cursor < part.end:
        _run(runs, cursor, text[cursor : part.end], "")
    return runs


def _run(runs: list[dict[str, Any]], start: int, before: str, after: str) -> None:
    """Add to the last run where both are alike, or both are not."""
    if runs and (runs[-1]["before"] == runs[-1]["after"]) == (before == after):
        runs[-1]["before"] += before
        runs[-1]["after"] += after
    else:
        runs.append({"start": start, "before": before, "after": after})


def _words(anatomy: Anatomy, words: list[dict[str, Any]]) -> dict[str, Any]:
    note = "The pre-tokenizer splits the text into words, punctuation and the like; no token reaches over a border."
    if anatomy.backend.pre_tokenizer is None:
        note = "This tokenizer has no pre-tokenizer: its model gets the text in one piece, spaces included."
    return _stage("pre_tokenized", "Pre-tokens", anatomy.backend.pre_tokenizer, note, words)


def _model(anatomy: Anatomy, words: list[dict[str, Any]], tokens: list[dict[str, Any]]) -> dict[str, Any]:
    note = "The model splits each pre-token into pieces of its vocabulary."
    replays: list[dict[str, Any]] = []
    left = REPLAYED_CHARS
    for word in dict.fromkeys(item["text"] for item in words[:STAGE_ITEMS] if not item["special"]):
        left -= min(len(word), LONGEST_WORD)
        if len(replays) == REPLAYS or left < 0:
            break
        replays.append(replay(anatomy, word))
    return {**_stage("model", "Tokens", anatomy.model, note, tokens), "replays": replays}


def _slow(tokenizer: Any, text: str) -> tuple[list[dict[str, Any]], list[int]]:
    """The one step that a Python-backed tokenizer shows."""
    tokens = tokenizer.tokenize(text)
    ids = tokenizer.convert_tokens_to_ids(tokens)
    items = [{"text": printable(token), "id": number} for token, number in zip(tokens, ids, strict=True)]
    note = "This tokenizer is written in Python and does all of its splitting in one step."
    stage = _stage("model", "Tokens", None, note, items) | {"component": type(tokenizer).__name__, "replays": []}
    return [stage], ids


def _post_processed(anatomy: Anatomy, numbers: list[int], masks: list[int]) -> list[dict[str, Any]]:
    """The special tokens put around the text, and the ids of all."""
    names = anatomy.tokenizer.convert_ids_to_tokens(numbers)
    items = [
        {"text": printable(token), "id": number, "special": bool(mask)}
        for token, number, mask in zip(names, numbers, masks, strict=True)
    ]
    ids = [{**item, "text": f"{item['text']} {item['id']}", "token": item["text"]} for item in items]
    component = anatomy.backend.post_processor if anatomy.backend is not None else None
    added = sum(1 for item in items if item["special"])
    told = count(added, "special token is", "special tokens are") if added else "No special token is"
    last = "Each token is replaced by its id, the number of its row in the vocabulary: this is what the model reads."
    return [
        _stage("post_processed", "Special tokens", component, f"{told} added.", items),
        _stage("ids", "Ids", None, last, ids),
    ]


def _stage(name: str, title: str, component: Any, note: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "title": title, "component": _names(component), "note": note, "items": items}


def _names(component: Any) -> str | None:
    """The type of a component, and of those it is a sequence of: `Sequence(NFD, Lowercase)`."""
    if component is None:
        return None
    name = type(component).__name__
    return f"Sequence({', '.join(part['type'] for part in components(component))})" if name == "Sequence" else name
