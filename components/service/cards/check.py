"""What is wrong with a card, found without a network: each finding with its line, its field, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any

from components.service.cards import lists
from components.service.cards.document import CARD_BYTES, Front, Unreadable, read_front, split

Problem = dict[str, Any]
_REPO = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*)")
#: Marks a question that only the author can answer; the draft leaves these, publishing should not.
ASK = "**To be answered by the author:**"
#: Stands for the repository's name until it is known.
REPO_PLACEHOLDER = "your-name/your-model"
#: What templates and drafts leave to be filled in.
PLACEHOLDERS = (
    ("[More Information Needed]", "Fill it in, or delete the line."),
    ("More information needed", "Fill it in, or delete the line."),
    (ASK, "Answer the question, or delete it if it does not apply."),
    (REPO_PLACEHOLDER, "Publishing puts the repository's name here; otherwise write it yourself."),
)


def check(text: str) -> list[Problem]:
    """Look a card over.

    Returns:
        `[{level, line, field, message, fix}]`, errors first; level is error, warning or info, line counts from 1.
    """
    found: list[Problem] = []

    def tell(level: str, line: int, field: str, message: str, fix: str) -> None:
        found.append({"level": level, "line": line, "field": field, "message": message, "fix": fix})

    if len(text.encode("utf-8", "replace")) > CARD_BYTES:
        fix = "Move long tables or logs into files of their own."
        tell("error", 1, "card", f"The card is longer than {CARD_BYTES:,} bytes.", fix)
        return found
    source, markdown = split(text)
    if source is None:
        fix = "Begin the card with a line ---, then keys such as license: mit, then a line ---."
        tell("error", 1, "card", "The card has no metadata, so the Hub cannot find it by task or language.", fix)
    try:
        front = read_front(text)
    except Unreadable as error:
        tell("error", error.line, "card", error.message, "Correct this line; indent by spaces and quote odd values.")
        front = Front()
    else:
        if source is not None:
            _check_front(front, tell)
    _check_body(text, markdown, tell)
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda problem: (order[problem["level"]], problem["line"]))


Tell = Callable[[str, int, str, str, str], None]


def _check_front(front: Front, tell: Tell) -> None:
    for key, line in front.twice.items():
        tell("error", line, key, f"{key} is given twice; only the last one counts.", "Delete one of them.")
    for key in front.values:
        _check_key(key, front.lines.get(key, 1), tell)
    for key, rule in _RULES.items():
        if key in front.values:
            line = front.lines.get(key, 1)
            for level, message, fix in rule(front.values[key]):
                tell(level, line, key, message, fix)
    values, top = front.values, front.offset
    if "license" not in values:
        fix = "Add license: with an identifier such as apache-2.0; without one nobody may use the model."
        tell("warning", top, "license", "No licence is given.", fix)
    if values.get("license") == "other" and not values.get("license_name"):
        line = front.lines["license"]
        tell(
            "error",
            line,
            "license_name",
            "The licence is other, but has no name.",
            "Add license_name and license_link.",
        )
    if "language" not in values:
        fix = "Add language: with a code such as en, if the model reads or writes a language."
        tell("info", top, "language", "No language is given.", fix)
    if "pipeline_tag" not in values:
        fix = "Add pipeline_tag: with a task such as text-classification."
        tell("warning", top, "pipeline_tag", "No task is given, so the Hub's task filter misses the model.", fix)
    if values.get("base_model_relation") and not values.get("base_model"):
        line = front.lines["base_model_relation"]
        tell("error", line, "base_model", "base_model_relation is given without base_model.", "Add base_model.")


def _check_key(key: str, line: int, tell: Tell) -> None:
    if key in lists.KEYS:
        return
    right = lists.MISSPELT.get(key.lower()) or lists.MISSPELT.get(key.lower().replace("-", "_"))
    lowered = key.lower().replace("-", "_")
    right = right or next((known for known in lists.KEYS if known.replace("-", "_") == lowered), None)
    right = right or next(iter(difflib.get_close_matches(key, lists.KEYS, 1, 0.85)), None)
    if right:
        tell("error", line, key, f"The Hub does not read {key}; it means {right}.", f"Write {right}: instead.")
    else:
        tell(
            "info", line, key, f"The Hub does not know the key {key}; it is kept as it is.", "Nothing needs to be done."
        )


Found = Iterator[tuple[str, str, str]]


def _texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _language(value: Any) -> Found:
    for code in _texts(value):
        if isinstance(code, bool):
            yield "error", "YAML reads no as false here.", 'Norwegian must be quoted: "no".'
        elif not isinstance(code, str):
            yield "error", f"{code!r} is not a language code.", "Give codes such as en, or a list of them."
        elif code.lower() in lists.LANGUAGES:
            yield "error", f"{code} is a name, not a code.", f"Write {lists.LANGUAGES[code.lower()]}."
        elif code not in ("code", "multilingual") and not _CODE.fullmatch(code):
            yield "error", f"{code} is not a language code.", "Give ISO 639 codes such as en, de or yue."


def _license(value: Any) -> Found:
    if not isinstance(value, str):
        yield "error", "The licence must be one identifier.", "Write for example license: apache-2.0."
    elif value not in lists.LICENSES:
        close = difflib.get_close_matches(value.lower(), lists.LICENSES, 1, 0.5)
        hint = f"Did you mean {close[0]}? " if close else ""
        yield "error", f"{value} is not a licence that the Hub knows.", f"{hint}Else write other, with license_name."


def _pipeline_tag(value: Any) -> Found:
    if not isinstance(value, str) or value not in lists.PIPELINE_TAGS:
        close = difflib.get_close_matches(str(value), lists.PIPELINE_TAGS, 1, 0.5)
        hint = f"Did you mean {close[0]}?" if close else "Choose one such as text-classification."
        yield "error", f"{value} is not a task that the Hub knows.", hint


def _tags(value: Any) -> Found:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        yield "error", "Tags must be a list of texts.", "Write each tag on a line of its own: - my-tag."
    elif len(set(value)) != len(value):
        yield "warning", "A tag is given twice.", "Delete one of them."


def _repos(value: Any) -> Found:
    for name in _texts(value):
        if not isinstance(name, str) or not _REPO.fullmatch(name):
            yield "error", f"{name!r} is not the name of a repository.", "Write namespace/name, as on the Hub."


def _names(value: Any) -> Found:
    if not all(isinstance(name, str) for name in _texts(value)):
        yield "error", "This must be a text or a list of texts.", "Write for example - accuracy."


def _text(value: Any) -> Found:
    if not isinstance(value, str):
        yield "error", "This must be a text.", "Put it in quotes."


def _relation(value: Any) -> Found:
    if value not in lists.RELATIONS:
        yield "error", f"{value} is no relation to a base model.", f"Choose one of {', '.join(lists.RELATIONS)}."


def _model_index(value: Any) -> Found:
    fix = "Give a list of - name: ..., results: [{task, dataset, metrics}]."
    if not isinstance(value, list) or not value:
        yield "error", "model-index must be a list.", fix
        return
    for m, model in enumerate(value):
        where = f"model-index[{m}]"
        if not isinstance(model, dict) or not isinstance(model.get("name"), str):
            yield "error", f"{where} has no name.", fix
        elif not isinstance(model.get("results"), list):
            yield "error", f"{where}.results must be a list.", fix
        else:
            for r, result in enumerate(model["results"]):
                yield from _result(f"{where}.results[{r}]", result)


def _result(where: str, result: Any) -> Found:
    if not isinstance(result, dict):
        yield "error", f"{where} must have task, dataset and metrics.", "Write these three keys."
        return
    for part, keys in (("task", ("type",)), ("dataset", ("type", "name"))):
        value = result.get(part)
        for key in keys:
            if not isinstance(value, dict) or not isinstance(value.get(key), str):
                yield "error", f"{where}.{part}.{key} is required and must be a text.", f"Add {key} under {part}."
    dataset = result.get("dataset") if isinstance(result.get("dataset"), dict) else {}
    for key in ("config", "split", "revision"):
        if key in (dataset or {}) and not isinstance((dataset or {})[key], str):
            yield "error", f"{where}.dataset.{key} must be a text.", "Put it in quotes."
    metrics = result.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        yield "error", f"{where}.metrics must be a list.", "Add - type: accuracy and value: 0.9."
        return
    for i, metric in enumerate(metrics):
        if not isinstance(metric, dict) or not isinstance(metric.get("type"), str):
            yield "error", f"{where}.metrics[{i}].type is required.", "Name the metric, such as accuracy."
        elif metric.get("value") is None:
            yield "error", f"{where}.metrics[{i}].value is required.", "Give the figure."
    source = result.get("source")
    if isinstance(source, dict) and source.get("name") and not source.get("url"):
        yield "error", f"{where}.source has a name but no url.", "Add its url."


_RULES: dict[str, Callable[[Any], Found]] = {
    "language": _language,
    "license": _license,
    "license_name": _text,
    "pipeline_tag": _pipeline_tag,
    "library_name": _text,
    "tags": _tags,
    "datasets": _repos,
    "base_model": _repos,
    "base_model_relation": _relation,
    "metrics": _names,
    "model-index": _model_index,
}


def _check_body(text: str, markdown: str, tell: Tell) -> None:
    first = text[: len(text) - len(markdown)].count("\n") + 1
    lines = markdown.split("\n")
    headings: list[tuple[int, str]] = []
    fenced, seen = False, set[str]()
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (match := _HEADING.match(line)):
            headings.append((number, match[1].strip().lower()))
        for placeholder, fix in PLACEHOLDERS:
            if placeholder in line and (placeholder != REPO_PLACEHOLDER or placeholder not in seen):
                seen.add(placeholder)
                shown = line.strip().lstrip("> ").replace(ASK, "").strip() if placeholder == ASK else placeholder
                tell("warning", first + number, "body", f"Still to be filled in: {shown[:200]}", fix)
                break
    if fenced:
        tell("warning", first + len(lines) - 1, "body", "A block of code is never closed.", "Add a line of ```.")
    for title, words in lists.SECTIONS:
        if not any(word in heading for _, heading in headings for word in words):
            tell("warning", first, "body", f"There is no section on: {title}.", f"Add a heading ## {title}.")
    ends = [*(number for number, _ in headings[1:]), len(lines)]
    for (number, heading), after in zip(headings, ends, strict=False):
        deeper = after < len(lines) and _level(lines[after]) > _level(lines[number])
        if not deeper and not any(line.strip() for line in lines[number + 1 : after]):
            tell("warning", first + number, "body", f"The section {heading!r} is empty.", "Write it, or delete it.")


def _level(line: str) -> int:
    stripped = line.lstrip()
    return len(stripped) - len(stripped.lstrip("#"))
