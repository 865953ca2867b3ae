"""What is wrong with rows, whatever they are labelled with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.service.runs.cells import is_missing
from components.service.runs.remedies import contradictions, is_garbled, row_key
from components.service.runs.tasks import TRAIN_TASKS
from components.service.worker.columns import shorten
from components.service.worker.doctor.looked import Finding, Looked, by_role, with_setting
from components.service.worker.findings import count, finding
from components.service.worker.roles import suggest

FEW_ROWS = 50
#: Of roles whose cell can be there and still be of no use.
_UNUSABLE = {
    "tags": "without a tag for each token in",
    "answers": "without an answer that stands in its context in",
    "tokens": "without a list of tokens in",
    "messages": "without a chat (a list of messages with role and content) in",
    "image": "without an image in",
}


def about_columns(looked: Looked) -> Iterator[Finding]:
    """Columns that are asked for and not there, or that nothing could be found for."""
    has = ", ".join(looked.table.columns)
    for role in TRAIN_TASKS[looked.spec.task].columns:
        column, where = looked.chosen.get(role.role), f"columns.{role.role}"
        if column is not None and column not in looked.table.columns:
            yield _instead(
                looked, role.role, finding("error", f"There is no column {column!r}.", f"Choose one of: {has}.", where)
            )
        elif column is None and role.required and not looked.chosen.get(role.instead):
            if role.role == "label" and looked.spec.task == "text-classification":
                fix = "Choose the column with the classes, or train on the text alone (text-generation, fill-mask)."
                yield finding("error", "No column looks like a label.", fix, where)
            else:
                message = f"No column looks like {_called(role.role)}; there are: {has}."
                yield finding("error", message, "Choose the column to read.", where)


def _instead(looked: Looked, role: str, found: Finding) -> Finding:
    """The finding with the column that would be guessed as its remedy, if there is one that is free."""
    guess = suggest(looked.table, looked.spec.task)[role]
    if guess is None or guess in looked.chosen.values():
        return found
    columns = {**{name: column for name, column in looked.chosen.items() if column}, role: guess}
    return with_setting(found, f"Use {guess}", f"Reads the column {guess} instead.", columns=columns)


def _called(role: str) -> str:
    return {"text": "text", "image": "images", "target": "the text to write"}.get(role, f"the {role}")


def about_rows(looked: Looked) -> Iterator[Finding]:
    """Rows that cannot be used, repeat or contradict others, or are too few."""
    yield from _unusable(looked)
    yield from _garbled(looked)
    yield from _words_for_nothing(looked)
    yield from _repeated(looked)
    yield from _contradicted(looked)
    yield from _silent(looked)
    usable = len(looked.train)
    if 0 < usable < FEW_ROWS:
        told = count(usable, "row", "rows")
        what = "text" if "text" in looked.read.columns else "what is needed"
        message = f"There {'is' if usable == 1 else 'are'} only {told} with {what}; the results will mostly be chance."
        yield finding("warning", message, "Add rows if you can: a few hundred make a first useful model.")


def _unusable(looked: Looked) -> Iterator[Finding]:
    whole = {kind: lacking for kind, lacking in looked.read.unusable.items() if not looked.read.absent.get(kind)}
    for role, number in by_role(whole).items():
        column = looked.read.columns[role]
        number -= looked.broken if role == "image" else 0
        if column not in looked.table.columns or not number:
            continue
        they, them = ("It is", "it") if number == 1 else ("They are", "them")
        mends = f"label {them} to use {them}" if role in ("label", "tags") else "nothing needs to be done"
        where, fix = f"columns.{role}", f"{they} left out of training; {mends}."
        if role in _UNUSABLE:
            message = f"{count(number, 'row is', 'rows are')} {_UNUSABLE[role]} {column}."
        else:
            lacks = {"text_pair": "second text", "target": "text to write"}.get(role, role)
            if role == "label" and looked.read.problem == "regression":
                lacks = "number"
            message = f"{count(number, 'row has', 'rows have')} no {lacks} in {column}."
        yield finding("warning", message, fix, where)


def _texts(row: dict[str, Any]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))


def _garbled(looked: Looked) -> Iterator[Finding]:
    rows = [row for split in looked.read.splits.values() for row in split]
    garbled = [row for row in rows if is_garbled(row)]
    if garbled:
        example = shorten(next(text for text in _strings(garbled[0]) if is_garbled(text)), 60)
        message = f"{count(len(garbled), 'row has', 'rows have')} letters of a wrong encoding: {example}"
        found = finding("warning", message, "The file was read, or saved, as something other than UTF-8.")
        yield looked.treated(
            found, "mend_encoding", "Mend them", lambda n: f"Writes {count(n, 'row', 'rows')} as they were meant."
        )
    lost = sum(any("\ufffd" in text for text in _texts(row)) for row in rows)
    if lost:
        message = f"{count(lost, 'row has', 'rows have')} the sign \ufffd where a letter was lost."
        yield finding("warning", message, "Nothing can bring it back here: export the data again as UTF-8.")


def _strings(value: Any) -> Iterator[str]:
    """Every text in a row, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _words_for_nothing(looked: Looked) -> Iterator[Finding]:
    rows = [row for split in looked.read.splits.values() for row in split]
    words = [row["label"] for row in rows if is_missing(row.get("label"))]
    if not words or set(words) & set(looked.read.names):
        return
    message = f"{count(len(words), 'row has', 'rows have')} the label {words[0]}, a word for a missing value."
    fix = "Left as they are, they are a class of their own."
    yield looked.treated(
        finding("warning", message, fix, "columns.label"),
        "drop_missing",
        "Leave them out",
        lambda n: f"Leaves out {count(n, 'row', 'rows')} without a real label.",
    )


def _repeated(looked: Looked) -> Iterator[Finding]:
    repeated = len(looked.train) - len({row_key(row) for row in looked.train})
    if not repeated:
        return
    message = f"{count(repeated, 'row repeats', 'rows repeat')} an earlier one exactly."
    if not looked.read.splits.get("validation"):
        fix = "Without a validation split they are left out, so that no row is both trained and evaluated on."
        yield finding("warning", message, fix)
        return
    yield looked.treated(
        finding("warning", message, "What comes again counts more in training."),
        "drop_duplicates",
        "Leave them out",
        lambda n: f"Leaves out {count(n, 'row', 'rows')} of train; the first of each stays.",
    )


def _contradicted(looked: Looked) -> Iterator[Finding]:
    found = contradictions(looked.train)
    if not found:
        return
    first = next(iter(found.values()))
    role = "label" if "label" in first else "tags"
    read = " ".join(text for name, value in first.items() if name != role for text in _strings(value))
    example, labels = shorten(read, 60), {"label": "labels", "tags": "tags"}[role]
    message = f"{looked.things(len(found))} {'has' if len(found) == 1 else 'have'} different {labels} in different rows"
    message += f": {example!r}." if example else "."
    yield looked.treated(
        finding("warning", message, "Decide for one of them; a model cannot learn both.", f"columns.{role}"),
        "drop_contradictions",
        "Leave them out",
        lambda n: f"Leaves out all {count(n, 'row', 'rows')} of train with these.",
    )


def _silent(looked: Looked) -> Iterator[Finding]:
    if looked.spec.learn != "assistant" or "messages" not in looked.read.columns:
        return
    silent = sum(all(one["role"] != "assistant" for one in row["messages"]) for row in looked.train)
    if silent:
        message = f"{count(silent, 'chat has', 'chats have')} no message of the assistant; nothing is learned from it."
        found = finding("warning", message, "Only the assistant's words are learned.", "learn")
        yield with_setting(found, "Learn all words", "Every token of a chat is learned, whoever says it.", learn="all")
