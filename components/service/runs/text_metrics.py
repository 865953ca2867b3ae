"""Figures for texts held against gold texts: answers, summaries, translations. Training process and worker only."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.service.runs.intervals import at_least_wilson, bootstrap, named

ROUGE = ("rouge1", "rouge2", "rougeL")
#: How sacrebleu cuts texts of languages whose words have no spaces between them, by the code before any `_` or `-`.
_CUTS = {"zh": "zh", "zho": "zh", **dict.fromkeys(("ja", "jpn", "ko", "kor", "th", "tha"), "char")}
#: rouge-score reads the letters a to z alone; texts with a larger share of others are cut by Unicode's rules.
_OTHER_LETTERS = 0.01
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")


def answer_words(text: str) -> list[str]:
    """The words of an answer as SQuAD's evaluation compares them: no case, punctuation or articles."""
    plain = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def word_f1(one: Sequence[str], two: Sequence[str]) -> float:
    """F1 of the words of two answers (Rajpurkar et al., 2016)."""
    if not one or not two:
        return float(list(one) == list(two))
    common = sum((Counter(one) & Counter(two)).values())
    return 2 * common / (len(one) + len(two))


def answer_scores(said: Sequence[str], accepted: Sequence[Sequence[str]]) -> dict[str, list[float]]:
    """`exact_match` and `f1` of each answer with the accepted one that is nearest; no accepted one means no answer."""
    scores: dict[str, list[float]] = {"exact_match": [], "f1": []}
    for text, gold in zip(said, accepted, strict=True):
        words, known = answer_words(text), [answer_words(one) for one in gold or [""]]
        scores["exact_match"].append(float(words in known))
        scores["f1"].append(max(word_f1(words, one) for one in known))
    return scores


def summary_scores(made: Sequence[str], gold: Sequence[str]) -> dict[str, list[float]]:
    """ROUGE's F measure of each summary (Lin, 2004): of words, pairs of words, and the longest common sequence."""
    from rouge_score.rouge_scorer import RougeScorer

    letters = [letter for text in gold for letter in text if letter.isalpha()]
    other = sum(not letter.isascii() for letter in letters)
    cut = _Words() if other > _OTHER_LETTERS * len(letters) else None
    scorer = RougeScorer(ROUGE, use_stemmer=cut is None, tokenizer=cut)
    scored = [scorer.score(two, one) for one, two in zip(made, gold, strict=True)]
    return {name: [one[name].fmeasure for one in scored] for name in ROUGE}


class _Words:
    """Cuts a text into words of any script; of those written without spaces, into letters."""

    def tokenize(self, text: str) -> list[str]:
        """The words, in small letters."""
        return _WORD.findall(text.lower())


def means(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean of each score from 0 to 1 with its 95 % interval, `NAME_low` and `NAME_high`."""
    names = list(scores)
    added = np.array([scores[name] for name in names], dtype=float).T
    bands = bootstrap(added, lambda sums: {name: sums[:, i] / len(added) for i, name in enumerate(names)})
    found = {name: math.fsum(values) / len(values) for name, values in scores.items()}
    return {**found, **named({name: at_least_wilson(found[name], bands[name], len(added)) for name in names})}


def translation_scores(made: Sequence[str], gold: Sequence[str], language: str | None = None) -> dict[str, float]:
    """`bleu` (Papineni et al., 2002) and `chrf` (Popović, 2015) of all texts together, from 0 to 100 as sacrebleu has
    them, with their 95 % intervals.

    Args:
        language: Code of the language of the translations, which decides what a word is.
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    metrics = {"bleu": BLEU(tokenize=cut_of(language)), "chrf": CHRF()}
    return {key: value for name, one in metrics.items() for key, value in _corpus(name, one, made, gold).items()}


def cut_of(language: str | None) -> str:
    """How sacrebleu is told to cut texts of a language into words."""
    return _CUTS.get(re.split(r"[_-]", language or "")[0].lower(), "13a")


def _corpus(name: str, metric: Any, made: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    added = np.array(metric._extract_corpus_statistics(list(made), [list(gold)]), dtype=float)

    def figure(sums: np.ndarray) -> dict[str, np.ndarray]:
        return {name: np.array([metric._compute_score_from_stats(one).score for one in sums.tolist()])}

    return {name: float(figure(added.sum(0)[None])[name][0]), **named(bootstrap(added, figure))}
