"""What visitors of every tab ask for, drawn from a seed: the calls of one visitor, one after another."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WORDS = ["love", "hate", "this", "warm", "long", "film", "and", "its", "awful", "ending", "everybody", "was", "kind"]
PLACES = "Ada Lovelace met Charles Babbage in London and moved to Paris"
CARD = "---\nlicense: mit\nlanguage: [en]\ntags: [films]\n---\n# {name}\n\n## Limitations and bias\n\nNone known.\n"
MODELS = ("starter/sentiment", "starter/names", "starter/masks", "starter/stories", "starter/encoder", "starter/topics")


@dataclass(frozen=True)
class Ask:
    """One call: an endpoint with its first arguments, or, with a file, an upload before it.

    Attributes:
        file: The rows of a file that is uploaded first; the call's first argument is then that file.
    """

    endpoint: str
    arguments: tuple[Any, ...]
    file: str = ""


def asks(seed: int) -> Iterator[Ask]:
    """The calls of a visitor, without an end."""
    draw = random.Random(seed)
    makers = [maker for maker, weight in _MIX.items() for _ in range(weight)]
    while True:
        yield draw.choice(makers)(draw)


def _text(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(2, 30)))


def _rows(draw: random.Random) -> str:
    return "text,label\n" + "".join(f"{_text(draw)},{draw.randint(0, 1)}\n" for _ in range(draw.randint(10, 60)))


def _classify(draw: random.Random) -> Ask:
    return Ask("run_task", ("text-classification", "starter/sentiment", _text(draw)))


def _name(draw: random.Random) -> Ask:
    return Ask("run_task", ("token-classification", "starter/names", PLACES))


def _fill(draw: random.Random) -> Ask:
    return Ask("run_task", ("fill-mask", "starter/masks", "The film was very [MASK]."))


def _write(draw: random.Random) -> Ask:
    options = {"max_new_tokens": draw.randint(5, 40), "do_sample": True, "seed": draw.randint(0, 99)}
    return Ask("run_task", ("text-generation", "starter/stories", "Once upon a time", options))


def _look_inside(draw: random.Random) -> Ask:
    return Ask("run_stages", ("text-classification", "starter/sentiment", _text(draw)))


def _batch(draw: random.Random) -> Ask:
    rows = [_text(draw) for _ in range(draw.randint(5, 40))]
    return Ask("run_batch", ("text-classification", "starter/sentiment", rows))


def _tokenize(draw: random.Random) -> Ask:
    return Ask("tokenize", (draw.choice(MODELS), " ".join(_text(draw) for _ in range(draw.randint(1, 50)))))


def _compare_tokenizers(draw: random.Random) -> Ask:
    return Ask("compare_tokenizers", (draw.sample(MODELS, 2), _text(draw)))


def _vocabulary(draw: random.Random) -> Ask:
    return Ask("search_vocabulary", (draw.choice(MODELS), draw.choice(WORDS)))


def _facts(draw: random.Random) -> Ask:
    return Ask(draw.choice(("model_facts", "about_model")), (draw.choice(MODELS),))


def _search(draw: random.Random) -> Ask:
    return Ask("search_models", (draw.choice(("", "sent", "star", "none of these")),))


def _code(draw: random.Random) -> Ask:
    given = {"task": "text-classification", "model": "starter/sentiment", "inputs": _text(draw)}
    return Ask("snippet", ("pipeline", given))


def _inspect(draw: random.Random) -> Ask:
    return Ask("inspect_data", ({"text": _rows(draw)},))


def _upload(draw: random.Random) -> Ask:
    return Ask("inspect_data", (), file=_rows(draw))


def _own_runs(draw: random.Random) -> Ask:
    return Ask("list_runs", ())


def _draft(draw: random.Random) -> Ask:
    return Ask("draft_card", (draw.choice(MODELS),))


def _check(draw: random.Random) -> Ask:
    return Ask(draw.choice(("check_card", "card_completeness")), (CARD.format(name=_text(draw)),))


def _edit(draw: random.Random) -> Ask:
    changes = [{"field": "license", "value": draw.choice(("mit", "apache-2.0"))}]
    return Ask("edit_card", (CARD.format(name=_text(draw)), changes))


def _repository(draw: random.Random) -> Ask:
    return Ask(draw.choice(("repo_info", "repo_card", "list_files", "list_commits")), (draw.choice(MODELS),))


def _refused(draw: random.Random) -> Ask:
    """What has to be answered by a sentence."""
    return draw.choice(
        (
            Ask("run_task", ("text-classification", "starter/none", "a")),
            Ask("run_task", ("text-classification", "../../etc", "a")),
            Ask("tokenize", ("starter/sentiment", 5)),
            Ask("run_state", ("r" + "0" * 30,)),
            Ask("create_repo", ("mine",)),
        )
    )


#: How often each is asked for.
_MIX = {
    _classify: 10, _name: 3, _fill: 3, _write: 4, _look_inside: 4, _batch: 3, _tokenize: 8, _compare_tokenizers: 2,
    _vocabulary: 2, _facts: 4, _search: 4, _code: 3, _inspect: 2, _upload: 2, _own_runs: 3, _draft: 2, _check: 4,
    _edit: 3, _repository: 4, _refused: 3,
}  # fmt: skip
