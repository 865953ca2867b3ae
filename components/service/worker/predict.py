"""The same texts through a run's starting point and its result. Worker only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.service.worker.calls import Call


def try_run(
    call: Call, spec: dict[str, Any], base: str, tuned: str, labels: list[str], samples: list[Any]
) -> dict[str, Any]:
    """`{rows: [{text, before, after}]}`; `text` is the sample as it was given.

    What a new head answers before training is chance, but not just any: its weights are drawn from the run's seed,
    so they are those that training started from.
    """
    from transformers import set_seed

    from components.service.runs.families import family
    from components.service.runs.spec import RunSpec
    from components.service.worker.fit import check_start

    kind = family(RunSpec.from_dict(spec, call.settings))
    answers = []
    for folder, name in ((base, "The model that the run started from"), (tuned, "The model of this run")):
        check_start(Path(folder), name, kind.auto_class.__name__, call.settings.model_bytes)
        processor = kind.processor(Path(folder))
        if folder == base:
            set_seed(kind.spec.seed)
        model = kind.load(Path(folder), labels).eval()
        answers.append(kind.predict(model, processor, samples))
    rows = zip(samples, *answers, strict=True)
    return {"rows": [{"text": sample, "before": before, "after": after} for sample, before, after in rows]}
