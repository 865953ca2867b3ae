"""Cards are checked without a network: every mistake with its line, its field, and where it can be a remedy."""

from __future__ import annotations

import re
from typing import Any

import pytest
from card_samples import card

from components.service.cards.checks import ASK, check
from components.service.cards.edit import edit

Found = dict[str, Any]

RESULT = "model-index:\n- name: m\n  results:\n  - task: {type: fill-mask}\n    dataset: {%s}\n    metrics: [%s]"
METRIC = "{type: accuracy, value: 0.9}"
TYPE = "model-index[0].results[0].dataset.type"
DATASET = "type: a/b, name: B"

#: Metadata, the field of the finding, its line, what it says, and whether one click mends it.
MISTAKES: list[tuple[str, str, int, str, bool]] = [
    ("licence: mit", "licence", 2, "means license", True),
    ("License: mit", "License", 2, "means license", True),
    ("licens: mit", "licens", 2, "means license", True),
    ("a: 1\npipeline-tag: fill-mask  # the task", "pipeline-tag", 3, "means pipeline_tag", True),
    ("dataset: a/b", "dataset", 2, "means datasets", True),
    ("license: mit\nlicence: mit", "licence", 3, "license is given too", True),
    ("license: mit\nlicence: isc", "licence", 3, "license is given too", False),
    ("license: mitt", "license", 2, "not a licence.*Write mit", True),
    ("license: Apache License 2.0", "license", 2, "Write apache-2.0", True),
    ("license: GPLv3", "license", 2, "Write gpl-3.0", True),
    ("license: CC BY-SA 4.0", "license", 2, "Write cc-by-sa-4.0", True),
    ("license: my-own-terms", "license", 2, "not a licence.*license_name", False),
    ("license: 5", "license", 2, "one identifier", False),
    ("license: [mit]", "license", 2, "is a list", True),
    ("license:", "license", 2, "No licence", False),
    ("tags:", "tags", 2, "is empty", True),
    ("license: other", "license_name", 2, "no name", False),
    ("license: other\nlicense_name: mine", "license_link", 2, "where to read it", False),
    ("license: mit\nlicense_name: mine", "license_name", 3, "only where license is other", True),
    ("language: no", "language", 2, "Python reads no as false", True),
    ("language: [en, no]", "language[1]", 2, "Python reads no as false", True),
    ("language:\n- en\n- no", "language[1]", 4, "Python reads no as false", True),
    ("tags:\n- a\n- On", "tags[1]", 4, "Python reads On as true", True),
    ("language: english", "language", 2, "not a language code.*Write en", True),
    ("language: Deutsch", "language", 2, "Write de", True),
    ("language: Portugese", "language", 2, "Write pt", True),
    ("language: 5", "language", 2, "must be a text", False),
    ("language: e", "language", 2, "not a language code", False),
    ("language: xx", "language", 2, "no code of ISO 639", False),
    ("language: [en, zht]", "language[1]", 2, "no code of ISO 639", False),
    ("language: pt-BR", "language", 2, "filter goes by pt", True),
    ("language: [en, en]", "language", 2, "given twice", True),
    ("pipeline_tag: sentiment-analysis", "pipeline_tag", 2, "Write text-classification", True),
    ("pipeline_tag: text_generation", "pipeline_tag", 2, "Write text-generation", True),
    ("pipeline_tag: named-entity-recognition", "pipeline_tag", 2, "Write token-classification", True),
    ("pipeline_tag: painting", "pipeline_tag", 2, "not a task", False),
    ("pipeline_tag: [fill-mask]", "pipeline_tag", 2, "must be a text", False),
    ("library_name: Transformers", "library_name", 2, "Write transformers", True),
    ("library_name: homemade", "library_name", 2, "not among the libraries", False),
    ("metrics: [accurcy]", "metrics[0]", 2, "accuracy is", True),
    ("metrics: {a: 1}", "metrics", 2, "a text or a list of texts", False),
    ("tags: {a: 1}", "tags", 2, "list", False),
    ("tags: good", "tags", 2, "list of texts", True),
    ("tags: a, b", "tags", 2, "list of texts", True),
    ("tags: [a, 5]", "tags[1]", 2, "must be a text", True),
    ("tags:\n- a\n- b\n- a  # again", "tags", 2, "a is given twice", True),
    ("datasets: [my data]", "datasets[0]", 2, "name of a repository", False),
    ("datasets:\n- null", "datasets[0]", 3, "is empty", True),
    ("datasets: [a/b, null]", "datasets[1]", 2, "is empty", True),
    ("datasets: https://huggingface.co/datasets/a/b", "datasets", 2, "name of a repository", True),
    ("base_model: 3", "base_model", 2, "must be a text", False),
    ("base_model: https://huggingface.co/a/b", "base_model", 2, "name of a repository", True),
    ("base_model: a/b\nbase_model_relation: finetuned", "base_model_relation", 3, "no relation", True),
    ("base_model: a/b\nbase_model_relation: child", "base_model_relation", 3, "no relation", False),
    ("base_model_relation: finetune", "base_model", 2, "without base_model", True),
    ("base_model_relation: adapter", "base_model", 2, "without base_model", True),
    ("library_name: peft", "base_model", 2, "only on its base model", False),
    ("license: mit\nlicense: apache-2.0", "license", 3, "given twice", True),
    ("widget:\n- text: a\n  text: b", "widget[0].text", 4, "given twice", True),
    ("extra: {a: 1}\nlicense: mit\nextra: {a: 1}", "extra", 4, "given twice", True),
    ("a: &x [1, 2]\nb: *x", "b", 3, "alias", True),
    ("a: &x {c: 1}\nb: {<<: *x, d: 2}", "b", 3, "alias or a merge", True),
    ("a: &x {c: 1}\nb:\n- *x\n- 2", "b[0]", 3, "alias", True),
    ("license: !!str mit", "license", 2, "tag", True),
    ("inference: 'false'", "inference", 2, "true or false", True),
    ("inference: 3", "inference", 2, "true or false", False),
    ("co2_eq_emissions: 12 g", "co2_eq_emissions", 2, "must be a number", True),
    ("co2_eq_emissions:\n  emissions: '0.5'\n  source: code carbon", "co2_eq_emissions.emissions", 3, "number", True),
    ("co2_eq_emissions: little", "co2_eq_emissions", 2, "must be a number", False),
    ("co2_eq_emissions: {emissions: 5, place: x}", "co2_eq_emissions.place", 2, "does not read place", False),
    ("extra_gated_fields: [Name]", "extra_gated_fields", 2, "labels with kinds", False),
    ("extra_gated_fields:\n  Name: txt", "extra_gated_fields.Name", 3, "no kind of field", True),
    ("extra_gated_fields:\n  I agree: true", "extra_gated_fields.I agree", 3, "no kind of field", True),
    ("extra_gated_fields:\n  Use:\n    type: select", "extra_gated_fields.Use", 3, "no list of options", False),
    ("extra_gated_prompt: 5", "extra_gated_prompt", 2, "must be a text", True),
    ("model-index: x", "model-index", 2, "must be a list", False),
    ("model-index: [{results: []}]", "model-index[0].name", 2, "is required", True),
    ("model-index: [{name: a, results: {}}]", "model-index[0].results", 2, "must be a list", False),
    ("model-index: [{name: a, results: [3]}]", "model-index[0].results[0]", 2, "keys with values", False),
    (RESULT % ("type: a/b", METRIC), "model-index[0].results[0].dataset.name", 6, "is required", True),
    (RESULT % (DATASET + ", config: 1", METRIC), "model-index[0].results[0].dataset.config", 6, "must be a text", True),
    (
        RESULT % ("type: a b c, name: n", METRIC),
        "model-index[0].results[0].dataset.type",
        6,
        "cannot be the type",
        True,
    ),
    (RESULT % (DATASET, "{type: f1}"), "model-index[0].results[0].metrics[0].value", 7, "is required", False),
    (RESULT % (DATASET, "{value: 1}"), "model-index[0].results[0].metrics[0].type", 7, "is required", False),
    (RESULT % (DATASET, "{type: f1, value: '0.9'}"), "model-index[0].results[0].metrics[0].value", 7, "a text", True),
    (RESULT % (DATASET, ""), "model-index[0].results[0].metrics", 7, "no metrics", False),
    (
        RESULT % (DATASET, METRIC) + "\n    source: {name: me}",
        "model-index[0].results[0].source.url",
        8,
        "is required",
        False,
    ),
    (
        RESULT % (DATASET, METRIC)
        + "\n  - task: {type: fill-mask}\n    dataset: {type: a/b, name: B}\n    metrics: [{type: f1, value: 1}]",
        "model-index[0].results[1]",
        8,
        "merges them",
        True,
    ),
    (
        RESULT % (DATASET, METRIC)
        + "\n  - task: {type: fill-mask}\n    dataset: {type: a/b, name: C}\n    metrics: [{type: f1, value: 1}]",
        "model-index[0].results[1]",
        8,
        "merges them",
        False,
    ),
    (
        RESULT.replace("fill-mask", "ner") % (DATASET, METRIC),
        "model-index[0].results[0].task.type",
        5,
        "token-cl",
        True,
    ),
    ("widget: {text: a}", "widget", 2, "list of examples", True),
    ("widget: [a]", "widget[0]", 2, "keys with values", False),
    ("pipeline_tag: question-answering\nwidget:\n- text: Who?", "widget[0]", 4, "needs text and context", False),
    (
        "pipeline_tag: question-answering\nwidget:\n- question: Who?\n  context: Me.",
        "widget[0]",
        4,
        "needs text and context",
        True,
    ),
    ("pipeline_tag: image-classification\nwidget:\n- url: https://a.b/c.png", "widget[0]", 4, "needs src", True),
    (
        "pipeline_tag: zero-shot-classification\nwidget:\n- text: a\n  candidate_labels: [x, y]",
        "widget[0].candidate_labels",
        5,
        "commas between",
        True,
    ),
    ("pipeline_tag: text-classification\nwidget:\n- text: 5", "widget[0].text", 4, "must be a text", True),
    ("pipeline_tag: fill-mask\nwidget:\n- text: no gap", "widget[0].text", 4, "no mask", False),
    ("- a\n- b", "card", 2, "keys with values", False),
    ("just a text", "card", 2, "keys with values", False),
    ("a: 1\nb: [1", "card", 3, "not valid YAML", False),
    ("a: 1\nb: : 1", "card", 3, "not valid YAML", False),
    ("a: !!python/object/apply:os.system [ls]", "card", 2, "unsupported tag", False),
    ("a: !mine 5", "card", 2, "unsupported tag", False),
    ("a: &a [*a]", "card", 2, "too deeply", False),
    ("a: " + "[" * 3000, "card", 2, "too deeply", False),
    ("a: \x00", "card", 2, "not valid YAML", False),
    ("a: 0x" + "f" * 5000, "card", 2, "too large", False),
    ("a: " + "x" * 100_001, "card", 2, "longer than 100,000", False),
    ('a: "\u2028\x85"\nlicence: mit', "licence", 3, "means license", True),
]


def of(found: list[Found], field: str) -> list[Found]:
    return [one for one in found if one["field"] == field]


def kinds(found: list[Found]) -> set[tuple[str, str, str]]:
    """Findings by what they are about, without their lines, which a remedy may move."""
    return {(one["level"], one["field"], re.sub(r"\d+", "", one["message"])) for one in found}


@pytest.mark.parametrize(("front", "field", "line", "said", "mends"), MISTAKES, ids=[row[0][:40] for row in MISTAKES])
def test_a_mistake_in_the_metadata_is_told_with_its_line(
    front: str, field: str, line: int, said: str, mends: bool
) -> None:
    found = of(check(card(front)), field)
    assert found, check(card(front))
    matching = [one for one in found if re.search(said, f"{one['message']} {one['fix']}")]
    assert matching, found
    assert matching[0]["line"] == line
    assert bool(matching[0]["remedy"]) == mends


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("row", [row for row in MISTAKES if row[4]], ids=[row[0][:40] for row in MISTAKES if row[4]])
def test_a_remedy_ends_its_finding_and_brings_no_other(row: tuple[str, str, int, str, bool], newline: str) -> None:
    front, field, _, said, _ = row
    text = card(front).replace("\n", newline)
    before = check(text)
    finding = next(one for one in of(before, field) if re.search(said, f"{one['message']} {one['fix']}"))
    after = check(edit(text, finding["remedy"]))
    gone = (finding["level"], finding["field"], re.sub(r"\d+", "", finding["message"]))
    assert gone not in kinds(after), edit(text, finding["remedy"])
    assert kinds(after) - kinds(before) == set(), edit(text, finding["remedy"])


#: Front matter, text, files, the field, what is said, and whether one click mends it.
TEXTS: list[tuple[str, str, list[str] | None, str, str, bool]] = [
    ("license: mit", "Released under the Apache 2.0 license.", None, "license", "names the licence apache-2.0", True),
    ("license: mit", "- **License:** cc-by-4.0\n", None, "license", "names the licence cc-by-4.0", True),
    ("tags: []", "This model is licensed under [MIT](LICENSE).", None, "license", "No licence is given", True),
    ("language: en", "- **Language(s) (NLP):** German, French\n", None, "language", "lists de, fr", True),
    ("language: en", "Languages: English and German", None, "language", "lists en, de", True),
    (
        "pipeline_tag: fill-mask",
        "```python\nfrom transformers import pipeline\n\npipe = pipeline('ner', model='a/b')\n```",
        None,
        "pipeline_tag",
        "for token-classification",
        True,
    ),
    (
        "model-index: [{name: m, results: [{task: {type: fill-mask}, dataset: {type: d, name: n}, metrics: []}]}]",
        "A text.",
        None,
        "pipeline_tag",
        "No task is given",
        True,
    ),
    ("license: mit", "[Chinese](README_zh.md)", ["README.md"], "body", "no README_zh.md", True),
    ("license: mit", "```python\npipeline(task='ner')\n```", None, "pipeline_tag", "No task is given", True),
    (
        "base_model: a/b",
        "This model is a fine-tuned version of [c/d](https://huggingface.co/c/d) on data.",
        None,
        "base_model",
        "made from c/d, the metadata a/b",
        True,
    ),
    ("license: mit", "Fine-tuned from `distilbert-base-uncased`.", None, "base_model", "made from distilbert", True),
    ("library_name: peft", "A fine-tuned version of c/d.", None, "base_model", "only on its base model", True),
    ("license: mit", "A text.", ["adapter_config.json"], "base_model", "only on its base model", False),
    ("license: mit", "[the config](confg.json)", ["config.json"], "body", "no confg.json", True),
    ("license: mit", "![curve](plots/loss.png) here", ["README.md"], "body", "no plots/loss.png", True),
    ("license: mit", "![curve](loss.png)", ["images/loss.png"], "body", "no loss.png", True),
    ("license: mit", '<img src="loss.png" width="3">', ["README.md"], "body", "no loss.png", False),
    ("license: mit", "See [this](./resolve/main/a%20b.txt#x).", ["README.md"], "body", "no a b.txt", True),
    ("license: mit\nthumbnail: t.png", "A text.", ["README.md"], "thumbnail", "no t.png", False),
    ("license: mit", "```python\nx = 1", None, "body", "never closed", True),
    ("license: mit", "~~~~\nx = 1\n~~~\n", None, "body", "never closed", True),
    ("license: mit", "## Notes\n\n## Results\n\nGood.\n", None, "body", "'Notes' is empty", True),
    ("license: mit", "## How to use\n\n## Results\n\nGood.\n", None, "body", "'How to use' is empty", False),
    ("license: mit", "## Results\n\n[More Information Needed]", None, "body", "Still to be filled in", False),
    ("license: mit", f"## Results\n\n> {ASK} How good?", None, "body", "filled in: How good", False),
    ("license: mit", "pipeline(model='your-name/your-model')", None, "body", "your-name/your-model", False),
    ("license: mit", "Nothing.", None, "body", "no section on: Evaluation results", False),
]


@pytest.mark.parametrize(
    ("front", "body", "files", "field", "said", "mends"), TEXTS, ids=[row[1][:40].strip() for row in TEXTS]
)
def test_a_mistake_in_the_text_is_told_and_mended(
    front: str, body: str, files: list[str] | None, field: str, said: str, mends: bool
) -> None:
    text = card(front, f"# Title\n\nA model for the test of its card.\n\n{body}")
    before = check(text, files=files)
    finding = next((one for one in of(before, field) if said in one["message"]), None)
    assert finding, before
    assert 1 <= finding["line"] <= text.count("\n") + 1
    assert bool(finding["remedy"]) == mends
    if mends:
        mended = edit(text, finding["remedy"])
        after = check(mended, files=files)
        assert not [one for one in of(after, field) if said in one["message"]], mended
        assert kinds(after) - kinds(before) == set(), mended


def test_a_licence_file_serves_as_the_link_of_another_licence() -> None:
    text = card("license: other\nlicense_name: mine")
    assert of(check(text, files=["README.md"]), "license_link")
    assert not of(check(text, files=["README.md", "LICENSE"]), "license_link")


def test_a_card_without_metadata_gets_what_its_text_tells() -> None:
    text = "# Names\n\nLicensed under the MIT license.\n\n```python\npipeline('ner')\n```\n"
    finding = check(text)[0]
    assert "no metadata" in finding["message"]
    assert edit(text, finding["remedy"]).startswith("---\nlicense: mit\npipeline_tag: token-classification\n---\n")


@pytest.mark.parametrize("text", ["", "# Only a title", "--- \nlicense: mit", "---", "\n\n"])
def test_a_card_without_metadata_is_told(text: str) -> None:
    assert "no metadata" in check(text)[0]["message"]
    assert check(text)[0]["level"] == "error"


def test_open_places_and_missing_or_empty_sections_are_told_with_their_lines() -> None:
    text = "---\nlicense: mit\nlanguage: en\npipeline_tag: text-classification\n---\n# Films\n"
    text += "\n## Training data\n\n## How to use\n\n[More Information Needed]\n\n```python\nx\n"
    told = {(problem["line"], problem["message"]) for problem in check(text)}
    assert (8, "The section 'Training data' is empty.") in told
    assert (12, "Still to be filled in: [More Information Needed]") in told
    assert any("never closed" in message for _, message in told)
    assert any("Evaluation results" in message for _, message in told)
