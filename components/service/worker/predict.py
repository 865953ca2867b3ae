"""The same texts through a run's starting point and its result. Worker only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.service.worker.calls import Call


def try_run(
    call: Call, task: str, base: str, tuned: str, labels: list[str], seed: int, texts: list[str]
) -> dict[str, Any]:
    """`{rows: [{text, before, after}]}`.

    What a new head answers before training is chance, but not just any: its weights are drawn from the run's seed,
    so they are those that training started from.
    """
    from transformers import set_seed

    from components.service.runs.families import family
    from components.service.worker.fit import check_start
    from components.service.worker.processors import load_tokenizer

    kind = family(task)
    answers = []
    for folder, name in ((base, "The model that the run started from"), (tuned, "The model of this run")):
        check_start(Path(folder), name, kind.auto_class.__name__, call.settings.model_bytes)
        tokenizer = load_tokenizer(Path(folder), name)
        if folder == base:
            set_seed(seed)
        model = kind.load(Path(folder), labels).eval()
        answers.append(kind.predict(model, tokenizer, texts))
    rows = zip(texts, *answers, strict=True)
    return {"rows": [{"text": text, "before": before, "after": after} for text, before, after in rows]}
