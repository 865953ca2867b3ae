"""Cards as people write them, for the tests of the editor; none is anybody's own."""

from __future__ import annotations

HAND_WRITTEN = """---
# What the Hub reads.
license: apache-2.0   # asked the legal team, 2026-03
language:
    - en
    - no        # Norwegian
    - "de"
pipeline_tag: 'text-classification'
tags: [sentiment, "film: reviews", generated_from_trainer]  # found by these
datasets:
- starter/reviews

# shown on the page
widget:
- text: >-
    A film that
    one remembers.
  example_title: Folded
- text: |
    Two lines,
      the second indented.

  example_title: "Kept"
  output:
  - {label: good, score: 0.98}
  - {label: bad, score: 0.02}
- text: plain words that
    go on in the next line
  example_title: Several lines
my_own_key: {kept: as it is, "and": [1, 0x10, 1e3, ~]}
extra_gated_fields:
  I agree to use this model for research only: checkbox
  Country.of residence: country
co2_eq_emissions: 12.5 # grams
thumbnail:
---

# Films

What it is.

## Intended uses & limitations

Only films.

```python
# Not a heading
print("## nor this")
```

Training data
-------------

Many reviews.

### Rows

| a | b |
|---|---|
| 1 | 2 |

<!--
## Hidden
-->

## Evaluation results

Good.

## Usage

First.

## Usage

Second.
"""

MODEL_INDEX = """---
model-index:
- name: films
  results:
  - task:
      type: text-classification
      name: Sentiment
    dataset:
      type: starter/reviews
      name: X one
      args: {held_out: 0.2}
    metrics:
    - type: accuracy
      value: 0.9
      name: Accuracy
    source:
      name: one
      url: https://one.example
  - task:
      type: text-classification
    dataset:
      type: starter/reviews
      name: X two
    metrics:
    - type: accuracy
      value: 0.8
- name: films
  results: []
license: mit
license: other
---
# Films
"""

ODD_YAML = """---
# odd
? complex key
: its value
base: &base {a: 1, b: [x, y]}
again: *base
merged:
  <<: *base
  c: 3
tagged: !!str 5
nulls: [~, null, ]
'quoted key': "double \\
  continued"
"": empty key
emoji: 😀 # 🎉
1: number
deep:
- - - a
    - b
  - c
- ? q
  : r
end: |+
  kept

...
---

text
"""

LARGE = (
    "---\nlicense: mit # first\nlanguage: en\nmodel-index:\n- name: large\n  results:\n"
    + "".join(
        f"  - task: {{type: fill-mask}}\n    dataset:\n      type: set-{n}\n      name: 'Set {n}' # number {n}\n"
        f"    metrics:\n    - type: accuracy\n      value: 0.{n + 100}\n"
        for n in range(120)
    )
    + "tags:\n- last\n---\n\n# Large\n\n"
    + "".join(f"## Section {n}\n\nWhat is known of it, in a sentence of some length.\n\n" for n in range(2000))
)

CARDS = {
    "by hand": HAND_WRITTEN,
    "by hand, of Windows": HAND_WRITTEN.replace("\n", "\r\n"),
    "by hand, with a mark of byte order": "\ufeff" + HAND_WRITTEN,
    "two model-indexes": MODEL_INDEX,
    "odd": ODD_YAML,
    "odd, of Windows": ODD_YAML.replace("\n", "\r\n"),
    "large": LARGE,
    "one line": "---\n{license: mit, tags: [a, b], language: en}\n---",
    "moved in": "---\n  license: mit\n  tags:\n    - a\n    - b\n---\n# T",
    "comments only": "---\n# license: to be chosen\n---\n# T\n",
    "no metadata": "# Films\n\nText.\n",
    "no metadata, of Windows": "# Films\r\n\r\nText.",
    "empty": "",
    "CR": "---\rlicense: mit\rtags:\r- a\r---\n# T\r",
    "trailing white space": "---   \nx\n---\n",
}


def card(front: str, body: str = "# Title\n") -> str:
    """A card of this metadata and this text."""
    return f"---\n{front}\n---\n{body}"
