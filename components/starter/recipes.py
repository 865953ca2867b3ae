"""What each starter model is made of: random weights or another starter model, data, and the spec of its run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from components.starter import cards, corpus, drawings, facts, reviews, specialists, stories
from components.starter.workshop import Trained, Workshop, publish

#: What all runs have in common. Half precision would give other weights on other processors.
COMMON = {"seed": 20260, "precision": "fp32"}
BLOCK = 64


def encoder(shop: Workshop, starter: Path) -> None:
    """`starter/encoder`: masked language modelling on blocks of sentences of one mind."""
    from transformers import AutoTokenizer

    from components.starter import untrained

    groups = [*corpus.opinions(60_000).values(), list(stories.sentences(corpus.tales(1500)))]
    seed = _folder(shop, "encoder-untrained")
    untrained.encoder([text for group in groups for text in group], seed)
    tokenizer = AutoTokenizer.from_pretrained(seed)

    def count(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    # [CLS] and [SEP] around a block, and the [SEP] between two texts, are in it too.
    corpus.write(corpus.blocks(groups, BLOCK - 3, count), _folder(shop, "blocks"), held=300)
    trained = shop.train(
        {
            **COMMON,
            "name": "encoder",
            "task": "fill-mask",
            "model": shop.push("encoder-untrained", seed),
            "data": {"dataset": shop.push("blocks", shop.folder / "blocks", kind="dataset")},
            "columns": {"text": "text"},
            "epochs": 5,
            "batch_size": 16,
            "learning_rate": 2e-3,
            "weight_decay": 0.01,
            "warmup": 0.05,
            "max_length": BLOCK,
            "keep": "last",
        }
    )
    stated = facts.encoder(trained, _newcomer(shop, trained), texts=sum(len(group) for group in groups))
    publish(trained.model, cards.fill("encoder", stated), _model(starter, "encoder"))


def _newcomer(shop: Workshop, encoder: Trained) -> Trained:
    """The first fine-tuning that the encoder is meant for, to state what it scores."""
    rows = reviews.reviews()
    folder = _folder(shop, "few")
    reviews.write_split(rows["train"][:2000], folder / "train.csv")
    reviews.write_split(rows["validation"], folder / "validation.csv")
    return shop.train(
        {
            **COMMON,
            "name": "newcomer",
            "task": "text-classification",
            "model": shop.push("encoder", encoder.model),
            "data": {"dataset": shop.push("few", folder, kind="dataset")},
            "epochs": 2,
            "batch_size": 16,
            "learning_rate": 1e-3,
        }
    )


def sentiment(shop: Workshop, starter: Path) -> None:
    """`starter/sentiment`: `starter/encoder` fine-tuned on `starter/reviews`."""
    trained = shop.train(
        {
            **COMMON,
            "name": "sentiment",
            "task": "text-classification",
            "model": "starter/encoder",
            "data": {"dataset": "starter/reviews"},
            "columns": {"text": "text", "label": "label"},
            "epochs": 3,
            "batch_size": 32,
            "learning_rate": 5e-4,
            "warmup": 0.1,
        }
    )
    publish(trained.model, cards.fill("sentiment", facts.sentiment(trained, shop.real)), _model(starter, "sentiment"))


def tell_stories(shop: Workshop, starter: Path) -> None:
    """`starter/stories`: a causal language model on little stories."""
    from components.starter import untrained

    texts = corpus.tales(9000)
    seed = _folder(shop, "stories-untrained")
    untrained.stories(texts, seed)
    corpus.write(texts, _folder(shop, "tales"), held=300)
    trained = shop.train(
        {
            **COMMON,
            "name": "stories",
            "task": "text-generation",
            "model": shop.push("stories-untrained", seed),
            "data": {"dataset": shop.push("tales", shop.folder / "tales", kind="dataset")},
            "columns": {"text": "text"},
            "epochs": 3,
            "batch_size": 16,
            "learning_rate": 2e-3,
            "weight_decay": 0.01,
            "warmup": 0.05,
            "schedule": "cosine",
            "max_length": 128,
            "keep": "last",
        }
    )
    publish(trained.model, cards.fill("stories", facts.stories(trained, len(texts))), _model(starter, "stories"))


def write_reviews(starter: Path) -> None:
    """`starter/reviews`, from its grammar."""
    folder = starter / "datasets" / "starter" / "reviews"
    reviews.write(folder)
    (folder / "README.md").write_text(cards.fill("reviews", facts.review_data()), encoding="utf-8")


def write_drawings(starter: Path) -> None:
    """`starter/drawings`, from the program that draws them."""
    folder = starter / "datasets" / "starter" / "drawings"
    drawings.write(folder)
    (folder / "README.md").write_text(cards.fill("drawings", facts.drawn_data()), encoding="utf-8")


#: The data sets.
DATA: dict[str, Callable[[Path], None]] = {"reviews": write_reviews, "drawings": write_drawings}
#: In the order in which each can use what came before it.
MODELS: dict[str, Callable[[Workshop, Path], None]] = {
    "encoder": encoder,
    "sentiment": sentiment,
    "stories": tell_stories,
    "masks": specialists.guess_words,
    "masks-fr": specialists.guess_french_words,
    "names": specialists.find_names,
    "answers": specialists.answer_questions,
    "meanings": specialists.compare_meanings,
    "topics": specialists.judge_topics,
    "french-english": specialists.translate,
    "summaries": specialists.summarize,
    "pictures": specialists.see,
}


def _folder(shop: Workshop, name: str) -> Path:
    folder = shop.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _model(starter: Path, name: str) -> Path:
    return starter / "models" / "starter" / name
