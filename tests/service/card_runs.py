"""A finished run of every task and every kind of labels, trained in this process on tiny models, for tests of cards."""

from __future__ import annotations

import base64
import io
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.service.runs.__main__ import work
from components.service.runs.spec import RunSpec
from components.service.runs.state import read_state
from components.service.runs.store import RunFolder, write_json
from components.service.settings import Settings

COMMIT = "ab" * 20
Row = dict[str, Any]
_GOOD, _BAD = ("wonderful", "warm"), ("awful", "dull")


def _film(draw: random.Random, good: bool) -> str:
    words = _GOOD if good else _BAD
    return f"this film {draw.randrange(999)} is {draw.choice(words)} and {draw.choice(words)}"


def reviews(draw: random.Random, i: int) -> Row:
    return {"text": _film(draw, i % 2 == 0), "label": ("good", "bad")[i % 2]}


def pairs(draw: random.Random, i: int) -> Row:
    same = i % 3 != 0
    return {
        "premise": _film(draw, True),
        "hypothesis": _film(draw, same),
        "label": ("other", "same", "unsure")[i % 3],
    }


def topics(draw: random.Random, i: int) -> Row:
    return {"text": _film(draw, i % 2 == 0), "label": [["love"], ["hate", "long"], []][i % 3]}


def stars(draw: random.Random, i: int) -> Row:
    return {"text": _film(draw, i % 2 == 0), "score": (0.9 if i % 2 == 0 else 0.1) + i / 1000}


def sentences(draw: random.Random, i: int) -> Row:
    name = draw.choice(("Ada", "Bob"))
    return {"tokens": [name, "is", "in", "France", str(i)], "tags": ["B-PER", "O", "O", "B-LOC", "O"]}


def questions(draw: random.Random, i: int) -> Row:
    before = f"film {i} is"
    if i % 4 == 0:
        return {"question": "how is it?", "context": before, "answers": {"text": [], "answer_start": []}}
    word = draw.choice(_GOOD)
    context = f"{before} {word} and long"
    return {
        "question": "how is it?",
        "context": context,
        "answers": {"text": [word], "answer_start": [len(before) + 1]},
    }


def texts(draw: random.Random, i: int) -> Row:
    return {"text": f"{_film(draw, i % 2 == 0)}, once upon a time. " * 3}


def talks(draw: random.Random, i: int) -> Row:
    asked = f"how is film {i}?"
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": _film(draw, i % 2 == 0)}]}


def summaries(draw: random.Random, i: int) -> Row:
    good = i % 2 == 0
    text = f"{_film(draw, good)}. {_film(draw, good)}. {_film(draw, good)}. So it was {i}."
    return {"text": text, "summary": "I love this film." if good else "It is far too long."}


def phrases(draw: random.Random, i: int) -> Row:
    return {"translation": {"en": _film(draw, True), "fr": f"I love this film {i}."}}


def pictures(draw: random.Random, i: int) -> Row:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (20 + i, 24), ((200, 20, draw.randrange(60)), (20, 20, 200))[i % 2]).save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"image": url, "label": ("red", "blue")[i % 2]}


@dataclass(frozen=True)
class Kind:
    """A run to train.

    Attributes:
        task: Its task.
        model: Module and function that make the model.
        row: Makes a row.
        splits: Rows of each split; held out of train where there is no validation split.
        spec: Settings that differ.
    """

    task: str
    model: str
    row: Callable[[random.Random, int], Row]
    splits: dict[str, int] = field(default_factory=lambda: {"train": 24})
    spec: dict[str, Any] = field(default_factory=dict)


_GIVEN = {"train": 16, "dev": 8, "test": 6}
KINDS: dict[str, Kind] = {
    "single": Kind(
        "text-classification", "service_models:classifier", reviews, _GIVEN,
        {"data": {"dataset": "me/reviews", "revision": COMMIT, "config": "plain"}, "samples": ["warm ```` film"]},
    ),
    "pairs": Kind(
        "text-classification", "service_models:classifier", pairs,
        spec={"method": "lora", "remedies": ["drop_duplicates"], "evaluate": "steps", "every": 2},
    ),
    "multi": Kind("text-classification", "service_models:classifier", topics,
                  spec={"problem": "multi", "samples": ["this film is warm"]}),
    "regression": Kind("text-classification", "service_models:classifier", stars,
                       spec={"samples": ["this film is warm"]}),
    "tokens": Kind("token-classification", "text_models:tagger", sentences, _GIVEN, {"samples": ["Ada is in France"]}),
    "answers": Kind("question-answering", "text_models:reader", questions,
                    spec={"max_length": 32, "samples": [{"question": "how is it?", "context": "It is warm."}]}),
    "texts": Kind("text-generation", "service_models:generator", texts, {"train": 16, "validation": 6, "test": 6},
                  {"max_length": 32}),
    "chats": Kind("text-generation", "generation_models:chat", talks, spec={"keep": "last", "samples": ["how is it?"]}),
    "masks": Kind("fill-mask", "text_models:masked", texts, spec={"max_length": 32, "samples": ["a [MASK] film"]}),
    "summaries": Kind("summarization", "generation_models:t5", summaries,
                      spec={"max_target_length": 8, "samples": ["It is warm."]}),
    "translations": Kind("translation", "generation_models:m2m100", phrases, _GIVEN, {"max_target_length": 8}),
    "pictures": Kind("image-classification", "vision_models:image_classifier", pictures, {"train": 12, "test": 4},
                     {"samples": [{"image": pictures(random.Random(0), 0)["image"]}]}),
}  # fmt: skip


class CardRuns:
    """Trains each kind once, when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._states: dict[str, dict[str, Any]] = {}

    def state(self, name: str) -> dict[str, Any]:
        """The state of the finished run."""
        if name not in self._states:
            self._states[name] = self._train(name, KINDS[name])
        return json.loads(json.dumps(self._states[name]))

    def model(self, name: str) -> Path:
        """The folder of the trained model."""
        self.state(name)
        return self.folder / f"run-{name:_<16}" / "model"

    def _train(self, name: str, kind: Kind) -> dict[str, Any]:
        module, make = kind.model.split(":")
        model = getattr(__import__(module), make)(self.folder / f"model-{name}")
        data = self.folder / f"data-{name}"
        data.mkdir()
        draw = random.Random(1)
        for split, number in kind.splits.items():
            rows = [json.dumps(kind.row(draw, i)) for i in range(number)]
            (data / f"{split}.jsonl").write_text("\n".join(rows))
        settings = Settings(home=self.folder, cache=self.folder, free_disk_bytes=0)
        values = {
            "task": kind.task, "model": "starter/encoder", "revision": COMMIT, "data": {"dataset": str(data)},
            "epochs": 1, "batch_size": 8, "learning_rate": 2e-3, "precision": "fp32", **kind.spec,
        }  # fmt: skip
        spec = RunSpec.from_dict(values, settings)
        # An id, as the web process makes them; model and data lie where it would have put them.
        folder = RunFolder(self.folder / f"run-{name:_<16}")
        folder.path.mkdir()
        write_json(folder.spec, spec.to_dict())
        write_json(folder.inputs, {"model": str(model), "data": {"folder": str(data), "config": None}})
        folder.claim(os.getpid())
        assert work(folder, spec, settings) == 0, read_state(folder)["failure"]
        return read_state(folder)
