"""The recipes of the models for tasks that the app's own runs do not train, and of two that guess masked words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.starter import answers, cards, drawings, french, masks, measured, names, summaries, topics
from components.starter.workshop import Fitted, Schedule, Workshop, publish


def guess_words(shop: Workshop, starter: Path) -> None:
    """`starter/masks`: English masked words, and what `starter/topics` starts from."""
    from transformers import ModernBertForMaskedLM

    from components.starter import training, untrained

    texts = masks.texts(64_000)
    train, held = texts[:-1000], texts[-1000:]
    config = untrained.reader(train, shop.folder / "empty", pieces=2600)
    config.layer_types = ["full_attention"] * config.num_hidden_layers
    model, tokenizer = ModernBertForMaskedLM(config), _tokenizer(shop.folder / "empty")
    fitted = training.fill_masks(model, tokenizer, train, Schedule(3, 64, 2e-3), shop.folder / "model")
    _publish(fitted, "masks", starter, measured.guesses(fitted.model, _unseen(held, train)))


def guess_french_words(shop: Workshop, starter: Path) -> None:
    """`starter/masks-fr`: French masked words."""
    from components.starter import training, untrained

    texts = [*dict.fromkeys(first for first, _ in french.pairs(30_000)), *french.food(15_000)]
    random.Random(french.SEED).shuffle(texts)
    train, held = texts[:-1000], texts[-1000:]
    model = untrained.french(train, shop.folder / "empty", pieces=2000)
    tokenizer = _tokenizer(shop.folder / "empty")
    fitted = training.fill_masks(model, tokenizer, train, Schedule(3, 64, 2e-3), shop.folder / "model")
    _publish(fitted, "masks-fr", starter, measured.guesses(fitted.model, _unseen(held, train)))


def find_names(shop: Workshop, starter: Path) -> None:
    """`starter/names`: people, organizations and places in a text."""
    from transformers import ModernBertForTokenClassification

    from components.starter import training, untrained

    texts = names.texts(30_500)
    train, held = texts[:-500], texts[-500:]
    config = untrained.reader([" ".join(text.words) for text in train], shop.folder / "empty", pieces=2400, cased=True)
    _label(config, names.LABELS)
    model, tokenizer = ModernBertForTokenClassification(config), _tokenizer(shop.folder / "empty")
    fitted = training.tag_words(model, tokenizer, train, Schedule(2, 32, 2e-3), shop.folder / "model")
    _publish(fitted, "names", starter, measured.names(fitted.model, held))


def answer_questions(shop: Workshop, starter: Path) -> None:
    """`starter/answers`: the part of a text that answers a question."""
    from transformers import ModernBertForQuestionAnswering

    from components.starter import training, untrained

    asked = answers.asked(60_500)
    train, held = asked[:-500], asked[-500:]
    texts = [f"{item.context} {item.question}" for item in train]
    config = untrained.reader(texts, shop.folder / "empty", pieces=2400)
    config.layer_types = ["full_attention"] * config.num_hidden_layers
    model, tokenizer = ModernBertForQuestionAnswering(config), _tokenizer(shop.folder / "empty")
    fitted = training.find_answers(model, tokenizer, train, Schedule(2.5, 32, 1.5e-3), shop.folder / "model")
    _publish(fitted, "answers", starter, measured.answers(fitted.model, held))


def compare_meanings(shop: Workshop, starter: Path) -> None:
    """`starter/meanings`: vectors that are close for texts on one topic, from `starter/masks`."""
    from transformers import AutoModel

    from components.starter import training

    base = starter / "models" / "starter" / "masks"
    model, texts = AutoModel.from_pretrained(base), topics.groups(18_000, topics.SEED)
    fitted = training.gather_texts(model, _tokenizer(base), texts, Schedule(1.5, 64, 1e-3), shop.folder / "model")
    held = _unseen_texts(500, [text for text, _ in texts])
    _publish(fitted, "meanings", starter, measured.meanings(fitted.model, held))


def judge_topics(shop: Workshop, starter: Path) -> None:
    """`starter/topics`: whether a text entails what is said about its topic, from `starter/meanings`."""
    from transformers import ModernBertForSequenceClassification

    from components.starter import training

    base = starter / "models" / "starter" / "meanings"
    labels = dict(enumerate(topics.LABELS))
    model = ModernBertForSequenceClassification.from_pretrained(
        base, id2label=labels, label2id={label: number for number, label in labels.items()}
    )
    pairs = topics.pairs(50_000)
    fitted = training.judge_pairs(model, _tokenizer(base), pairs, Schedule(2, 32, 1e-3), shop.folder / "model")
    held = _unseen_texts(300, [premise for premise, _, _ in pairs])
    figures = {**measured.topics(fitted.model, held), **measured.opinions(fitted.model)}
    _publish(fitted, "topics", starter, figures)


def translate(shop: Workshop, starter: Path) -> None:
    """`starter/french-english`: French sentences in English."""
    train = french.pairs(45_000)
    fitted = _write(shop, train, Schedule(6, 64, 3e-3), pieces=2400, longest=128)
    _publish(fitted, "french-english", starter, measured.texts(fitted.model, french.unseen(500, train)))


def summarize(shop: Workshop, starter: Path) -> None:
    """`starter/summaries`: what a little news text says first, in short."""
    train = summaries.pairs(30_000)
    fitted = _write(shop, train, Schedule(6, 32, 3e-3), pieces=2400, longest=256)
    _publish(fitted, "summaries", starter, measured.texts(fitted.model, summaries.unseen(300, train)))


def see(shop: Workshop, starter: Path) -> None:
    """`starter/pictures`: what a drawing shows; a few drawings lie beside the model."""
    from components.starter import training, untrained

    model, processor = untrained.viewer(drawings.LABELS, drawings.SIDE)
    train = drawings.pictures(8000)
    fitted = training.see_pictures(model, processor, train, Schedule(5, 32, 2e-3), shop.folder / "model")
    held = drawings.pictures(500, drawings.SEED + 1)
    _publish(fitted, "pictures", starter, measured.pictures(fitted.model, held))
    examples = starter / "models" / "starter" / "pictures" / "examples"
    examples.mkdir()
    for picture, label in drawings.pictures(len(drawings.LABELS), drawings.SEED + 2):
        picture.resize((128, 128)).save(examples / f"{drawings.LABELS[label]}.png", optimize=True)


def _write(
    shop: Workshop, pairs: Sequence[tuple[str, str]], schedule: Schedule, *, pieces: int, longest: int
) -> Fitted:
    from transformers import T5ForConditionalGeneration

    from components.starter import training, untrained

    empty = shop.folder / "empty"
    untrained.writer([text for pair in pairs for text in pair], empty, pieces=pieces, longest=longest)
    model = T5ForConditionalGeneration.from_pretrained(empty)
    return training.write_texts(model, _tokenizer(empty), pairs, schedule, shop.folder / "model")


def _unseen(held: Sequence[str], train: Sequence[str]) -> list[str]:
    """What was held out and does not happen to be in the training texts as well: a grammar may say a thing twice."""
    seen = set(train)
    return [text for text in held if text not in seen]


def _unseen_texts(rows: int, train: Sequence[str]) -> list[tuple[str, str]]:
    drawn = topics.texts(rows, topics.SEED + 2)
    fresh = set(_unseen([text for text, _ in drawn], train))
    return [(text, topic) for text, topic in drawn if text in fresh]


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _label(config: Any, labels: Sequence[str]) -> None:
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}


def _publish(fitted: Fitted, name: str, starter: Path, figures: dict[str, Any]) -> None:
    card = cards.fill(name, {**measured.training(fitted), **figures})
    publish(fitted.model, card, starter / "models" / "starter" / name)
