"""Figures of labels, numbers and tags: held to scikit-learn's, scipy's and seqeval's, each inside its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from seqeval.metrics import f1_score as entity_f1
from sklearn import metrics as sklearn

from components.service.runs import metrics
from components.service.runs.schemes import bioes
from components.service.runs.tags import entities, tag_details, tag_scores

IDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)
MARKS = st.integers(1, 5).flatmap(
    lambda labels: st.lists(
        st.tuples(*(st.lists(st.booleans(), min_size=labels, max_size=labels) for _ in range(2))),
        min_size=1,
        max_size=20,
    )
)
NUMBERS = st.lists(st.tuples(*(st.integers(-50, 50) for _ in range(2))), min_size=2, max_size=30)
TAGS = ["B-PER", "I-PER", "B-LOC", "I-LOC", "O"]
SENTENCES = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9), min_size=1, max_size=6
)


def bounded(figures: dict[str, float], names: Sequence[str]) -> bool:
    return all(figures[f"{n}_low"] <= figures[n] + 1e-9 and figures[n] <= figures[f"{n}_high"] + 1e-9 for n in names)


@given(IDS)
@settings(max_examples=25, deadline=None)
def test_figures_of_classes_are_sklearns_and_lie_in_their_intervals(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = map(list, zip(*pairs, strict=True))
    found = metrics.single(gold, predicted)
    for name in ("precision", "recall", "f1"):
        wanted = getattr(sklearn, f"{name}_score")(gold, predicted, average="macro", zero_division=0.0)
        assert found[name] == pytest.approx(wanted)
    varied = len({*gold, *predicted}) > 1
    assert found["matthews"] == pytest.approx(sklearn.matthews_corrcoef(gold, predicted) if varied else 0.0)
    assert bounded(found, ("accuracy", "precision", "recall", "f1", "matthews"))


@given(MARKS)
@settings(max_examples=25, deadline=None)
def test_figures_of_several_labels_are_sklearns_over_the_labels_that_occur(rows: list[Any]) -> None:
    gold, predicted = (np.array(part, dtype=int) for part in zip(*rows, strict=True))
    found = metrics.multi(gold, predicted)
    each = sklearn.f1_score(gold.T.ravel(), predicted.T.ravel(), zero_division=0.0)
    assert found["f1_micro"] == pytest.approx(each)
    occurs = [i for i in range(gold.shape[1]) if gold[:, i].any() or predicted[:, i].any()]
    one_by_one = [sklearn.f1_score(gold[:, i], predicted[:, i], zero_division=0.0) for i in occurs]
    assert found["f1"] == pytest.approx(np.mean(one_by_one) if occurs else 0.0)
    assert found["accuracy"] == pytest.approx((gold == predicted).all(1).mean())
    assert bounded(found, ("accuracy", "precision", "recall", "f1", "f1_micro"))


@given(NUMBERS)
@settings(max_examples=25, deadline=None)
def test_figures_of_numbers_are_scipys_and_a_constant_is_correlated_with_nothing(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = (np.array(part, dtype=float) for part in zip(*pairs, strict=True))
    found = metrics.regression(gold, predicted)
    assert found["mse"] == pytest.approx(sklearn.mean_squared_error(gold, predicted))
    assert found["mae"] == pytest.approx(sklearn.mean_absolute_error(gold, predicted))
    varied = gold.std() > 0 and predicted.std() > 0
    for name, function in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
        wanted = function(gold, predicted).statistic if varied else 0.0
        assert found[name] == pytest.approx(wanted, abs=1e-6)


@given(SENTENCES)
@settings(max_examples=25, deadline=None)
def test_figures_of_entities_are_seqevals(sentences: list[list[tuple[int, int]]]) -> None:
    gold, predicted = ([[pair[side] for pair in one] for one in sentences] for side in (0, 1))
    found = tag_scores(gold, predicted, TAGS)
    named = [[[TAGS[i] for i in one] for one in part] for part in (gold, predicted)]
    assert found["f1"] == pytest.approx(entity_f1(*named, zero_division=0))
    assert bounded(found, ("accuracy", "precision", "recall", "f1"))
    support = sum(entry["support"] for entry in tag_details(gold, predicted, TAGS)["per_class"])
    assert support == sum(len(entities(one)) for one in named[0])


def test_intervals_narrow_with_rows_and_stay_open_where_all_is_right() -> None:
    draw = np.random.default_rng(0)
    widths = []
    for rows in (50, 5000):
        gold = draw.integers(0, 2, rows)
        found = metrics.single(gold.tolist(), np.where(draw.random(rows) < 0.8, gold, 1 - gold).tolist())
        widths.append(found["f1_high"] - found["f1_low"])
    assert 0.1 < widths[0] < 0.35
    assert 0.01 < widths[1] < 0.03
    perfect = metrics.single([0, 1] * 5, [0, 1] * 5)
    assert (perfect["f1_high"], perfect["matthews_high"]) == (1.0, 1.0)
    assert perfect["f1_low"] == pytest.approx(0.722, abs=1e-3)
    assert perfect["matthews_low"] < 0.5


def test_predictions_that_are_no_numbers_make_no_figures() -> None:
    found = metrics.regression(np.ones(3), np.array([1.0, np.nan, 1.0]))
    assert np.isnan([found[name] for name in ("mse", "mae", "pearson", "spearman")]).all()


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["O", "B-PER", "I-PER", "B-PER", "I-LOC"], [("PER", 1, 2), ("PER", 3, 3), ("LOC", 4, 4)]),
        (["I-PER", "I-PER", "I-LOC", "O", "I-LOC"], [("PER", 0, 1), ("LOC", 2, 2), ("LOC", 4, 4)]),
        (["S-PER", "S-PER", "B-LOC", "E-LOC", "O"], [("PER", 0, 0), ("PER", 1, 1), ("LOC", 2, 3)]),
        (["U-PER", "U-PER", "B-LOC", "I-LOC", "L-LOC", "O"], [("PER", 0, 0), ("PER", 1, 1), ("LOC", 2, 4)]),
        (["B-PER", "M-PER", "E-PER", "S-LOC", "O"], [("PER", 0, 2), ("LOC", 3, 3)]),
        (["B_work-of-art", "I_work-of-art", "O"], [("work-of-art", 0, 1)]),
        (["PER-B", "PER-I", "O", "LOC-B"], [("PER", 0, 1), ("LOC", 3, 3)]),
        (["B", "I", "O", "B"], [("entity", 0, 1), ("entity", 3, 3)]),
        (["PER", "PER", "O", "LOC"], [("PER", 0, 1), ("LOC", 3, 3)]),
        (["DET", "NOUN", "NOUN"], [("DET", 0, 0), ("NOUN", 1, 1), ("NOUN", 2, 2)]),
        (["O", "B-PER", "MISC", "MISC"], [("B-PER", 1, 1), ("MISC", 2, 3)]),
    ],
    ids=["BIO", "IO", "BIOES", "BILOU", "BMES", "underscore", "suffix", "bare", "plain", "words", "mixed"],
)
def test_entities_are_read_from_every_tag_scheme(tags: list[str], found: list[tuple[str, int, int]]) -> None:
    labels = sorted(set(tags))
    names = bioes(labels)
    assert entities([names[labels.index(tag)] for tag in tags]) == found


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.278), (10, 10, 0.722, 1), (351, 408, 0.823, 0.891)]
)
def test_the_interval_is_wilsons(right: int, total: int, low: float, high: float) -> None:
    assert metrics.wilson(right, total) == pytest.approx((low, high), abs=1e-3)
