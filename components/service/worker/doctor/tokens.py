"""How long rows are in a model's tokens, what of them is cut, and what that model makes of them."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.families import family as find_family
from components.service.runs.families.base import Family, Prepared, sequence_limit
from components.service.runs.rows import Row, Rows
from components.service.worker.blame import blaming
from components.service.worker.doctor.looked import Finding, Looked, with_setting
from components.service.worker.doctor.preview import shown_blocks, shown_rows
from components.service.worker.doctor.words import spread
from components.service.worker.findings import count, finding

#: Most rows that are measured, drawn at random, and about the most characters of all of them.
MEASURED_ROWS, MEASURED_CHARS = 10_000, 8_000_000
#: Longer than any sequence.
_ENDLESS = 10**9
#: Shares of rows above which a cut is worth a warning, and of unknown tokens.
MANY_CUT, MANY_UNKNOWN = 0.01, 0.01
_LANGUAGE = ("text-generation", "fill-mask")


@dataclass
class Measured:
    """Lengths as `Data.inspect` gives them in `tokens`, the first rows as the model reads them, findings."""

    tokens: dict[str, Any] | None = None
    preview: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Reader:
    """A model's tokenizer and configuration with the family that makes its inputs."""

    family: Family
    tokenizer: Any
    config: Any
    longest: int

    def most(self) -> int:
        """The most tokens that a sequence may have, whatever is asked for."""
        return sequence_limit(self.tokenizer, self.config, _ENDLESS, self.longest)

    def uncut(self, rows: Rows) -> Prepared:
        """The rows of train with nothing cut off."""
        spec = self.family.spec.with_(max_length=_ENDLESS, max_target_length=_ENDLESS)
        config = copy.deepcopy(self.config)
        for name in ("max_position_embeddings", "max_decoder_position_embeddings"):
            if isinstance(getattr(config, name, None), int):
                setattr(config, name, _ENDLESS)
        whole = replace(rows, train=list(rows.train), validation=rows.train[:100], test=[])
        limit, self.tokenizer.model_max_length = self.tokenizer.model_max_length, _ENDLESS
        try:
            return find_family(spec).prepare(whole, self.tokenizer, config, _ENDLESS)
        finally:
            self.tokenizer.model_max_length = limit


def look_at_tokens(looked: Looked, model: dict[str, Any]) -> Measured:
    """Measure rows with the tokenizer of a model.

    Args:
        looked: The data.
        model: `{path, name, tokens}`: the folder, the id, and the most tokens of a sequence here.
    """
    if looked.rows is None:
        return Measured()
    try:
        reader = _open(looked, model)
        joined = looked.spec.task in _LANGUAGE and "messages" not in looked.read.columns
        return _blocks(looked, reader) if joined else _rows(looked, reader)
    except WorkbenchError as error:
        refused = finding("error", error.message, "Until then this model cannot be trained.", error.field or "model")
        if error.field == "learn":
            refused = with_setting(refused, "Learn all words", "Every token is learned, whoever says it.", learn="all")
        return Measured(problems=[refused])


def _open(looked: Looked, model: dict[str, Any]) -> _Reader:
    from transformers import AutoConfig

    path, name = Path(model["path"]), str(model["name"])
    family = find_family(looked.spec.with_(model=name))
    with blaming(f"The configuration of {name} could not be read. Choose another model.", field="model"):
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    return _Reader(family, family.processor(path), config, int(model["tokens"]))


def _drawn(rows: Sequence[Row]) -> list[Row]:
    """Rows to measure: all of them, or as many at random as are quickly measured."""
    order = list(rows)
    if len(order) > MEASURED_ROWS:
        order = random.Random(0).sample(order, MEASURED_ROWS)
    left, drawn = MEASURED_CHARS, []
    for row in order:
        drawn.append(row)
        left -= sum(len(str(value)) for value in row.values())
        if left < 0:
            break
    return drawn


def _rows(looked: Looked, reader: _Reader) -> Measured:
    """Of tasks that make one sequence of each row."""
    assert looked.rows is not None
    rows = looked.rows
    shown = shown_rows(reader.family, rows, reader.tokenizer, reader.config, reader.longest)
    drawn = _drawn(rows.train)
    prepared = reader.uncut(replace(rows, train=drawn))
    ids = [example["input_ids"] for example in prepared.train]
    lengths = [len(one) for one in ids]
    tokens = _told(lengths, int(shown.facts["max_length"]), len(drawn), len(rows.train))
    problems = [*_cut(looked, reader, tokens, lengths), *_unknown(reader.tokenizer, ids)]
    problems += [finding("warning", note, "They are not trained on.") for note in prepared.facts.get("notes", [])]
    if "target" in looked.read.columns:
        written = [len(example["labels"]) for example in prepared.train]
        target = _told(written, int(shown.facts["max_target_length"]), len(drawn), len(rows.train))
        tokens["target"] = target
        problems += _target_cut(looked, target)
    return Measured(tokens, shown.rows, problems)


def _told(lengths: list[int], limit: int, measured: int, rows: int) -> dict[str, Any]:
    cut = sum(length > limit for length in lengths) / len(lengths) if lengths else 0.0
    return {"unit": "tokens", **spread(lengths), "limit": limit, "cut": cut, "measured": measured, "rows": rows}


def _cut(looked: Looked, reader: _Reader, tokens: dict[str, Any], lengths: list[int]) -> Iterator[Finding]:
    if not tokens["cut"]:
        return
    limit, told = tokens["limit"], _percent(tokens["cut"])
    if looked.spec.task == "question-answering":
        message = f"{told} of the questions have a context beyond {limit} tokens."
        fix = "It is read in pieces that overlap, so no answer is lost; that takes longer."
        yield finding("info", message, fix, "max_length")
        return
    message = f"{told} of the texts are longer than {limit} tokens and will be cut there."
    level = "warning" if tokens["cut"] >= MANY_CUT else "info"
    most = min(reader.most(), -(-tokens["longest"] // 8) * 8)
    if most <= limit:
        fix = "This model reads no more at once. Shorten the texts, or choose a model that reads longer ones."
        yield finding(level, message, fix, "max_length")
        return
    left = sum(length > most for length in lengths) / len(lengths)
    effect = f"Cuts {_percent(left) if left else 'none'} of them; the longest batch needs more memory and time."
    found = finding(level, message, "What is beyond is not seen.", "max_length")
    yield with_setting(found, f"Read up to {most:,} tokens", effect, max_length=most)


def _target_cut(looked: Looked, target: dict[str, Any]) -> Iterator[Finding]:
    if not target["cut"]:
        return
    limit, most = target["limit"], -(-target["longest"] // 8) * 8
    message = f"{_percent(target['cut'])} of the texts to write are longer than {limit} tokens and will be cut there."
    found = finding("warning", message, "The model learns to stop in the middle.", "max_target_length")
    if limit < looked.spec.max_target_length:
        yield {**found, "fix": "This model writes no more. Shorten these texts, or choose another model."}
        return
    effect = "Cuts none of them, if the model writes as many; takes more memory and time."
    yield with_setting(found, f"Write up to {most:,} tokens", effect, max_target_length=most)


def _unknown(tokenizer: Any, ids: Sequence[Sequence[int]]) -> Iterator[Finding]:
    total = sum(map(len, ids))
    # Of byte-level tokenizers the end of a text often stands for what is unknown, which nothing is.
    if tokenizer.unk_token_id is None or tokenizer.unk_token_id == tokenizer.eos_token_id or not total:
        return
    share = sum(one.count(tokenizer.unk_token_id) if isinstance(one, list) else 0 for one in ids) / total
    if share > MANY_UNKNOWN:
        message = f"{_percent(share)} of the tokens are unknown to this model ({tokenizer.unk_token})."
        fix = "It was probably made for another language or script. If so, choose a model that knows this one."
        yield finding("warning", message, fix, "model")


def _blocks(looked: Looked, reader: _Reader) -> Measured:
    """Of language models, whose texts are joined and cut into blocks."""
    assert looked.rows is not None
    rows = looked.rows
    parts = {"train": rows.train, "validation": rows.validation}
    drawn = {name: _drawn(part) for name, part in parts.items()}
    totals: dict[str, int] = {}
    for name, some in reversed(drawn.items()):
        made = replace(rows, train=some, validation=some, test=[])
        prepared = reader.family.prepare(made, reader.tokenizer, reader.config, reader.longest)
        totals[name] = prepared.facts["tokens"]["total"] * len(parts[name]) // len(some)
    shown = shown_blocks(prepared, reader.tokenizer)
    ids = _ids(reader, drawn["train"])
    limit = int(shown.facts["max_length"])
    tokens = {**_told([len(one) for one in ids], limit, len(ids), len(rows.train)), "cut": 0.0, "total": totals}
    return Measured(tokens, shown.rows, [*_short(totals, limit), *_unknown(reader.tokenizer, ids)])


def _ids(reader: _Reader, rows: Sequence[Row]) -> list[list[int]]:
    found: list[list[int]] = []
    for start in range(0, len(rows), 1000):
        texts = [row["text"] for row in rows[start : start + 1000]]
        found += reader.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return found


def _short(totals: dict[str, int], block: int) -> Iterator[Finding]:
    split, least = min(totals.items(), key=lambda item: item[1])
    if least >= block:
        return
    message = f"{split} has {count(least, 'token', 'tokens')}, fewer than one block of {block}."
    found = finding("warning", message, "Add texts, or cut shorter blocks.", "max_length")
    smaller = 1 << max(0, (least // 2).bit_length() - 1)
    if smaller >= 8:
        effect = f"Makes {totals['train'] // smaller:,} blocks to train on and "
        effect += f"{totals['validation'] // smaller:,} to evaluate on."
        found = with_setting(found, f"Blocks of {smaller} tokens", effect, max_length=smaller)
    yield found


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 100 * share >= 0.1 else "Less than 0.1 %"
