"""What all models have in common that write one token after another about what they hear or see."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from transformers import LogitsProcessorList, StoppingCriteriaList

from components.service.tasks.generation import SAMPLING
from components.service.tasks.writing import GENERATE
from components.service.worker.blame import blaming
from components.service.worker.runners.base import Runner
from components.service.worker.runners.generate import Draw, Enough, Finite


class Writer(Runner):
    """Runs a pipeline that calls `generate`: bounded, stopped when the time is up, drawing by a seed of its own.

    Where tokens are drawn and no seed is given, one is made up and stated. A task's own runner says by `writes` whether
    its model writes at all, and by `room` how many tokens it can.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._draw = self.drawing(self.parameters.get("seed", 0))
        if self.chunked:
            self._draw.begin_list()  # such a pipeline reads every input with a `DataLoader`, which draws a number

    @property
    def writes(self) -> bool:
        """Whether the model writes token by token."""
        return bool(self.loaded.model.can_generate())

    @property
    def room(self) -> int | None:
        """Most new tokens that the model has room for, or None where nothing says so."""
        return None

    def drawing(self, seed: int) -> Draw:
        """What random numbers are drawn from."""
        return Draw(seed)

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = dict(given)
        if not self.writes:
            self.without_effect(used, [*GENERATE, "seed"], "this model does not write one token after another")
            return used
        own = getattr(self.loaded.model.generation_config, "do_sample", False)
        used.setdefault("do_sample", any(name in given for name in SAMPLING) or bool(own))
        if used["do_sample"]:
            used.setdefault("seed", secrets.randbelow(2**32))
        else:
            self.without_effect(used, SAMPLING, "do_sample is off")
            used.pop("seed", None)
        for name, value in self.loaded.pipe._prepare_generate_kwargs(self.generation(used)).items():
            if name in GENERATE:
                used.setdefault(name, value)  # what the pipeline chooses where neither caller nor model does
        if self.room is not None and used.get("max_new_tokens", 0) > self.room:
            used["max_new_tokens"] = self.room
            self.note(f"{self.loaded.name} writes at most {self.room:,} new tokens.")
        return used

    def begin_list(self) -> None:
        if not self.chunked:
            self._draw.begin_list()

    def without_effect(self, used: dict[str, Any], names: Any, why: str) -> None:
        """Take parameters out of `used`, and note those that were there."""
        idle = [name for name in names if used.pop(name, None) is not None]
        if idle:
            self.note(f"{', '.join(idle)} had no effect: {why}.")

    def generation(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the parameters that go to `generate`."""
        return {name: parameters[name] for name in GENERATE if name in parameters}

    def bounded(self, **kept: Any) -> dict[str, Any]:
        """Arguments of `generate` besides the parameters: what stops it, and what looks at its scores."""
        self._enough = Enough(self.call, self.until)
        finite = LogitsProcessorList([Finite(self.loaded.name)])
        return {**kept, "stopping_criteria": StoppingCriteriaList([self._enough]), "logits_processor": finite}

    def told(self) -> None:
        """Note it where the time was up; stop where nobody waits any more."""
        if self._enough.timed_out:
            self.note("The time for one call was up before all tokens were there: this is what there was.")
        elif self.call.cancelled.is_set():
            self.check_time()


def unfit(one: Runner) -> blaming:
    """Around the pipeline's own code, which many a model of the right class does not fit."""
    return blaming(
        f"{one.loaded.name} could not be run: transformers' {one.spec.name} pipeline does not get along with such a "
        "model, or with such an input: it may be too short or too small. Choose another input or another model.",
        field="model",
    )
