"""What the doctor looks at, and the forms of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.service.runs.checks import REMEDIES
from components.service.runs.remedies import REMEDY
from components.service.runs.rows import Read, Rows
from components.service.runs.spec import RunSpec
from components.service.worker.findings import count, finding
from components.service.worker.roles import Columns
from components.service.worker.tables import Table

Finding = dict[str, Any]
#: What people call what a model reads, one and many.
_NOUNS = {
    "question-answering": ("question", "questions"),
    "image-classification": ("image", "images"),
    "translation": ("text", "texts"),
}
#: What each remedy has done, to how many rows.
_DONE = {
    "mend_encoding": "Letters of a wrong encoding are mended: {}.",
    "drop_missing": "Labels that are words for a missing value are left out: {}.",
    "drop_duplicates": "Repeats are left out of train: {}.",
    "drop_contradictions": "Contradictions are left out of train: {}.",
    "drop_leaks": "What is evaluated on is left out of train: {}.",
    "drop_rare": "Rare classes are left out: {}.",
    "drop_unknown_labels": "Labels that train has not are left out of what is evaluated on: {}.",
}


@dataclass(frozen=True)
class Looked:
    """One source.

    Attributes:
        spec: What a run would be asked to do; its model is empty.
        table: The split that is trained on.
        chosen: The column of each role, chosen or guessed.
        named: The roles whose column was chosen by name.
        broken: Rows without an image because it cannot be opened, which has been told with their numbers.
        read: The rows after the remedies that are asked for.
        rows: What would be trained on; `None` where that is too little.
    """

    spec: RunSpec
    table: Table
    chosen: Columns
    named: frozenset[str]
    broken: int
    read: Read
    rows: Rows | None

    @property
    def train(self) -> list[dict[str, Any]]:
        """The rows of train, before any is held out."""
        return self.read.splits["train"]

    def things(self, number: int) -> str:
        """So many of what a model reads: `2 texts`."""
        return count(number, *_NOUNS.get(self.spec.task, ("text", "texts")))

    def treated(self, found: Finding, name: str, label: str, effect: Callable[[int], str]) -> Finding:
        """A finding with the remedy `name`.

        Args:
            label: What the button says.
            effect: What the remedy does, given how many rows it changes or leaves out.
        """
        if name in self.spec.remedies:
            return found
        wanted = [one for one in REMEDIES if one in (*self.spec.remedies, name)]
        return {**found, "remedy": offer(name, label, effect(REMEDY[name](self.read.splits)[1]), remedies=wanted)}


def applied(looked: Looked) -> Iterator[Finding]:
    """What the remedies that are asked for have done, each with what takes it back."""
    for name, changed in looked.read.remedied.items():
        left = [one for one in looked.spec.remedies if one != name]
        undo = offer(name, "Undo", "These rows are used again as they are.", remedies=left)
        done = _DONE[name].format(count(changed, "row", "rows"))
        yield {**finding("info", done, "This is done anew at the start of the run, and recorded."), "remedy": undo}


def offer(name: str, label: str, effect: str, **changes: Any) -> dict[str, Any]:
    """A remedy: its name, the words on its button, what it will do, and the settings of a run that do it."""
    return {"name": name, "label": label, "effect": effect, "changes": changes}


def with_setting(found: Finding, label: str, effect: str, **changes: Any) -> Finding:
    """A finding whose remedy is a setting of the run."""
    return {**found, "remedy": offer("setting", label, effect, **changes)}


def by_role(read: Mapping[str, Any]) -> dict[str, int]:
    """Rows of all splits that were left out for want of each role."""
    lacking: dict[str, int] = {}
    for roles in read.values():
        for role, number in roles.items():
            lacking[role] = lacking.get(role, 0) + number
    return lacking
