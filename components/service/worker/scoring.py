"""Outputs held against gold answers. Worker only (scikit-learn, sacrebleu, rouge-score, jiwer)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from components.service.tasks import TaskSpec
from components.service.tasks.answers import answer, span_label
from components.service.worker.columns import label_name

#: Most labels that a confusion matrix is made of.
MOST_LABELS = 100
_NONE = "There is no metric for {} here."
_NO_SPANS = (
    "Gold spans are a list of {start, end, label} for each row, as JSON, and the model's are whole entities: set "
    "aggregation_strategy to simple."
)


def score(spec: TaskSpec, labels: Sequence[str], pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """The metrics of a task.

    Args:
        spec: The task.
        labels: The labels that the model knows, in its own order; empty where it has none.
        pairs: Output and gold answer of each row that has both.

    Returns:
        `{rows, ...}`, with `note` where something is to be told. For labels: `accuracy` with `accuracy_low` and
        `accuracy_high` (95 %), macro `f1`, `labels`, `per_class`, `confusion` (rows: gold, columns: predicted); of a
        model with one label: `mse`, `mae`, `pearson`. For spans: `precision`, `recall`, `f1` of whole
        spans. For answers: `exact_match` and `f1` of words, as SQuAD has them. For texts: `exact_match`, and of a
        summary `rouge1`, `rouge2`, `rougeL`, of a translation `bleu` and `chrf` (0 to 100), of speech
        `word_error_rate` and `character_error_rate`. For fills: `accuracy`, and `found`, the share of gold tokens
        among all that were returned.
    """
    if spec.output == "labels":  # an empty cell is no label
        pairs = [pair for pair in pairs if label_name(pair[1]) is not None]
    if not pairs:
        return {"rows": 0, "note": "No row has both an output and a gold answer."}
    if spec.output == "labels":
        found = _regression(pairs) if len(labels) == 1 else _labels(labels, pairs)
    elif spec.output == "spans":
        found = _spans(pairs)
    elif spec.output in ("answers", "cells"):
        found = _answers(spec, pairs)
    elif spec.output in ("text", "speech"):
        found = _texts(spec, [str(answer(spec.output, output) or "").strip() for output, _ in pairs], pairs)
    elif spec.output == "fills":
        found = _fills(pairs)
    else:
        found = {"note": _NONE.format(spec.title.lower())}
    return {"rows": len(pairs), **found}


def _labels(known: Sequence[str], pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    from components.service.runs import metrics

    predicted = [str(output[0]["label"]) for output, _ in pairs]
    given = [str(one["label"]) for output, _ in pairs for one in output]
    names = list(dict.fromkeys([*known, *sorted(given)]))
    gold = [_known(value, names) for _, value in pairs]
    strange = sorted(set(gold) - set(names))
    present = {*gold, *predicted}
    labels = [name for name in [*names, *strange] if name in present]
    ids = {name: i for i, name in enumerate(labels)}
    gold_ids, predicted_ids = [ids[one] for one in gold], [ids[one] for one in predicted]
    result: dict[str, Any] = {**metrics.scores(gold_ids, predicted_ids), "labels": labels}
    if len(labels) <= MOST_LABELS:
        result |= metrics.compared(gold_ids, predicted_ids, labels)
    if strange:
        result["note"] = (
            f"The model has no label {', '.join(strange[:5])}, so such rows count as wrong. Its labels are "
            f"{', '.join(names[:10])}."
        )
    return result


def _known(gold: Any, names: Sequence[str]) -> str:
    """A gold label by the model's name of it: the same, the same but for case, or its number."""
    text = label_name(gold) or ""
    if text in names:
        return text
    folded = {name.casefold(): name for name in names}
    if text.casefold() in folded:
        return folded[text.casefold()]
    return names[int(text)] if text.isdecimal() and len(text) < 9 and int(text) < len(names) else text


def _regression(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    import numpy

    numbers = [(float(output[0]["score"]), _number(gold)) for output, gold in pairs]
    told = [(one, two) for one, two in numbers if two is not None]
    if not told:
        return {"note": "The model gives one number for each row, and no gold answer is a number."}
    ours, gold = zip(*told, strict=True)
    apart = [one - two for one, two in told]
    varied = len(set(ours)) > 1 and len(set(gold)) > 1
    return {
        "mse": _mean([one * one for one in apart]),
        "mae": _mean([abs(one) for one in apart]),
        "pearson": float(numpy.corrcoef(ours, gold)[0, 1]) if varied else None,
    }


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _spans(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    right = ours = theirs = 0
    for output, gold in pairs:
        marked = _gold_spans(gold)
        if marked is None or any("entity" in one for one in output):
            return {"note": _NO_SPANS}
        made = {(one["start"], one["end"], span_label(one)) for one in output}
        right, ours, theirs = right + len(made & marked), ours + len(made), theirs + len(marked)
    precision, recall = right / max(1, ours), right / max(1, theirs)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _gold_spans(gold: Any) -> set[tuple[int, int, str]] | None:
    value = _json(gold)
    if not isinstance(value, list) or not all(map(_is_span, value)):
        return None
    return {(one["start"], one["end"], span_label(one).removeprefix("B-")) for one in value}


def _is_span(value: Any) -> bool:
    return isinstance(value, dict) and all(type(value.get(name)) is int for name in ("start", "end"))


def _answers(spec: TaskSpec, pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    from components.service.runs.text_metrics import answer_scores

    said = [answer(spec.output, output) or "" for output, _ in pairs]
    scores = answer_scores(said, [_accepted(gold) for _, gold in pairs])
    return {name: _mean(values) for name, values in scores.items()}


def _accepted(gold: Any) -> list[str]:
    """The answers that count as right: one text, a list of them, or SQuAD's `{text: [...]}`; none is the empty text."""
    value = _json(gold)
    value = value.get("text", []) if isinstance(value, dict) else value
    return ([str(one) for one in value] or [""]) if isinstance(value, list) else [str(value)]


def _texts(spec: TaskSpec, made: list[str], pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Texts against gold texts, by the measures that the task is known by; each library is imported when asked for."""
    gold = [str(one).strip() for _, one in pairs]
    found: dict[str, Any] = {"exact_match": _mean([one == two for one, two in zip(made, gold, strict=True)])}
    if spec.name == "summarization":
        from rouge_score.rouge_scorer import RougeScorer

        kinds = ("rouge1", "rouge2", "rougeL")
        scored = [RougeScorer(kinds, use_stemmer=True).score(two, one) for one, two in zip(made, gold, strict=True)]
        found |= {kind: _mean([one[kind].fmeasure for one in scored]) for kind in kinds}
    elif spec.name in ("translation", "text2text-generation"):
        import sacrebleu

        found |= {
            "bleu": sacrebleu.corpus_bleu(made, [gold]).score,
            "chrf": sacrebleu.corpus_chrf(made, [gold]).score,
        }
    elif spec.output == "speech" and all(gold):
        import jiwer

        low_made, low_gold = [one.lower() for one in made], [one.lower() for one in gold]
        found |= {
            "word_error_rate": jiwer.wer(low_gold, low_made),
            "character_error_rate": jiwer.cer(low_gold, low_made),
        }
    return found


def _fills(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    simple = [(output, str(gold).strip()) for output, gold in pairs if output and isinstance(output[0], dict)]
    if len(simple) < len(pairs):
        return {"note": "Metrics are given for texts with one mask."}
    tokens = [([str(one["token_str"]).strip() for one in output], gold) for output, gold in simple]
    return {
        "accuracy": _mean([made[0] == gold for made, gold in tokens]),
        "found": _mean([gold in made for made, gold in tokens]),
    }


def _json(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
