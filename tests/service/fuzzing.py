"""Arguments for the app's endpoints as a hostile or a clumsy caller makes them: right ones, spoiled ones, and junk."""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

CLASSIFIER, GENERATOR = "local/classifier", "local/generator"
CARD = """---
license: mit
language: [en, fr]
pipeline_tag: text-classification
tags: [films]
datasets: [ada/films]
base_model: bert-base-uncased
model-index:
- name: films
  results:
  - task: {type: text-classification}
    dataset: {name: Films, type: ada/films}
    metrics: [{type: accuracy, value: 0.9}]
---
# Films

![poster](poster.png) <b>warm</b> [more](https://example.org)

## Limitations and bias

None known.
"""
CSV = 'text,label\n"warm, and long",good\nawful,bad\n'
JSONL = '{"text": "warm", "label": 1}\n{"text": "awful", "label": 0}\n'
EVIL = [
    "", " ", "\x00", "\ud800", "\u202e", "\ufeff", "é" * 40, "-", "--", ".", "..", "../..", "/etc/passwd", "C:\\x",
    "file:///x", "http://127.0.0.1:9/", "a/b", "a/b/c", "a@main", "datasets/a/b", "runs/x", "local/",
    "local/../classifier", "%2e%2e%2f", "{{ cycler }}", "{% for i in range(9) %}a{% endfor %}",
    "<img src=x onerror=alert(1)>", "javascript:alert(1)", "${x}", "=cmd|' /C calc'!A0", "&a [*a]",
    "!!python/object:os.system x", "? :", "- - -", "---\n", "{", "[", '"', "'", "`" * 50, "*" * 200, "[" * 200,
    "(" * 200, "1e999", "nan", "-0", "0x1", "99999999999999999999", "true", "null", "main", "hf_" + "z" * 34,
    "a" * 97, "x" * 3000, "\n" * 300, "word " * 500, "None", "__proto__", "con", "\\", "%s", "%n", "{0}", "\r\n",
    "\x1b[31m",
]  # fmt: skip

#: Right values of every parameter that an endpoint has, by its name.
SEEDS: dict[str, list[Any]] = {
    "task": ["text-classification", "text-generation", "fill-mask", "feature-extraction", "question-answering"],
    "model": [CLASSIFIER, GENERATOR, "ada/kept", "bob/hidden", ""],
    "models": [[CLASSIFIER, CLASSIFIER + "@main"], [CLASSIFIER, GENERATOR]],
    "inputs": ["I love this film", ["a", "b"], {"text": "a"}, {"question": "who?", "context": "Ada"}],
    "output": [[{"label": "good", "score": 0.9}]],
    "parameters": [None, {"top_k": 2}, {"max_new_tokens": 2, "do_sample": True, "seed": 1}, {"stop": ["a"]}],
    "revision": [None, "main", "a" * 40],
    "rows": [["I love it", "I hate it"], [{"text": "a"}], {"text": CSV}, {"text": JSONL}],
    "gold": [None, "label", ["good", "bad"]],
    "forced": [None, [{"step": 0, "id": 5}]],
    "labels": [None, ["a", "b"]],
    "text": [CARD, "I love this film", "# A card\n"],
    "text_pair": [None, "and that one"],
    "texts": [["a text", "another"], [["a", "b"]]],
    "ids": [[5, 6, 7], [[5], [6]], "5, 6"],
    "messages": [[{"role": "user", "content": "Hello"}]],
    "query": ["films", "a"],
    "options": [None, {"start": 0, "count": 5}, {"template": "{{ messages }}"},
                {"padding": "max_length", "max_length": 4}, {"mode": "regex"},
                {"problem": "single", "seed": 1, "validation": 0.2}],
    "source": [{"text": CSV}, {"text": JSONL}, {"dataset": "ada/rows"}],
    "columns": [None, {"text": "text", "label": "label"}],
    "dataset": ["ada/rows", "ada/none"],
    # Nothing can be trained on these rows: a spec that passes starts no process.
    "spec": [{"task": "text-classification", "model": CLASSIFIER, "data": {"text": "text,label\n"}, "epochs": 1}],
    "repo": ["ada/kept", "ada/made", "bob/hidden", ""],
    "to": ["ada/moved", "bob/moved"],
    "confirm": ["ada/made", ""],
    "run": ["r" + "0" * 30], "run_id": ["r" + "0" * 30], "run_or_model": ["r" + "0" * 30, CLASSIFIER, "ada/kept"],
    "run_ids": [["r" + "0" * 30, "r" + "1" * 30]],
    "changes": [None, {"seed": 1}, [{"field": "license", "value": "mit"}], [{"section": "Films", "text": "new"}],
                [{"rename": "tags", "to": "labels"}]],
    "how": ["stop", "best", "epoch", "discard"],
    "place": [1, 2], "tail": [1000], "after": [0], "limit": [5], "hours": [None, 0.5],
    "job": ["f" * 24], "flavor": ["cpu-basic"], "provider": ["auto"],
    "view": ["pipeline", "stages", "tokenize", "decode", "finetune", "card", "collate", "chat"],
    "arguments": [{"task": "text-classification", "model": CLASSIFIER, "inputs": "a"},
                  {"model": CLASSIFIER, "text": "a"}],
    "files": [None, ["README.md", "a/b.txt"], [{"file": "UPLOAD", "path": "a.txt"}]],
    "sources": [None, [{"field": "license", "value": "mit", "source": "config"}]],
    "kind": ["languages", "licenses", "tasks", "libraries", "metrics"],
    "before": [CARD], "base": [CARD], "mine": [CARD], "theirs": [CARD + "\nmore\n"],
    "card": ["", CARD], "message": ["", "A change"], "parent_commit": ["", "a" * 40],
    "private": [True, False], "update": [False, True], "create_pr": [False, True], "create": [False, True],
    "fits": [False],
    "repo_type": ["model", "dataset", "space"],
    "path": ["README.md", "a/b.txt"], "branch": ["try"], "tag": ["v1"],
    "language": ["", "en"], "library": ["", "transformers"], "license": ["", "mit"], "sort": ["downloads", "likes"],
    "author": ["", "ada"], "owner": ["", "ada"], "sdk": ["", "gradio"], "cursor": [""],
    "filters": [None, {"task": "fill-mask"}],
    "token": ["", "hf_ada"],
}  # fmt: skip
#: Parameters that mean another thing in one endpoint.
OWN: dict[tuple[str, str], list[Any]] = {
    ("diff_card", "after"): [CARD.replace("mit", "apache-2.0")],
    ("edit_card_results", "rows"): [
        [{"task": "text-classification", "dataset": "ada/films", "metric": "f1", "value": 1}]
    ],
    ("inspect_data", "task"): ["text-classification", "token-classification", "text-generation"],
}

_texts = st.one_of(st.sampled_from(EVIL), st.text(max_size=40), st.text(st.sampled_from(string.printable), max_size=80))
_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([10**400, -(2**63), 2**64, -1, 0]), st.floats(), _texts
)
junk = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_texts, inner, max_size=4)),
    max_leaves=6,
)


@st.composite
def spoiled(draw: Callable[..., Any], seed: Any) -> Any:
    """A right value with one part of it changed, dropped, doubled or joined by another."""
    value = copy.deepcopy(seed)
    holder, key = _part(draw, value)
    if holder is None:
        return _spoil_leaf(draw, value)
    change = draw(st.sampled_from(["leaf", "junk", "drop", "more"]))
    if change == "leaf":
        holder[key] = _spoil_leaf(draw, holder[key])
    elif change == "junk":
        holder[key] = draw(junk)
    elif change == "drop":
        del holder[key]
    elif isinstance(holder, dict):
        holder[draw(_texts)] = draw(junk)
    else:
        holder.extend([draw(junk)] if draw(st.booleans()) else holder * draw(st.integers(1, 300)))
    return value


def _part(draw: Callable[..., Any], value: Any) -> tuple[Any, Any]:
    """A place inside a value: the list or the object that holds it, and where; None for the value itself."""
    holder, key = None, None
    while isinstance(value, dict | list) and value and (holder is None or draw(st.booleans())):
        holder = value
        key = draw(st.sampled_from(sorted(value))) if isinstance(value, dict) else draw(st.integers(0, len(value) - 1))
        value = value[key]
    return holder, key


def _spoil_leaf(draw: Callable[..., Any], leaf: Any) -> Any:
    if not isinstance(leaf, str) or not leaf:
        return draw(junk)
    start = draw(st.integers(0, len(leaf)))
    end = draw(st.integers(start, min(len(leaf), start + 20)))
    return leaf[:start] + draw(_texts) + leaf[end:]


def argument(endpoint: str, name: str) -> st.SearchStrategy[Any]:
    """Values of one argument of an endpoint: mostly right, so that what is wrong elsewhere is reached."""
    seeds = OWN.get((endpoint, name), SEEDS.get(name))
    if seeds is None:
        raise KeyError(f"The parameter {name} of {endpoint} has no right values here yet.")
    right = st.sampled_from(seeds)
    return st.one_of(right, right, right.flatmap(spoiled), right.flatmap(spoiled), junk)


tables = st.one_of(
    st.sampled_from([CSV, JSONL]).flatmap(spoiled).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([CSV, JSONL]).map(lambda text: text.encode("utf-16")),
    st.lists(st.dictionaries(_texts, junk, max_size=3), max_size=4).map(
        lambda rows: "\n".join(json.dumps(row) for row in rows).encode()
    ),
    st.binary(max_size=200),
    st.sampled_from(
        [b"PAR1" + b"\0" * 20 + b"PAR1", b"PK\x03\x04" + b"\0" * 30, b"\x1f\x8b\x08" + b"\0" * 20, b"," * 5000]
    ),
)
_ends = st.sampled_from([".csv", ".jsonl", ".json", ".tsv", ".parquet", ".png", ""])
names = st.one_of(_texts, st.tuples(_texts, _ends).map("".join))


@st.composite
def uploads(draw: Callable[..., Any], folder: Path) -> dict[str, Any]:
    """A file that was uploaded, with content and a name of any kind."""
    file = folder / ("d" * 64) / "upload"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(draw(tables))
    return {"file": str(file), "name": draw(names)}
