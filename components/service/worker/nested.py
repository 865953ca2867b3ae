"""Columns within columns, brought to the form of a table: translations by language, articles with their questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Most fields of a column of objects that become columns of their own.
MOST_FIELDS = 20


def flatten(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Each column of objects that hold texts alone, such as `translation` with `{"en", "fr"}`, as `translation.en`
    and `translation.fr`; the others as they are."""
    flat: dict[str, list[Any]] = {}
    for name, values in columns.items():
        fields = _fields(values)
        names = [f"{name}.{field}" for field in fields]
        if not fields or set(names) & set(columns):
            flat[name] = values
            continue
        for field, column in zip(fields, names, strict=True):
            flat[column] = [_text(value.get(field)) if value is not None else None for value in values]
    return flat


def questions(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """One record a question of articles in SQuAD's own form, `{"title", "paragraphs": [{"context", "qas"}]}`; `None`
    where the records are of another form."""
    found = []
    for article in records:
        paragraphs = article.get("paragraphs")
        if not isinstance(paragraphs, list) or not all(_is_paragraph(one) for one in paragraphs):
            return None
        for paragraph in paragraphs:
            for asked in paragraph["qas"]:
                kept = {key: asked.get(key) for key in ("id", "question")}
                answers = [] if asked.get("is_impossible") else asked.get("answers")
                found.append({**kept, "context": paragraph["context"], "answers": answers})
    return found or None


def _is_paragraph(value: Any) -> bool:
    questions = value.get("qas") if isinstance(value, dict) and "context" in value else None
    return isinstance(questions, list) and all(isinstance(one, dict) for one in questions)


def _fields(values: Sequence[Any]) -> list[str]:
    """The keys of objects of texts, in the order in which they come; none where anything else is among them."""
    fields: dict[str, None] = {}
    for value in values:
        if value is None:
            continue
        if not isinstance(value, dict) or not all(isinstance(one, str | None) for one in value.values()):
            return []
        fields |= dict.fromkeys(value)
        if len(fields) > MOST_FIELDS:
            return []
    return list(fields)


def _text(value: str | None) -> str | None:
    return value if value is not None and value.strip() else None
