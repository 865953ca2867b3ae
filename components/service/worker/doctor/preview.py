"""A few rows as they are, and as the model will read them: by the very code that makes its inputs in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.families.base import Family, Prepared
from components.service.runs.rows import Row, Rows
from components.service.worker.columns import shorten
from components.service.worker.doctor.first_rows import CHARS, SHOWN_ROWS

#: Tokens that are shown of each row.
SHOWN_TOKENS = 200


@dataclass(frozen=True)
class Shown:
    """Rows as `previewed` gives them, and the facts of what was prepared."""

    rows: list[dict[str, Any]]
    facts: dict[str, Any]


def previewed(row: Row, prepared: Prepared, tokenizer: Any, labels: list[str]) -> dict[str, Any]:
    """One row and the first example made of it: `{raw, tokens, labels, target}`.

    `labels` has, for each token shown, what is learned there, or None: a tag, the token itself (language models),
    `answer`; it is None where one label belongs to the whole row. `target` has the tokens to write, or is None.
    """
    example = prepared.train[0]
    ids = list(example["input_ids"])
    return {
        "raw": {role: _raw(value) for role, value in row.items()},
        "tokens": _tokens(ids, tokenizer),
        "labels": _learned(row, example, ids, tokenizer, labels),
        "target": _tokens(example["labels"], tokenizer) if "target" in row else None,
    }


def _raw(value: Any) -> Any:
    if isinstance(value, str):
        return shorten(value, CHARS)
    if isinstance(value, list):
        return [_raw(one) for one in value[:SHOWN_TOKENS]]
    return {key: _raw(one) for key, one in value.items()} if isinstance(value, dict) else value


def _learned(
    row: Row, example: dict[str, Any], ids: list[int], tokenizer: Any, names: list[str]
) -> list[str | None] | None:
    if "tags" in row:
        return [names[i] if i >= 0 else None for i in example["labels"][:SHOWN_TOKENS]]
    if "answers" in row:
        spans = range(example.get("start_positions", 0), example.get("end_positions", -1) + 1)
        # An answer that is not in this window is put at the first token, which is no word.
        return ["answer" if i in spans and i > 0 else None for i in range(len(ids[:SHOWN_TOKENS]))]
    if "label" in row or "target" in row or "labels" not in example:
        return None
    return _tokens(example["labels"], tokenizer)


def _tokens(ids: Sequence[int], tokenizer: Any) -> list[str | None]:
    """Tokens by their ids; None for what the loss passes over."""
    return [str(tokenizer.convert_ids_to_tokens(int(i))) if i >= 0 else None for i in ids[:SHOWN_TOKENS]]


def shown_rows(family: Family, rows: Rows, tokenizer: Any, config: Any, longest: int) -> Shown:
    """The first rows of train as the model reads them.

    Raises:
        WorkbenchError: The model cannot be trained on any of them.
    """
    found = Shown([], {})
    refused: WorkbenchError | None = None
    for row in rows.train[:SHOWN_ROWS]:
        alone = replace(rows, train=[row], validation=[row], test=[])
        try:
            prepared = family.prepare(alone, tokenizer, config, longest)
        except WorkbenchError as error:
            # One row may be of no use where others are.
            refused = error
            continue
        found = Shown([*found.rows, previewed(row, prepared, tokenizer, rows.labels)], prepared.facts)
    if refused and not found.rows:
        raise refused
    return found


def shown_blocks(prepared: Prepared, tokenizer: Any) -> Shown:
    """The first blocks that texts are cut into."""
    ids = [[int(i) for i in example["input_ids"]] for example in prepared.train[:SHOWN_ROWS]]
    shown = [
        {
            "raw": {"text": _raw(tokenizer.decode(one))},
            "tokens": _tokens(one, tokenizer),
            "labels": None,
            "target": None,
        }
        for one in ids
    ]
    return Shown(shown, prepared.facts)
