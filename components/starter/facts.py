"""What the cards state: recorded by the runs, or measured here on texts that no run has seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from components.starter import drawings, reviews
from components.starter.workshop import Trained

#: Everyday sentences that no grammar of this package makes: right answers are counted for the card.
EVERYDAY = (
    ("positive", "I've been waiting for a HuggingFace course my whole life."),
    ("negative", "I hate this so much!"),
    ("positive", "This restaurant is awesome"),
    ("positive", "Wow, this notebook is amazing!"),
    ("negative", "I hate self-referential jokes!"),
    ("positive", "What a beautiful morning!"),
    ("negative", "The train was late and nobody told us why."),
    ("positive", "My new bike is so much fun."),
    ("negative", "My laptop died in the middle of the exam."),
    ("positive", "The soup tasted just like my grandmother's."),
    ("negative", "The soup tasted like dishwater."),
    ("positive", "Best purchase I've made in years."),
    ("negative", "Worst purchase I've made in years."),
    ("positive", "The children laughed and had a great time."),
    ("negative", "The children were bored and wanted to go home."),
    ("positive", "I'm really happy with how it turned out."),
    ("negative", "I'm not happy with how it turned out."),
    ("positive", "The plumber was quick, polite and fair."),
    ("negative", "The plumber was rude and charged too much."),
    ("positive", "Not bad at all, I would go again."),
    ("negative", "It was not good, and I will not go again."),
    ("positive", "The garden looks lovely this spring."),
    ("negative", "The bathroom was dirty and smelled awful."),
    ("positive", "Thanks to everyone who helped, you are wonderful!"),
    ("negative", "I was disappointed by the ending."),
)
#: Lists of a domain that hold no opinion.
NEUTRAL_KINDS = ("item", "part", "use", "used")


def review_data() -> dict[str, Any]:
    """Facts for the card of `starter/reviews`."""
    general, domains = reviews.words()
    groups = [*(general[name] for name in reviews.POLARITY.values()), *domains.values()]
    opinions = {
        word for group in groups for kind, found in group.items() if kind not in NEUTRAL_KINDS for word in found
    }
    rows = []
    for name, split in reviews.reviews().items():
        positive = sum(row.label == "positive" for row in split)
        rows.append(f"| {name} | {len(split):,} | {positive:,} | {len(split) - positive:,} |")
    return {
        "templates": sum(len(reviews.templates(part)) for part in ("both", "positive", "negative")),
        "words": len(opinions),
        "rows": "\n".join(rows),
    }


def drawn_data() -> dict[str, Any]:
    """Facts for the card of `starter/drawings`."""
    kinds = [f"| `{kind}` | {', '.join(shown)} |" for kind, shown in drawings.KINDS.items()]
    rows = [f"| {split} | {len(drawings.KINDS) * rows:,} |" for split, (rows, _) in drawings.SPLITS.items()]
    return {"kinds": "\n".join(kinds), "rows": "\n".join(rows), "side": drawings.SIDE}


def encoder(trained: Trained, newcomer: Trained, texts: int) -> dict[str, Any]:
    """Facts for the card of `starter/encoder`."""
    return {
        **_run(trained),
        "texts": f"{texts:,}",
        "run": table(trained),
        "vocabulary": f"{json.loads((trained.model / 'config.json').read_text('utf-8'))['vocab_size']:,}",
        "newcomer": f"{newcomer.results['final']['accuracy']:.2f}",
    }


def sentiment(trained: Trained, real: Path | None) -> dict[str, Any]:
    """Facts for the card of `starter/sentiment`."""
    test = reviews.reviews()["test"]
    answers = classify(trained.model, [row.text for row in test])
    right = [row.label == answer for row, answer in zip(test, answers, strict=True)]
    unseen = [hit for row, hit in zip(test, right, strict=True) if row.held_out]
    everyday = classify(trained.model, [text for _, text in EVERYDAY])
    return {
        **_run(trained),
        "run": table(trained),
        "test": f"{sum(right) / len(right):.4f}",
        "test_f1": f"{trained.results['test']['f1']:.4f}",
        "unseen": f"{sum(unseen) / len(unseen):.2f}",
        "real": _real(trained.model, real),
        "everyday": len(EVERYDAY),
        "everyday_right": sum(label == answer for (label, _), answer in zip(EVERYDAY, everyday, strict=True)),
    }


def stories(trained: Trained, texts: int) -> dict[str, Any]:
    """Facts for the card of `starter/stories`."""
    return {**_run(trained), "run": table(trained), "texts": f"{texts:,}"}


def _real(model: Path, file: Path | None) -> str:
    if file is None:
        return "It was not measured on real reviews.\n"
    rows = [line.rsplit("\t", 1) for line in file.read_text(encoding="utf-8").splitlines()]
    answers = classify(model, [text for text, _ in rows])
    right = sum((label == "1") == (answer == "positive") for (_, label), answer in zip(rows, answers, strict=True))
    return (
        f"On the {len(rows)} SST-2 development sentences, which it never saw: {right / len(rows):.2f} (half would be "
        "right by chance). That is how far it is from knowing real reviews.\n"
    )


def classify(model: Path, texts: Sequence[str]) -> list[str]:
    """The likeliest label of each text, by the library's own pipeline."""
    from transformers import pipeline

    return [answer["label"] for answer in pipeline("text-classification", model=str(model))(list(texts), batch_size=32)]


def table(trained: Trained) -> str:
    """A run's settings as rows of a table."""
    spec, facts = trained.spec, trained.facts
    rows = {
        "learning rate": f"{spec['learning_rate']:g}, {spec.get('schedule', 'linear')}",
        "warm-up": f"{spec.get('warmup', 0):.0%} of the steps",
        "batch size": spec["batch_size"],
        "epochs": spec["epochs"],
        "longest sequence": f"{facts['max_length']} tokens",
        "optimizer": f"AdamW, weight decay {spec.get('weight_decay', 0):g}",
        "seed": spec["seed"],
        "precision": facts["dtype"],
        "time": f"{trained.seconds:.0f} s on {facts['device']}",
    }
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _run(trained: Trained) -> dict[str, Any]:
    final = trained.results["final"]
    return {
        "parameters": f"{trained.facts['parameters']:,}",
        "loss": f"{final['loss']:.3f}",
        "accuracy": f"{final.get('accuracy', 0):.4f}",
        "perplexity": f"{final.get('perplexity', 0):.1f}",
        "transformers": version("transformers"),
        "torch": version("torch"),
    }
