"""Where the rows come from, what was done to them, and what they hold."""

from __future__ import annotations

from typing import Any

from components.service.cards.facts import Note, Recorded, data_name, noted_table
from components.service.cards.markdown import code, plain, row, table

#: Labels whose rows are counted in the table.
LABELS = 50
#: What each remedy did to how many rows.
_REMEDIES = {
    "mend_encoding": "{} with letters of a wrong encoding were mended",
    "drop_missing": "{} whose label is a word for a missing value were left out",
    "drop_duplicates": "{} that repeat an earlier one were left out of train",
    "drop_contradictions": "{} that read the same and have different labels were left out of train",
    "drop_leaks": "{} that read the same as one that is evaluated on were left out of train",
    "drop_rare": "{} of rare classes were left out or lost that label",
    "drop_unknown_labels": "{} with a label that train does not have were left out of what is evaluated on",
}


def data_section(run: Recorded, note: Note) -> str:
    """Source, columns, rows of each split, fingerprint, what was left out and mended; rows of each label."""
    told = noted_table(note, ("", ""), [*_source(run), *_splits(run), *_treated(run), *_sizes(run)])
    labels = _labels(run, note)
    return f"{told}\n\n{labels}" if labels else told


Told = list[tuple[tuple[str, str], str]]


def _source(run: Recorded) -> Told:
    data, facts = run.spec["data"], run.facts
    name = code(data_name(data))
    rows: Told = [(("Source", name if data.get("dataset") else f"a file, {name}"), "spec.data")]
    if len(data.get("files") or []) > 1:
        rows = [(("Source", plain(data_name(data))), "spec.data")]
    named = {"Configuration": "config", "Revision": "revision"}
    rows += [((title, code(data[key])), f"spec.data.{key}") for title, key in named.items() if data.get(key)]
    columns = facts.get("columns", {}).items()
    return rows + [((f"Column of the {role}", code(column)), f"facts.columns.{role}") for role, column in columns]


def _splits(run: Recorded) -> Told:
    facts = run.facts
    rows: Told = []
    for split, count in run.rows.items():
        called = facts.get("splits", {}).get(split)
        # Of a data set every split is named, like its configuration and revision; files have none but their names.
        named = called and (called != split or run.spec["data"].get("dataset"))
        of = f", the data's split {code(called)}" if named else ""
        rows.append(((f"Rows for {split}", f"{count:,}{of}"), f"facts.rows.{split}"))
    rows.append((("Fingerprint of the rows", code(facts.get("data_fingerprint"))), "facts.data_fingerprint"))
    if not facts.get("validation_given"):
        rows.append((("Validation", held_out(run)), "spec.validation"))
    return rows


def held_out(run: Recorded) -> str:
    """Which rows were held out of those to train on."""
    held = run.spec["validation"]
    whole = "validation" not in run.facts.get("shared_contexts", {})
    contexts = "whole contexts with all their questions" if whole else "singly, since there are few contexts"
    kind = {
        "regression": "of the rows, spread over the order of their numbers, ",
        "multi": "of the rows, grouped by their rarest label, ",
        "token-classification": "of the rows, grouped by their rarest tag, ",
        "question-answering": f"of the rows, {contexts}, ",
    }.get(run.kind, "of each label " if run.state["labels"] else "")
    much = f"{100 * held:g} % {kind}" if held < 1 else f"{held:,.0f} rows "
    return f"{much}held out with seed {run.spec['seed']}"


def _treated(run: Recorded) -> Told:
    facts = run.facts
    dropped, repeats = facts.get("dropped", 0), facts.get("duplicates", 0)
    said = f"{_rows(dropped)} that lack what is read or learned, {repeats:,} exact repeats"
    rows: Told = [(("Left out", said), "facts.dropped")]
    for name, count in facts.get("remedied", {}).items():
        rows.append((("Remedy", _REMEDIES[name].format(_rows(count))), f"facts.remedied.{name}"))
    for number, remark in enumerate(facts.get("notes") or []):
        rows.append((("Remark", plain(remark)), f"facts.notes[{number}]"))
    return rows


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _sizes(run: Recorded) -> Told:
    """How long the examples are, and into what the rows were made."""
    facts = run.facts
    rows: Told = []
    for name, title in (("tokens", "Tokens of an example"), ("target_tokens", "Tokens of a target")):
        if size := facts.get(name):
            learned = f", {size['learned']:,} of them learned from" if "learned" in size else ""
            said = f"median {size['median']:,}, longest {size['longest']:,}, {size['total']:,} in all{learned}"
            rows.append(((title, said), f"facts.{name}"))
    for name, title in (("blocks", "Blocks"), ("chats", "Chats"), ("windows", "Windows of contexts")):
        if facts.get(name):
            rows.append(((title, _by_split(facts[name])), f"facts.{name}"))
    if facts.get("unanswered"):
        rows.append((("Questions without an answer", _by_split(facts["unanswered"])), "facts.unanswered"))
    if facts.get("shared_contexts"):
        said = f"{_by_split(facts['shared_contexts'])} are about a context of train"
        rows.append((("Questions that share a context", said), "facts.shared_contexts"))
    if facts.get("words"):
        rows.append((("Words learned from", f"{facts['words']:,}"), "facts.words"))
    return rows


def _by_split(counts: dict[str, int]) -> str:
    return ", ".join(f"{split} {count:,}" for split, count in counts.items())


def _labels(run: Recorded, note: Note) -> str:
    """Rows of each label in each split; of a tag, words."""
    counts: dict[str, dict[str, Any]] = run.facts.get("label_counts", {})
    labels = run.state["labels"]
    if not labels or not counts:
        return ""
    head = ("Tag" if run.task == "token-classification" else "Label", *counts)
    cells = [(code(label), *(f"{counts[s].get(label, 0):,}" for s in counts)) for label in labels[:LABELS]]
    for number, one in enumerate(cells):
        note(row(one), f"facts.label_counts[{number}]")
    left = f"\n\nand {len(labels) - LABELS:,} more labels." if len(labels) > LABELS else ""
    return table(head, cells) + left
