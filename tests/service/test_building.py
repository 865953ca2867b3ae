"""Models that are loaded at the same time: each is whole, and transformers is left as it was."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from components.service.tasks import find_task
from components.service.worker import about, fit
from components.service.worker.models import _load_weights

STARTER = Path(__file__).parents[2] / "components" / "starter" / "repos" / "models" / "starter"
TIMES = 10


@pytest.mark.parametrize("beside", ["loaded", "built from its configuration"])
def test_weights_that_two_parts_share_stay_shared_in_models_that_come_at_the_same_time(beside: str) -> None:
    tying, together = PreTrainedModel.tie_weights, threading.Barrier(2)

    def load(name: str, task: str, auto_class: str) -> bool:
        spec, config = find_task(task), fit.read_config(STARTER / name, name)
        together.wait()
        made = [_load_weights(STARTER / name, spec, auto_class, config, torch.float32, name)[0] for _ in range(TIMES)]
        return all(one.get_output_embeddings().weight is one.get_input_embeddings().weight for one in made)

    def build(name: str) -> bool:
        config = fit.read_config(STARTER / name, name)
        together.wait()
        sizes = {sum(part.numel() for part in about.build(config, name).parameters()) for _ in range(TIMES)}
        return len(sizes) == 1

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(load, "stories", "text-generation", "AutoModelForCausalLM")
        other = pool.submit(load, "masks", "fill-mask", "AutoModelForMaskedLM") if beside == "loaded" else None
        other = other or pool.submit(build, "masks")
        assert one.result()
        assert other.result()
    assert PreTrainedModel.tie_weights is tying
