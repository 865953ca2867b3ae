"""The rows that are trained on: real ones from files given by path, or those that the starter models are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.starter import corpus, names
from components.starter.reviews import reviews

ROOT = Path(__file__).parents[3]
STARTER = ROOT / "components/starter/repos/models/starter"
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: Its name in the table.
        task: The task, as the runner knows it.
        model: Folder of the model to start from, without an option of its own.
        metric: What the results are compared by.
        train, validation: Rows by role.
    """

    name: str
    task: str
    model: Path
    metric: str
    train: list[Row]
    validation: list[Row]

    def write(self, folder: Path, most: int) -> None:
        """Write at most so many rows to train on, and those held out, as files that all sides read."""
        folder.mkdir()
        for name, rows in (("train", self.train[:most]), ("validation", self.validation[:most])):
            lines = [json.dumps(row) for row in rows]
            (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def opinions() -> Case:
    """Reviews that the project makes itself."""
    splits = reviews()
    train, held = ([{"text": one.text, "label": one.label} for one in splits[name]] for name in ("train", "validation"))
    return Case("reviews (made here)", "text-classification", STARTER / "encoder", "accuracy", train, held)


def marked() -> Case:
    """Sentences with names in them, of the grammar of the starter models."""
    rows = [{"tokens": list(one.words), "tags": [names.LABELS[i] for i in one.tags]} for one in names.texts(2500)]
    return Case("names (made here)", "token-classification", STARTER / "encoder", "f1", rows[:2000], rows[2000:])


def tales() -> Case:
    """Little stories, of the same grammar."""
    texts = [{"text": text} for text in corpus.tales(2500)]
    return Case("stories (made here)", "text-generation", STARTER / "stories", "loss", texts[:2000], texts[2000:])


def sentences(folder: Path) -> Case:
    """SST-2: `train.tsv` and `dev.tsv`, a text and a label in each line."""
    train, held = (
        [dict(zip(("text", "label"), line.split("\t"), strict=True)) for line in _lines(folder / f"{name}.tsv")]
        for name in ("train", "dev")
    )
    return Case("SST-2", "text-classification", STARTER / "encoder", "accuracy", train, held)


def entities(folder: Path) -> Case:
    """WNUT 17: `train.conll` and `dev.conll`, a token and its tag in each line, a blank one between sentences."""
    train, held = (list(_tagged(folder / f"{name}.conll")) for name in ("train", "dev"))
    return Case("WNUT 17", "token-classification", STARTER / "encoder", "f1", train, held)


def plays(file: Path) -> Case:
    """Shakespeare: paragraphs of one text, the last tenth held out."""
    texts = [{"text": part.strip()} for part in file.read_text(encoding="utf-8").split("\n\n") if part.strip()]
    cut = len(texts) * 9 // 10
    return Case("Shakespeare", "text-generation", STARTER / "stories", "loss", texts[:cut], texts[cut:])


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def _tagged(file: Path) -> Iterator[Row]:
    for part in re.split(r"\n\s*\n", file.read_text(encoding="utf-8")):
        pairs: Sequence[list[str]] = [line.split("\t") for line in part.split("\n") if line.strip()]
        if pairs:
            yield {"tokens": [pair[0] for pair in pairs], "tags": [pair[-1] for pair in pairs]}
