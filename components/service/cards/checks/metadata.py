"""The metadata as a whole: its keys, what must not be in YAML here, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.cardrules.keys import KEYS, MISSPELT
from components.cardrules.names import nearest, task_of
from components.cardrules.paths import below
from components.cardrules.rules import TEXTS
from components.cardrules.snapshots import snapshot
from components.service.cards.checks.agreement import Said
from components.service.cards.checks.card import Card, value_at
from components.service.cards.checks.findings import Change, Findings, drop, put, rename, shown

#: Keys of which it is told elsewhere that they are missing, or that may be null.
_MAY_BE_EMPTY = ("license", "language", "pipeline_tag", "instance_prompt", *TEXTS)
#: Kinds of tasks that need no language.
_WORDLESS = ("cv", "tabular", "rl")
_LICENCE_FILES = ("license", "licence", "copying")
#: What YAML 1.1 takes these words for.
_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def check_metadata(card: Card, said: Said, found: Findings) -> None:
    """Look over the keys, and for what is missing.

    Args:
        card: The card.
        said: What its text says.
        found: Where findings go.
    """
    if card.source is None:
        fix = "Begin the card with a line ---, then keys such as license: mit, then a line ---."
        message = "The card has no metadata, so the Hub cannot find it by task or language."
        found.tell("error", 1, "card", message, fix, list(_told(said)))
        return
    if card.unreadable:
        message, line = card.unreadable
        found.tell("error", line, "card", message, "Correct this line; indent by spaces and quote odd values.")
        return
    _check_yaml(card, found)
    for number, key in enumerate(card.values):
        if number < 1000:
            _check_key(key, card, found)
    _check_missing(card, said, found)
    _check_licence_name(card, found)
    _check_base(card, said, found)


def _told(said: Said) -> Iterator[Change]:
    """What the text tells of the metadata that a card should have."""
    for key, value in (("license", said.licence), ("language", said.languages), ("pipeline_tag", said.task)):
        if value:
            yield put(key, value[0] if isinstance(value, list) and len(value) == 1 else value)


def _check_yaml(card: Card, found: Findings) -> None:
    for path, line in card.reading.twice.items():
        message = f"{shown(path)} is given twice; only the last one counts."
        remedy = [put(path, value_at(card.values, path))]
        found.tell("error", card.top + line, path, message, "Delete one of them.", remedy)
    for path, line in card.reading.expanding.items():
        message = "An alias or a merge of YAML stands here. It can expand to very much, and many readers refuse it."
        found.tell(
            "warning", card.top + line, path or "card", message, "Write the value out.", _written_out(card, path)
        )
    for path, line in card.reading.tagged.items():
        message = "A YAML tag stands here (!…), which the Hub's own reader may refuse."
        fix = "Delete the tag; quote what is a text."
        found.tell("warning", card.top + line, path or "card", message, fix, _written_out(card, path))
    for path, line in card.reading.doubtful.items():
        word = value_at(card.values, path)
        message = f"The Hub reads {word} as a text, but Python reads {word} as {_TRUTHS[word.lower()]}."
        fix = 'Norwegian must be quoted: "no".' if path.startswith("language") else "Put it in quotes."
        found.tell("warning", card.top + line, path, message, fix, [put(path, word)])


def _written_out(card: Card, path: str) -> list[Change] | None:
    """The changes that write a value anew; of one in a list the whole list, since an entry cannot leave a gap."""
    while path.endswith("]") and not path.endswith('"]'):
        path = path[: path.rindex("[")]
    if path:
        return [drop(path), put(path, value_at(card.values, path))]
    taken_in = [key for key in card.values if below("", key) not in card.reading.lines]
    return [drop("<<"), *(put(below("", key), card.values[key]) for key in taken_in)] if taken_in else None


def _check_key(key: str, card: Card, found: Findings) -> None:
    if key in KEYS:
        return
    path = below("", key)
    line, lowered = card.line(path), key.lower().replace("-", "_")
    right = MISSPELT.get(lowered) or next((known for known in KEYS if known.replace("-", "_") == lowered), None)
    right = right or nearest(key, KEYS, 0.85)
    if not right:
        message = f"The Hub does not know the key {shown(key)}; it is kept as it is."
        found.tell("info", line, path, message, "Nothing needs to be done.")
    elif right not in card.values:
        message = f"The Hub does not read {shown(key)}; it means {right}."
        found.tell("error", line, path, message, f"Write {right}: instead.", [rename(path, right)])
    else:
        message = f"The Hub does not read {shown(key)}, and {right} is given too."
        same = card.values[key] == card.values[right]
        found.tell("error", line, path, message, f"Delete it; {right} counts.", [drop(path)] if same else None)


def _check_missing(card: Card, said: Said, found: Findings) -> None:
    values = card.values
    if values.get("license") is None and not any(MISSPELT.get(key.lower()) == "license" for key in values):
        fix = "Add license: with an identifier such as apache-2.0; without one nobody may use the model."
        remedy = [put("license", said.licence)] if said.licence else None
        found.tell("warning", card.line("license"), "license", "No licence is given.", fix, remedy)
    if values.get("language") is None and _has_texts(values.get("pipeline_tag")):
        fix = "Add language: with a code such as en, if the model reads or writes a language."
        codes = said.languages
        remedy = [put("language", codes[0] if len(codes) == 1 else codes)] if codes else None
        found.tell("info", card.line("language"), "language", "No language is given.", fix, remedy)
    if values.get("pipeline_tag") is None:
        fix = "Add pipeline_tag: with a task such as text-classification."
        message = "No task is given, so the Hub's task filter misses the model."
        task = said.task or _task_of_results(values.get("model-index"))
        remedy = [put("pipeline_tag", task)] if task else None
        found.tell("warning", card.line("pipeline_tag"), "pipeline_tag", message, fix, remedy)
    for key in KEYS:
        if key in values and values[key] is None and key not in _MAY_BE_EMPTY:
            found.tell("info", card.line(key), key, f"{key} is empty.", "Fill it in, or delete it.", [drop(key)])


def _task_of_results(index: object) -> str | None:
    """The task of the evaluation results, if they are all of one."""
    models = [model for model in index if isinstance(model, dict)] if isinstance(index, list) else []
    results = [one for model in models if isinstance(model.get("results"), list) for one in model["results"]]
    tasks = [one["task"].get("type") for one in results if isinstance(one, dict) and isinstance(one.get("task"), dict)]
    same = tasks[0] if tasks and all(task == tasks[0] for task in tasks) else None
    return task_of(same) if isinstance(same, str) else None


def _has_texts(task: object) -> bool:
    """Whether a model of a task may read or write a language; also where the task is not known."""
    return not isinstance(task, str) or "text" in task or snapshot("tasks").more["modality"].get(task) not in _WORDLESS


def _licence_file(card: Card) -> str | None:
    """The repository's file with the text of its licence, if its files are known."""
    names = sorted(card.files or ())
    return next((name for name in names if name.lower().partition(".")[0] in _LICENCE_FILES), None)


def _check_licence_name(card: Card, found: Findings) -> None:
    values = card.values
    if values.get("license") == "other":
        line, file = card.line("license"), _licence_file(card)
        if not values.get("license_name"):
            fix = "Add license_name, such as my-licence-1.0."
            found.tell("error", line, "license_name", "The licence is other, but has no name.", fix)
        if not values.get("license_link") and not file:
            message = "The licence is other, but nothing tells where to read it."
            found.tell(
                "warning", line, "license_link", message, "Add license_link, or a LICENSE file to the repository."
            )
    elif "license" in values:
        for key in ("license_name", "license_link"):
            if key in values:
                message = f"{key} counts only where license is other."
                found.tell("info", card.line(key), key, message, f"Delete {key}, or write license: other.", [drop(key)])


def _check_base(card: Card, said: Said, found: Findings) -> None:
    values = card.values
    if values.get("base_model"):
        return
    relation = values.get("base_model_relation")
    named: Sequence[Change] | None = [put("base_model", said.base)] if said.base else None
    if relation:
        line, message = card.line("base_model_relation"), "base_model_relation is given without base_model."
        fix = "Add base_model: with the model that this one was made from."
        found.tell("error", line, "base_model", message, fix, named or [drop("base_model_relation")])
    elif values.get("library_name") == "peft" or "adapter_config.json" in (card.files or ()):
        message = "An adapter works only on its base model, and none is named."
        fix = "Add base_model: with the model that the adapter was trained on."
        found.tell("error", card.line("library_name"), "base_model", message, fix, named)
    elif said.base:
        message = f"The text says that the model was made from {shown(said.base)}; the metadata names no base model."
        fix = f"Add base_model: {shown(said.base)}."
        found.tell("info", said.base_line, "base_model", message, fix, named)
