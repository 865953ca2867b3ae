"""What stands in the metadata: what the Hub refuses, said for people, and what it takes but cannot use."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

from components.cardrules.keys import GATED_FIELDS, RELATIONS
from components.cardrules.names import language_of, nearest, nearest_licence, task_of
from components.cardrules.paths import below
from components.cardrules.rules import ID, Broken, broken, listed
from components.cardrules.snapshots import snapshot
from components.service.cards.checks.card import Card, value_at
from components.service.cards.checks.findings import MOST_ALIKE, Change, Findings, drop, put, shown

_ADDRESS = re.compile(r"https?://[^/\s]+/(?:datasets/|models/)?([\w.-]+/[\w.-]+)(?:[/?#].*)?", re.ASCII)
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:g|gco2|gco2eq|grams?)?\s*(?:of co2)?\s*", re.IGNORECASE)
_SHORT = re.compile(r"[a-z]{2,3}", re.ASCII)
_NOT_SLUG = re.compile(r"[^\w./-]+", re.ASCII)
_GATED_TEXTS = (
    "extra_gated_prompt", "extra_gated_heading", "extra_gated_button_content", "extra_gated_description",
)  # fmt: skip
#: What the Hub shows of the emissions of a training, beside the grams.
_EMISSIONS = ("source", "training_type", "geographical_location", "hardware_used", "hardware_type")


def check_fields(card: Card, found: Findings) -> None:
    """Look over the values of the metadata."""
    alike: Counter[tuple[str, str]] = Counter()
    for one in broken(card.values):
        kind = (one.path.partition("[")[0], one.rule)
        alike[kind] += 1
        if alike[kind] > MOST_ALIKE:
            found.leave_out()
        else:
            _tell(one, card, found)
    _check_languages(card, found)
    _check_relation(card, found)
    _check_lists(card, found)
    _check_task(card, found)
    _check_emissions(card, found)
    _check_gating(card, found)
    inference = card.values.get("inference")
    if inference is not None and not isinstance(inference, bool | dict):
        said = str(inference).strip().lower()
        remedy = [put("inference", said == "true")] if said in ("true", "false") else None
        fix = "Write inference: false, or parameters: with their values under it."
        found.tell(
            "error", card.line("inference"), "inference", "inference must be true or false, or a mapping.", fix, remedy
        )


def _tell(one: Broken, card: Card, found: Findings) -> None:
    """Say a broken rule of the Hub for people."""
    if one.rule == "type":
        message, fix, remedy = _type(one, card)
    elif one.rule in ("required", "empty"):
        message, fix, remedy = _required(one, card)
    else:
        message, fix, remedy = _value(one)
    found.tell("error", card.line(one.path), one.path, message, fix, remedy)


Told = tuple[str, str, list[Change] | None]


def _type(one: Broken, card: Card) -> Told:
    path, value = one.path, one.value
    key = path.partition("[")[0]
    if value is None:
        return f"{path} is empty.", "Fill it in, or delete it.", [_without_nulls(path, key, card)]
    if key == "license":
        return "The licence must be one identifier.", "Write for example license: apache-2.0.", None
    if one.wanted == "a string" and not isinstance(value, dict | list):
        remedy = None if key in ("language", "base_model", "datasets", "pipeline_tag") else [put(path, str(value))]
        return f"{path} must be a text, but YAML reads {shown(value)} as something else.", "Put it in quotes.", remedy
    if key == "tags" and isinstance(value, str):
        remedy = [put(path, [part.strip() for part in value.split(",") if part.strip()])]
        return "tags must be a list of texts.", "Write each tag on a line of its own: - my-tag.", remedy
    if path == "widget" and isinstance(value, dict):
        return "widget must be a list of examples.", "Begin each example with a dash: - text: ...", [put(path, [value])]
    fixes = {
        "tags": "Write each tag on a line of its own: - my-tag.",
        "metrics": "Write for example - accuracy.",
        "model-index": "Give a list of - name: ..., results: [{task, dataset, metrics}].",
        "widget": "Give a list of examples, such as - text: Hello.",
    }
    wanted = {"a string": "a text", "an array": "a list", "a string or an array": "a text or a list of texts"}
    said = wanted.get(one.wanted, "keys with values" if "object" in one.wanted else one.wanted)
    return f"{path} must be {said}.", fixes.get(key, "Correct what stands here."), None


def _without_nulls(path: str, key: str, card: Card) -> Change:
    """The change that takes an empty value away, of a list all of them; a list of nothing else goes itself."""
    items = card.values.get(key)
    if not isinstance(items, list) or not re.fullmatch(r"\[\d+\]", path[len(key) :]):
        return drop(path)
    rest = [item for item in items if item is not None]
    return put(key, rest) if rest else drop(key)


def _required(one: Broken, card: Card) -> Told:
    path = one.path
    owner, _, name = path.rpartition(".")
    remedy = None
    values = card.values
    if path.endswith(".task.type") and isinstance(values.get("pipeline_tag"), str):
        remedy = [put(path, values["pipeline_tag"])]
    elif path.endswith(".dataset.name"):
        kind = value_at(values, owner).get("type")
        remedy = [put(path, kind)] if isinstance(kind, str) and kind.strip() else None
    elif re.fullmatch(r"model-index\[\d+\]\.name", path) and (title := _title(card)):
        remedy = [put(path, title)]
    fixes = {
        "type": "Name it, such as accuracy for a metric or a/b for a data set.",
        "value": "Give the figure.",
        "url": "Add its address, or delete its name.",
        "metrics": "Add - type: accuracy and value: 0.9.",
    }
    return f"{path} is required.", fixes.get(name, f"Add {name}."), remedy


def _title(card: Card) -> str:
    """The card's own title."""
    line = next((line for line in card.prose if line.startswith("# ")), "")
    return line[2:].strip(" #")[:96]


def _value(one: Broken) -> Told:
    path, value = one.path, str(one.value)
    said = shown(value)
    if one.rule == "licence":
        right = nearest_licence(value)
        hint = f"Write {right}." if right else "Choose one, or write other, with license_name."
        return f"{said} is not a licence that the Hub knows.", hint, [put(path, right)] if right else None
    if one.rule == "language":
        right = (language_of(value) if len(value) > 3 else None) or nearest_language(value)
        if right:
            return f"{said} is not a language code.", f"Write {right}.", [put(path, right)]
        return f"{said} is not a language code.", "Give ISO 639 codes such as en, de or yue.", None
    if one.rule == "id":
        match = _ADDRESS.fullmatch(value.strip())
        right = match[1] if match else value.strip()
        remedy = [put(path, right)] if ID.fullmatch(right) else None
        return f"{said} is not the name of a repository.", "Write namespace/name, as on the Hub.", remedy
    if one.rule == "dataset type":
        right = _NOT_SLUG.sub("-", value).strip("-/")[:96]
        right = right if right.count("/") <= 1 else right.replace("/", "-")
        message = f"{said} cannot be the type of a data set: the Hub takes letters, digits, dots, dashes and one slash."
        return message, "Write its id, and the rest under name.", [put(path, right)] if right else None
    return f"{said} cannot stand here.", f"Choose one of {one.wanted}.", None


def nearest_language(value: str) -> str | None:
    """The code of the language whose name is nearest, of those with a two-letter code."""
    names = {name: code for code, name in snapshot("languages").names.items() if len(code) == 2}
    found = nearest(value, names, 0.8) if len(value) > 3 else None
    return names[found] if found else None


def _check_languages(card: Card, found: Findings) -> None:
    languages = snapshot("languages")
    codes = list(listed(card.values, "language"))
    for path, code in codes:
        short, _, rest = code.partition("-")
        if not _SHORT.fullmatch(short):
            continue
        if short not in languages.names and short not in languages.more["bibliographic"]:
            message = f"{shown(code)} is no code of ISO 639, so nobody who searches by language finds it."
            found.tell("warning", card.line(path), path, message, "Give ISO 639 codes such as en, de or yue.")
        elif rest:
            message = f"{shown(code)} says more than the language; the Hub's filter goes by {short}."
            known = card.values.get("language_bcp47")
            whole = [*known, code] if isinstance(known, list) else [code]
            plain = drop(path) if short in [other for _, other in codes] else put(path, short)
            fix = f"Write {short}, and the whole tag under language_bcp47."
            found.tell("info", card.line(path), path, message, fix, [plain, put("language_bcp47", whole)])


def _check_relation(card: Card, found: Findings) -> None:
    relation = card.values.get("base_model_relation")
    if relation is not None and relation not in RELATIONS:
        right = nearest(relation, RELATIONS, 0.5)
        message = f"{shown(relation)} is no relation to a base model."
        fix = f"Choose one of {', '.join(RELATIONS)}."
        remedy = [put("base_model_relation", right)] if right else None
        found.tell("error", card.line("base_model_relation"), "base_model_relation", message, fix, remedy)


def _check_lists(card: Card, found: Findings) -> None:
    values = card.values
    licences = values.get("license")
    if isinstance(licences, list) and licences:
        remedy = [put("license", licences[0])] if len(licences) == 1 and isinstance(licences[0], str) else None
        message = "The licence is a list; readers of cards expect one identifier."
        found.tell(
            "warning", card.line("license"), "license", message, "Write for example license: apache-2.0.", remedy
        )
    for key in ("tags", "datasets", "metrics", "language", "base_model"):
        items = values.get(key)
        if isinstance(items, list) and all(isinstance(item, str) for item in items) and len(set(items)) < len(items):
            again = next(item for number, item in enumerate(items) if item in items[:number])
            message = f"{shown(again)} is given twice under {key}."
            remedy = [put(key, list(dict.fromkeys(items)))]
            found.tell("warning", card.line(key), key, message, "Delete one of them.", remedy)
    known = snapshot("metrics").names
    unknown = ((path, metric) for path, metric in listed(values, "metrics") if metric not in known)
    for path, metric in islice(unknown, MOST_ALIKE):
        if right := nearest(metric, known):
            message = f"{shown(metric)} is not among the Hub's metrics; {right} is."
            found.tell("info", card.line(path), path, message, f"Write {right}, if that is meant.", [put(path, right)])


def _check_task(card: Card, found: Findings) -> None:
    tag, library = card.values.get("pipeline_tag"), card.values.get("library_name")
    tasks, libraries = snapshot("tasks").names, snapshot("libraries").names
    if isinstance(tag, str) and tag not in tasks:
        right = task_of(tag) or nearest(tag, tasks, 0.6)
        hint = f"Write {right}." if right else "Choose one such as text-classification."
        remedy = [put("pipeline_tag", right)] if right else None
        found.tell(
            "error",
            card.line("pipeline_tag"),
            "pipeline_tag",
            f"{shown(tag)} is not a task that the Hub knows.",
            hint,
            remedy,
        )
    if isinstance(library, str) and library not in libraries:
        right = nearest(library, libraries)
        message = f"{shown(library)} is not among the libraries that the Hub shows code for."
        hint = f"Write {right}, if that is meant." if right else "Keep it, if it is right."
        remedy = [put("library_name", right)] if right else None
        found.tell("info", card.line("library_name"), "library_name", message, hint, remedy)


def _check_emissions(card: Card, found: Findings) -> None:
    given = card.values.get("co2_eq_emissions")
    if given is None:
        return
    path, grams = "co2_eq_emissions", given
    if isinstance(given, dict):
        grams = given.get("emissions")
        for key in given:
            if key not in ("emissions", *_EMISSIONS):
                message = f"The Hub does not read {shown(key)} under co2_eq_emissions."
                fix = f"It reads emissions, {', '.join(_EMISSIONS)}."
                where = below(path, key)
                found.tell("info", card.line(where), where, message, fix)
        path = below(path, "emissions")
    if isinstance(grams, bool) or not isinstance(grams, int | float):
        match = _NUMBER.fullmatch(grams[:100]) if isinstance(grams, str) else None
        remedy = [put(path, float(match[1]) if "." in match[1] else int(match[1]))] if match else None
        message = "The emissions must be a number: the grams of CO2 that the training caused."
        found.tell("error", card.line(path), path, message, "Write for example emissions: 12.5.", remedy)


def _check_gating(card: Card, found: Findings) -> None:
    for key in _GATED_TEXTS:
        value = card.values.get(key)
        if value is not None and not isinstance(value, str):
            remedy = None if isinstance(value, dict | list) else [put(key, str(value))]
            found.tell("error", card.line(key), key, f"{key} must be a text.", "Put it in quotes.", remedy)
    fields = card.values.get("extra_gated_fields")
    kinds = ", ".join(GATED_FIELDS)
    if fields is None:
        return
    if not isinstance(fields, dict):
        fix = f"Write each as Label: kind, where kind is one of {kinds}."
        line = card.line("extra_gated_fields")
        found.tell("error", line, "extra_gated_fields", "extra_gated_fields must be labels with kinds.", fix)
        return
    for label, given in list(fields.items())[:100]:
        _check_gated_field(label, given, card, found)


def _check_gated_field(label: str, given: object, card: Card, found: Findings) -> None:
    kinds = ", ".join(GATED_FIELDS)
    path = below("extra_gated_fields", label)
    kind, where = (given.get("type"), f"{path}.type") if isinstance(given, dict) else (given, path)
    if kind not in GATED_FIELDS:
        right = "checkbox" if isinstance(kind, bool) else nearest(kind, GATED_FIELDS, 0.6)
        remedy = [put(where, right)] if right else None
        message = f"{shown(kind)} is no kind of field for {shown(label)}."
        found.tell("error", card.line(where), where, message, f"Choose one of {kinds}.", remedy)
    elif kind == "select" and not (isinstance(given, dict) and isinstance(given.get("options"), list)):
        message = f"{shown(label)} is to be selected, but has no list of options."
        found.tell("error", card.line(path), path, message, "Add type: select and options: with a list.")
