"""Cards without fault are left alone: good metadata, texts that agree with it, whole cards, the starter models' own."""

from __future__ import annotations

from pathlib import Path

import pytest
from card_samples import card

from components.service.cards.checks import check

STARTERS = Path(__file__).parent.parent.parent / "components" / "starter" / "repos" / "models" / "starter"


AGREE = [
    ("license: bsd-3-clause", "Released under the BSD license."),
    ("license: mit", "The training data is licensed under CC-BY-4.0."),
    ("license: mit", "The licence of this model lets you do what you like."),
    ("license: other\nlicense_name: x\nlicense_link: y", "Licensed under the MIT license, with exceptions."),
    ('language: "no"', "Language: Norwegian Bokmål"),
    ("language: multilingual", "Languages: English, German"),
    ("language: zh-Hans", "Language: Chinese"),
    ("pipeline_tag: sentence-similarity", "```python\npipeline('feature-extraction')\n```"),
    ("pipeline_tag: translation", "```python\npipeline('translation_en_to_fr')\n```"),
    ("pipeline_tag: fill-mask", "```python\npipeline('ner')\npipeline('fill-mask')\n```"),
    ("base_model: google-bert/bert-base-uncased", "A fine-tuned version of [bert-base-uncased](https://x.y)."),
    ("base_model: a/b", "A fine-tuned version of the well-known one."),
    ("base_model: A/B", "Fine-tuned\nfrom a/b."),
]


@pytest.mark.parametrize(("front", "body"), AGREE, ids=[row[1][:40] for row in AGREE])
def test_text_and_metadata_that_agree_are_left_alone(front: str, body: str) -> None:
    found = check(card(front, body))
    assert not [one for one in found if "The text" in one["message"] or "The code" in one["message"]]


@pytest.mark.parametrize(
    "front",
    ["license: mit", 'language: "no"', "language: [en, fr, multilingual]", "license: other\nlicense_name: mine",
     "tags: [a, b]", "datasets: glue", "base_model: [a/b, c/d]", "x_mine: 3", "date: 2026-01-01", "language: yue",
     "inference: {parameters: {top_k: 3}}", "co2_eq_emissions: {emissions: 3, source: guess}",
     "extra_gated_fields: {Name: text, Use: {type: select, options: [a, b]}}", "language: ger",
     "pipeline_tag: text-generation\nwidget: [{messages: [{role: user, content: Hi}]}]"],
)  # fmt: skip
def test_good_metadata_has_no_errors(front: str) -> None:
    assert [one for one in check(card(front)) if one["level"] == "error"] == []


@pytest.mark.parametrize("name", sorted(path.name for path in STARTERS.iterdir()))
def test_the_cards_of_the_starter_models_are_without_fault(name: str) -> None:
    files = [str(path.relative_to(STARTERS / name)) for path in (STARTERS / name).rglob("*") if path.is_file()]
    assert check((STARTERS / name / "README.md").read_text("utf-8"), files=files) == []


GOOD_CARDS = {
    "an adapter": """---
# Kept as it is.
base_model: meta-llama/Llama-3.2-1B
base_model_relation: adapter
library_name: peft
license: llama3.2
language:
- en
- de
pipeline_tag: text-generation
metrics: [perplexity]
tags: [lora, "my:tag"]
widget:
- text: Once upon a time
  example_title: A tale
---

# Tales

A LoRA adapter that tells short tales in English and German.

## Intended uses and limitations

For play. It makes things up.

## How to use

```python
from transformers import pipeline

pipe = pipeline("text-generation", model="me/tales")
```

## Training data

Tales of the [Gutenberg library](https://gutenberg.org), see the [list](data/list.txt).

## Training procedure

Three epochs.

## Results

| metric | value |
|---|---|
| perplexity | 12.3 |
""",
    "an image model of a company": """---
license: other
license_name: acme-research-1.0
license_link: LICENSE.md
pipeline_tag: image-classification
library_name: timm
datasets:
- imagenet-1k
metrics:
- accuracy
co2_eq_emissions:
  emissions: 1200.5
  source: codecarbon
  training_type: pre-training
extra_gated_prompt: Please tell us who you are.
extra_gated_fields:
  Company: text
  Country: country
  I agree: checkbox
widget:
- src: examples/cat.jpg
  example_title: Cat
model-index:
- name: acme-vit
  results:
  - task:
      type: image-classification
    dataset:
      name: ImageNet-1k
      type: imagenet-1k
      config: default
      split: validation
    metrics:
    - type: accuracy
      value: 81.2
    source:
      name: Our report
      url: https://example.org/report
---
# Model Card for acme-vit

<!-- Provide a quick summary. -->

Sorts pictures into the thousand classes of ImageNet.

## Uses

### Direct Use

Sorting pictures.

### Out-of-Scope Use

Faces.

## Bias, Risks, and Limitations

It knows the things that ImageNet knows.

## How to Get Started with the Model

~~~python
import timm
# A comment in code is no heading.
model = timm.create_model("hf_hub:acme/acme-vit", pretrained=True)
~~~

## Training Details

### Training Data

ImageNet-1k.

### Training Procedure

300 epochs.

## Evaluation

![Accuracy by epoch](./images/accuracy.png)

Top-1 accuracy on the validation split is 81.2 %.
""",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD_CARDS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_good_card_is_left_alone(name: str, newline: str) -> None:
    files = ["README.md", "LICENSE.md", "images/accuracy.png", "examples/cat.jpg", "data/list.txt"]
    text = GOOD_CARDS[name].replace("\n", newline)
    assert check(text, files=files) == []
    assert check(text) == []
