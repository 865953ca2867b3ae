"""The same texts through a run's starting point and its result. Worker only."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def try_run(
    _call: Any, task: str, base: str, tuned: str, labels: list[str], seed: int, texts: list[str]
) -> dict[str, Any]:
    """`{rows: [{text, before, after}]}`.

    What a new head answers before training is chance, but not just any: its weights are drawn from the run's seed,
    so they are those that training started from.
    """
    from transformers import AutoTokenizer, set_seed

    from components.service.runs.families import family

    kind = family(task)
    answers = []
    for folder in (base, tuned):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        if folder == base:
            set_seed(seed)
        model = kind.load(Path(folder), labels).eval()
        answers.append(kind.predict(model, tokenizer, texts))
    rows = zip(texts, *answers, strict=True)
    return {"rows": [{"text": text, "before": before, "after": after} for text, before, after in rows]}
