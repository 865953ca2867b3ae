"""Cells of a table as the values of a role that is more than text: answers, images, targets, pairs of languages."""

from __future__ import annotations

import ast
import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

#: What an `answers` value is: texts, and where each begins in the context, in characters. Empty lists: no answer.
Answers = dict[str, list[Any]]
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,")


@dataclass(frozen=True)
class Picture:
    """An image in a cell: the encoded file, and the name that people know it by. It prints as that name."""

    data: bytes = field(repr=False)
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"image of {len(self.data):,} bytes"


def parsed(cell: Any) -> Any:
    """A cell, or the list or object that its text holds as JSON or as Python prints it (which pandas writes)."""
    if not isinstance(cell, str) or cell.lstrip()[:1] not in ("[", "{"):
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        pass
    try:
        found = ast.literal_eval(_Arrays().visit(ast.parse(cell.strip(), mode="eval")))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return cell
    return found if isinstance(found, list | dict) else cell


class _Arrays(ast.NodeTransformer):
    """Lists in place of numpy's arrays, as which pandas writes the lists of a data set: `array([3], dtype=int32)`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return node.args[0] if isinstance(node.func, ast.Name) and node.func.id == "array" and node.args else node


def picture(cell: Any) -> Picture | None:
    """A cell as a picture: `Picture`, bytes, `{"bytes", "path"}` as `datasets` keeps it, or a data URL.

    Nothing is opened here, and a path or an address is not followed: such a cell is no picture.
    """
    if isinstance(cell, Picture):
        return cell
    if isinstance(cell, Mapping) and isinstance(cell.get("bytes"), bytes):
        return Picture(cell["bytes"], str(cell.get("path") or "").replace("\\", "/").rsplit("/", 1)[-1])
    if isinstance(cell, bytes):
        return Picture(cell)
    if isinstance(cell, str) and (start := _DATA_URL.match(cell)):
        try:
            return Picture(base64.b64decode(cell[start.end() :], validate=True))
        except binascii.Error:
            return None
    return None


def image_value(cell: Any) -> bytes | None:
    """The encoded file of an image cell (see `picture`); `None` where there is none."""
    found = picture(cell)
    return found.data if found else None


def answers_value(cell: Any, context: Any) -> Answers | None:
    """The answers of one question as `{"text": [...], "answer_start": [...]}`; `None` where the row cannot be used.

    A cell holds them as SQuAD has them (an object of lists, or a list of objects, also written out; see `parsed`), or
    as bare texts, which are looked up in the context. Empty lists mean that the context does not answer the question.
    An answer whose place is wrong is moved to where its text stands nearest; without any place it makes the row
    unusable.
    """
    if not isinstance(context, str):
        return None
    pairs = _pairs(parsed(cell))
    if pairs is None:
        return None
    found = [(text, place) for text, start in pairs if (place := _place(text, start, context)) is not None]
    if pairs and not found:
        return None
    return {"text": [text for text, _ in found], "answer_start": [place for _, place in found]}


def is_answers(cell: Any) -> bool:
    """Whether a cell has SQuAD's form, as an object or a list of objects, also written out."""
    value = parsed(cell)
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, Mapping) and "text" in one and "answer_start" in one


def target_value(cell: Any) -> str | None:
    """A text to write: the cell's text, or the lines of a list of texts; `None` where there is none."""
    if isinstance(cell, list) and all(isinstance(one, str) for one in cell):
        cell = "\n".join(cell)
    return str(cell) if isinstance(cell, str | int | float) and str(cell).strip() else None


def language_of(column: str | None) -> str | None:
    """The language that the name of a column tells, as `translation.en` and `text_fra_Latn` do; else `None`."""
    match = re.fullmatch(r"(?:.*[._])?([a-z]{2}(?:[_-][A-Z]{2})?|[a-z]{3}_[A-Z][a-z]{3})", column or "")
    return match[1] if match else None


def digest(value: Any) -> str:
    """What stands for bytes where a row is written as JSON to be compared: `orjson.dumps(row, default=digest)`."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"{type(value).__name__} is no value of a row")


def _pairs(value: Any) -> list[tuple[str, int | None]] | None:
    """Each answer with its place where one is given; `None` for what is no answers."""
    if isinstance(value, str):
        return [(value, None)] if value.strip() else None
    if isinstance(value, Mapping) and isinstance(value.get("text"), str):
        value = [value]
    if isinstance(value, Mapping):
        texts, starts = value.get("text"), value.get("answer_start")
        if not isinstance(texts, list):
            return None
        places = starts if isinstance(starts, list) and len(starts) == len(texts) else [None] * len(texts)
        value = [{"text": text, "answer_start": place} for text, place in zip(texts, places, strict=True)]
    if not isinstance(value, list):
        return None
    objects = [one if isinstance(one, Mapping) else {"text": one} for one in value]
    if not all(isinstance(one.get("text"), str) and one["text"].strip() for one in objects):
        return None
    return [(one["text"], _whole(one.get("answer_start"))) for one in objects]


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _place(text: str, start: int | None, context: str) -> int | None:
    """Where an answer begins: as given where that is right, else nearest to it, else first; `None` if nowhere."""
    if start is not None and start >= 0 and context.startswith(text, start):
        return start
    places = [match.start() for match in re.finditer(re.escape(text), context)]
    return min(places, key=lambda place: abs(place - (start or 0)), default=None)
