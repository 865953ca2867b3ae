"""What the cards of the specialists state, measured with the library's own calls on what no training has seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from components.starter import reviews
from components.starter import topics as subjects
from components.starter.answers import Asked
from components.starter.names import LABELS, Tagged
from components.starter.workshop import Fitted

#: Everyday sentences that no grammar of this package makes, with labels to choose from, the right one first. They are
#: there to be counted: whoever changes the word lists because of them has to write others.
EVERYDAY = (
    ("My grandson starts school in September.", "education, war, weather"),
    ("Parliament rejected the proposal by a narrow majority.", "politics, fashion, cooking"),
    ("The startup raised ten million dollars from its investors.", "business, religion, animals"),
    ("Our goalkeeper was hurt in the second half.", "sports, law, housing"),
    ("My laptop crashes whenever I open the browser.", "technology, agriculture, music"),
    ("The researchers repeated the experiment with a larger sample.", "science, travel, fashion"),
    ("She has been coughing for a week and cannot sleep.", "health, politics, gaming"),
    ("Fry the onions until they are golden.", "food, law, technology"),
    ("We missed our connection and spent the night at the airport.", "travel, religion, science"),
    ("He plays the violin in the city orchestra.", "music, business, weather"),
    ("The actress won an award for her first role.", "film, agriculture, housing"),
    ("I could not put the novel down until the last page.", "books, sports, war"),
    ("Fog and strong winds are expected on the coast.", "weather, law, family"),
    ("The puppy chewed my slippers.", "animals, politics, economy"),
    ("Thieves stole jewels worth a fortune from the shop.", "law, cooking, education"),
    ("The bus was stuck in a traffic jam.", "transport, music, religion"),
    ("The roof leaks and the landlord does nothing.", "housing, sports, science"),
    ("Troops withdrew after the ceasefire.", "war, fashion, food"),
    ("The monks pray five times a day.", "religion, technology, sports"),
    ("Firefighters rescued a family from the burning house.", "emergency, books, business"),
)


def training(fitted: Fitted) -> dict[str, Any]:
    """What every card states of a training."""
    plan = fitted.schedule
    rows = {
        "learning rate": f"{plan.learning_rate:g}, linear, after a warm-up of 5% of the steps",
        "batch size": plan.batch_size,
        "epochs": plan.epochs,
        "optimizer": "AdamW, weight decay 0.01",
        "seed": reviews.SEED,
        "precision": "float32",
        "time": f"{fitted.seconds:.0f} s on cpu",
    }
    return {
        "run": "\n".join(f"| {name} | {value} |" for name, value in rows.items()),
        "parameters": f"{fitted.parameters:,}",
        "rows": f"{fitted.rows:,}",
        "transformers": version("transformers"),
        "torch": version("torch"),
    }


def guesses(model: Path, texts: Sequence[str]) -> dict[str, Any]:
    """How often the likeliest word is the one that was masked, of one word drawn in each text."""
    from transformers import pipeline

    fill, source = pipeline("fill-mask", model=str(model)), random.Random(reviews.SEED)
    gaps = []
    for text in texts:
        words = text.split()
        place = source.randrange(len(words))
        hidden = words[place].rstrip(".,!?")
        if hidden.isalpha():
            tail = words[place][len(hidden) :]
            masked = " ".join([*words[:place], fill.tokenizer.mask_token + tail, *words[place + 1 :]])
            gaps.append((masked, hidden.lower()))
    found = fill([masked for masked, _ in gaps], batch_size=32)
    ranks = []
    for five, (_, hidden) in zip(found, gaps, strict=True):
        likeliest = [guess["token_str"].strip().lower() for guess in five]
        ranks.append(likeliest.index(hidden) if hidden in likeliest else len(likeliest))
    shares = {"first": _share([rank == 0 for rank in ranks]), "five": _share([rank < 5 for rank in ranks])}
    return {"gaps": f"{len(gaps):,}", **{name: f"{share:.2f}" for name, share in shares.items()}}


def names(model: Path, texts: Sequence[Tagged]) -> dict[str, Any]:
    """Precision, recall and F1 of whole entities, as CoNLL counts them."""
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tokenizer, tagger = AutoTokenizer.from_pretrained(model), AutoModelForTokenClassification.from_pretrained(model)
    true = found = both = 0
    for text in texts:
        encoded = tokenizer([*text.words], is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = tagger(**encoded).logits[0].argmax(-1).tolist()
        first = dict(reversed([*zip(encoded.word_ids(0), best, strict=True)]))
        wanted, given = spans(text.tags), spans([first[place] for place in range(len(text.words))])
        true, found, both = true + len(wanted), found + len(given), both + len(wanted & given)
    precision, recall = both / found, both / true
    scores = {"precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall)}
    return {"texts": len(texts), "entities": f"{true:,}", **{name: f"{score:.3f}" for name, score in scores.items()}}


def spans(tags: Sequence[int]) -> set[tuple[int, int, str]]:
    """The entities of a tagged text: first word, last word, kind."""
    found: list[tuple[int, int, str]] = []
    for place, tag in enumerate(tags):
        part, _, kind = LABELS[tag].partition("-")
        if part == "I" and found and found[-1][1:] == (place - 1, kind):
            found[-1] = (found[-1][0], place, kind)
        elif kind:
            found.append((place, place, kind))
    return set(found)


def answers(model: Path, asked: Sequence[Asked]) -> dict[str, Any]:
    """How often the answer is found to the letter."""
    answer = answering(model)
    right = [answer(item.question, item.context) == item.answer for item in asked]
    return {"questions": len(right), "exact": f"{_share(right):.3f}"}


def answering(model: Path) -> Callable[[str, str], str]:
    """A function from a question and a context to the likeliest answer of at most 15 tokens."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer, reader = AutoTokenizer.from_pretrained(model), AutoModelForQuestionAnswering.from_pretrained(model)

    def answer(question: str, context: str) -> str:
        encoded = tokenizer(question, context, return_tensors="pt", truncation="only_second")
        with torch.no_grad():
            scores = reader(**encoded)
        outside = torch.tensor([part != 1 for part in encoded.sequence_ids(0)])
        starts = scores.start_logits[0].masked_fill(outside, -1e4)
        ends = scores.end_logits[0].masked_fill(outside, -1e4)
        possible = torch.ones(len(starts), len(starts), dtype=torch.bool).triu().tril(14)
        both = (starts[:, None] + ends[None]).masked_fill(~possible, -1e9)
        start, end = divmod(int(both.argmax()), len(starts))
        return context[encoded.token_to_chars(start).start : encoded.token_to_chars(end).end]

    return answer


def topics(model: Path, texts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """How often the right topic comes first of ten, and of the few labels of everyday sentences."""
    from transformers import pipeline

    classify, source = pipeline("zero-shot-classification", model=str(model)), random.Random(reviews.SEED)
    right = []
    for text, topic in texts:
        labels = subjects.choices(topic, 10, source)
        right.append(classify(text, list(labels))["labels"][0] == subjects.topics()[topic]["names"][0])
    plain = [classify(text, labels.split(", "))["labels"][0] == labels.split(", ")[0] for text, labels in EVERYDAY]
    return {
        "topics": len(subjects.topics()),
        "texts": len(texts),
        "accuracy": f"{_share(right):.2f}",
        "everyday": len(plain),
        "everyday_right": sum(plain),
    }


def opinions(model: Path) -> dict[str, Any]:
    """How often a zero-shot classifier finds an opinion of starter/reviews positive or negative as its row says."""
    from transformers import pipeline

    classify, rows = pipeline("zero-shot-classification", model=str(model)), reviews.reviews()["test"][:200]
    right = [classify(review.text, ["positive", "negative"])["labels"][0] == review.label for review in rows]
    return {"opinions": f"{_share(right):.2f}"}


def meanings(model: Path, drawn: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """How often the nearest of the other texts is on the same topic."""
    nearest = comparing(model)
    right = [drawn[other][1] == topic for other, (_, topic) in zip(nearest([t for t, _ in drawn]), drawn, strict=True)]
    return {"texts": len(drawn), "accuracy": f"{_share(right):.2f}"}


def comparing(model: Path) -> Callable[[Sequence[str]], list[int]]:
    """A function from texts to the place of the nearest other text of each, by the cosine of their mean vectors."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    from components.starter.training import mean_vectors

    tokenizer, encoder = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model)

    def nearest(texts: Sequence[str]) -> list[int]:
        with torch.no_grad():
            vectors = mean_vectors(encoder, tokenizer(list(texts), padding=True, return_tensors="pt"))
        return (vectors @ vectors.T).fill_diagonal_(-1).argmax(-1).tolist()

    return nearest


def texts(model: Path, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """How often the text that is written is the expected one to the letter."""
    written = writing(model)
    right = [made == wanted for made, (_, wanted) in zip(written([first for first, _ in pairs]), pairs, strict=True)]
    return {"pairs": len(pairs), "exact": f"{_share(right):.3f}"}


def writing(model: Path) -> Callable[[Sequence[str]], Iterator[str]]:
    """A function from texts to what an encoder-decoder writes from them, with its own generation settings."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer, writer = AutoTokenizer.from_pretrained(model), AutoModelForSeq2SeqLM.from_pretrained(model)

    def write(sources: Sequence[str]) -> Iterator[str]:
        for first in range(0, len(sources), 50):
            inputs = tokenizer(list(sources[first : first + 50]), padding=True, truncation=True, return_tensors="pt")
            yield from tokenizer.batch_decode(writer.generate(**inputs), skip_special_tokens=True)

    return write


def pictures(model: Path, drawn: Sequence[tuple[Any, int]]) -> dict[str, Any]:
    """How often the likeliest label is the right one."""
    from transformers import pipeline

    classify = pipeline("image-classification", model=str(model))
    labels = classify.model.config.id2label
    found = classify([picture for picture, _ in drawn], batch_size=50)
    right = [best[0]["label"] == labels[label] for best, (_, label) in zip(found, drawn, strict=True)]
    return {"pictures": len(drawn), "accuracy": f"{_share(right):.3f}"}


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right)
