"""What may be done about what the data doctor finds. Each takes the rows of the splits and gives those that are left.

Only what is trained on changes, unless a remedy says otherwise: figures stay comparable with those of others.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from components.service.runs.cells import is_missing
from components.service.runs.values import answers_value, digest

Row = dict[str, Any]
Splits = dict[str, list[Row]]
#: A class with fewer rows than this is rare.
RARE = 5
#: What a model is to find out about a row; the rest is what it reads.
GOLD = frozenset({"label", "tags", "answers", "target"})
#: UTF-8 that was read as Windows-1252 has a first byte's letter before another letter that is not ASCII.
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\uffff]")


def row_key(row: Mapping[str, Any]) -> bytes:
    """What two rows have in common that hold the same: a digest, since JSON that is kept takes a kilobyte at least."""
    return hashlib.blake2b(orjson.dumps(row, default=digest), digest_size=16).digest()


def input_key(row: Mapping[str, Any]) -> bytes:
    """What two rows have in common of which a model reads the same."""
    return row_key({role: value for role, value in row.items() if role not in GOLD})


def labels_of(row: Mapping[str, Any]) -> list[str]:
    """The classes that a row has; none where it has a number or a text instead."""
    label = row.get("label", row.get("tags"))
    return [label] if isinstance(label, str) else label if isinstance(label, list) else []


def mend_texts(splits: Splits) -> tuple[Splits, int]:
    """Texts of all splits that are UTF-8 read as something else (`trÃ¨s`), read rightly (by ftfy)."""
    mended = {name: [_mended(row) for row in rows] for name, rows in splits.items()}
    return mended, sum(new != row for name in splits for new, row in zip(mended[name], splits[name], strict=True))


def mend_encoding(splits: Splits) -> tuple[Splits, int]:
    """As `mend_texts`; letters move by it, and with them the places of answers in their contexts."""
    mended, changed = mend_texts(splits)
    return {name: [row for row in map(_located, rows) if row] for name, rows in mended.items()}, changed


def _located(row: Row) -> Row | None:
    """The row with its answers where they stand now; `None` where they do not."""
    if "answers" not in row:
        return row
    answers = answers_value(row["answers"], row["context"])
    return {**row, "answers": answers} if answers is not None else None


def is_garbled(value: Any) -> bool:
    """Whether a text, or one inside a list or object, is UTF-8 that was read as something else."""
    return bool(_mended(value) != value)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _mend(value) if not value.isascii() and _MOJIBAKE.search(value) else value
    if isinstance(value, list):
        return [_mended(one) for one in value]
    return {key: _mended(one) for key, one in value.items()} if isinstance(value, dict) else value


def _mend(text: str) -> str:
    from ftfy import fix_encoding

    return fix_encoding(text)


def drop_missing(splits: Splits) -> tuple[Splits, int]:
    """Leave out rows of all splits whose label is a word for a missing value, such as nan."""
    return _kept(splits, lambda row: not is_missing(row.get("label")))


def drop_duplicates(splits: Splits) -> tuple[Splits, int]:
    """Leave out rows of train that repeat an earlier one."""
    unique = {row_key(row): row for row in reversed(splits["train"])}
    return _with_train(splits, list(unique.values())[::-1])


def drop_contradictions(splits: Splits) -> tuple[Splits, int]:
    """Leave out rows of train that read the same and have different labels, all of them."""
    contradicted = contradictions(splits["train"])
    return _with_train(splits, [row for row in splits["train"] if input_key(row) not in contradicted])


def contradictions(rows: list[Row]) -> dict[bytes, Row]:
    """One row of each text that has different labels in different rows."""
    seen: dict[bytes, Any] = {}
    found: dict[bytes, Row] = {}
    for row in rows:
        labels = row.get("label", row.get("tags"))
        if labels is None or isinstance(labels, float):
            continue
        labels = sorted(labels) if "label" in row and isinstance(labels, list) else labels
        key = input_key(row)
        if seen.setdefault(key, labels) != labels:
            found.setdefault(key, row)
    return found


def drop_leaks(splits: Splits) -> tuple[Splits, int]:
    """Leave out rows of train that read the same as one that is evaluated on."""
    held = {input_key(row) for name, rows in splits.items() if name != "train" for row in rows}
    return _with_train(splits, [row for row in splits["train"] if input_key(row) not in held])


def drop_rare(splits: Splits) -> tuple[Splits, int]:
    """Leave out classes with fewer than `RARE` rows in train, from all splits; of several labels only the rare ones."""
    rare = rare_labels(splits["train"])
    if not any(isinstance(row.get("label"), list) for row in splits["train"]):
        return _kept(splits, lambda row: row.get("label") not in rare)
    changed = 0
    left: Splits = {}
    for name, rows in splits.items():
        new = [{**row, "label": [label for label in row["label"] if label not in rare]} for row in rows]
        changed += sum(before != after for before, after in zip(rows, new, strict=True))
        left[name] = new
    return left, changed


def rare_labels(rows: list[Row]) -> dict[str, int]:
    """Classes with fewer than `RARE` rows, and how many rows each has; none where fewer than two would be left."""
    if not rows or "label" not in rows[0]:
        return {}
    counts = Counter(label for row in rows for label in labels_of(row))
    rare = {label: n for label, n in counts.items() if n < RARE}
    return rare if len(counts) - len(rare) >= 2 else {}


def drop_unknown_labels(splits: Splits) -> tuple[Splits, int]:
    """Leave out rows that are evaluated on and have a class which no row of train has."""
    known = {label for row in splits["train"] for label in labels_of(row)}
    held = {name: [row for row in rows if known.issuperset(labels_of(row))] for name, rows in splits.items()}
    left = {**held, "train": splits["train"]}
    return left, _fewer(splits, left)


def _kept(splits: Splits, keep: Callable[[Row], bool]) -> tuple[Splits, int]:
    left = {name: [row for row in rows if keep(row)] for name, rows in splits.items()}
    return left, _fewer(splits, left)


def _with_train(splits: Splits, train: list[Row]) -> tuple[Splits, int]:
    return {**splits, "train": train}, len(splits["train"]) - len(train)


def _fewer(before: Splits, after: Splits) -> int:
    return sum(map(len, before.values())) - sum(map(len, after.values()))


#: What each of the names in `checks.REMEDIES` does: the splits that are left, and how many rows changed or went.
REMEDY: dict[str, Callable[[Splits], tuple[Splits, int]]] = {
    "mend_encoding": mend_encoding,
    "drop_missing": drop_missing,
    "drop_duplicates": drop_duplicates,
    "drop_contradictions": drop_contradictions,
    "drop_leaks": drop_leaks,
    "drop_rare": drop_rare,
    "drop_unknown_labels": drop_unknown_labels,
}
