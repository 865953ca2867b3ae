"""The metrics that one meets in model cards, now that the Hub's own list of them is gone."""

from __future__ import annotations

from typing import Any

#: Name as `evaluate.load` takes it, what it measures, and for which tasks it is usual.
_METRICS = (
    ("accuracy", "Share of the answers that are right.", "text-classification, image-classification"),
    ("precision", "Of what was labelled so, the share that is.", "text-classification, token-classification"),
    ("recall", "Of what is so, the share that was found.", "text-classification, token-classification"),
    ("f1", "Harmonic mean of precision and recall.", "text-classification, token-classification"),
    ("matthews_correlation", "Correlation of answers and labels, fair to rare classes.", "text-classification"),
    ("roc_auc", "Chance that a positive example is ranked above a negative one.", "text-classification"),
    ("pearsonr", "Linear correlation of predicted and given scores.", "sentence-similarity"),
    ("spearmanr", "Correlation of the ranks of predicted and given scores.", "sentence-similarity"),
    ("seqeval", "F1 over whole entities, not tokens.", "token-classification"),
    ("squad", "Exact match and F1 of the answer's words.", "question-answering"),
    ("exact_match", "Share of answers that are the reference to the letter.", "question-answering, text-generation"),
    ("perplexity", "How surprised a language model is: the exponential of its loss.", "text-generation, fill-mask"),
    ("bleu", "Overlap of word sequences with reference translations.", "translation"),
    ("sacrebleu", "BLEU with a fixed tokenization, so that figures compare.", "translation"),
    ("chrf", "Overlap of character sequences with the reference.", "translation"),
    ("rouge", "Overlap of words and word sequences with a reference summary.", "summarization"),
    ("bertscore", "Similarity of embeddings of answer and reference.", "summarization, translation"),
    ("wer", "Word errors for each word spoken.", "automatic-speech-recognition"),
    ("cer", "Character errors for each character spoken.", "automatic-speech-recognition"),
    ("mse", "Mean squared error.", "regression"),
    ("mae", "Mean absolute error.", "regression"),
)
_INSTEAD = (
    "The Hub's own list, huggingface_hub.list_metrics, is gone, and so are the metrics of the datasets library. "
    "Metrics are Spaces of the organization evaluate-metric now: evaluate.load(name) runs one, "
    "evaluate.list_evaluation_modules() lists them, and a card's metadata names those that were used."
)


def list_metrics() -> dict[str, Any]:
    """The usual metrics: `{"explanation", "metrics": [{"name", "measures", "tasks"}]}`."""
    rows = [{"name": name, "measures": what, "tasks": tasks.split(", ")} for name, what, tasks in _METRICS]
    return {"explanation": _INSTEAD, "metrics": rows}
